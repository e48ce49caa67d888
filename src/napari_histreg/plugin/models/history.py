"""Undo and redo by keeping earlier values."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["History"]

T = TypeVar("T")


@dataclass
class History(Generic[T]):
    """The present value, those before it and those that were undone.

    Nothing has to be inverted, since the values are immutable.

    Parameters
    ----------
    present : T
        The value to begin with.

    Examples
    --------
    >>> history = History("empty")
    >>> history.push("one pair", "add pair 1")
    >>> history.undo(), history.redo_label
    ('empty', 'add pair 1')
    >>> history.redo()
    'one pair'
    """

    present: T
    _past: list[tuple[str, T]] = field(default_factory=list)
    _future: list[tuple[str, T]] = field(default_factory=list)

    def push(self, value: T, label: str) -> None:
        """Make `value` the present and forget what was undone; `label` says what was done, for "Undo …"."""
        self._past.append((label, self.present))
        self._future.clear()
        self.present = value

    def undo(self) -> T:
        """Go back one step and return the value; at the beginning nothing happens."""
        if self._past:
            label, value = self._past.pop()
            self._future.append((label, self.present))
            self.present = value
        return self.present

    def redo(self) -> T:
        """Go forward one step that was undone and return the value; without one nothing happens."""
        if self._future:
            label, value = self._future.pop()
            self._past.append((label, self.present))
            self.present = value
        return self.present

    @property
    def undo_label(self) -> str | None:
        """What `undo` would take back; None at the beginning."""
        return self._past[-1][0] if self._past else None

    @property
    def redo_label(self) -> str | None:
        """What `redo` would do again; None where there is nothing."""
        return self._future[-1][0] if self._future else None
