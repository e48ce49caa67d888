"""Work on the canvas in steps, between which the window answers."""

from collections.abc import Callable, Iterator

from qtpy.QtCore import QTimer

__all__ = ["Steps"]

PAUSE_MS = 10
"""Between two steps: long enough that what is waiting gets its turn."""


class Steps:
    """One piece of work at a time; what is begun anew takes the place of what is not done yet."""

    def __init__(self) -> None:
        self._steps: Iterator[None] | None = None
        self._done: Callable[[], None] = lambda: None

    @property
    def is_running(self) -> bool:
        """Whether something is not done yet."""
        return self._steps is not None

    def begin(self, steps: Iterator[None], done: Callable[[], None] = lambda: None) -> None:
        """Take the first step, the others when the window has done what is waiting, and then call `done`."""
        self._steps, self._done = steps, done
        self._step(steps)

    def stop(self) -> None:
        """Leave undone what is not done yet."""
        self._steps = None

    def _step(self, steps: Iterator[None]) -> None:
        if steps is not self._steps:
            return
        try:
            next(steps)
        except StopIteration:
            self._steps = None
            self._done()
            return
        except BaseException:
            self._steps = None
            raise
        QTimer.singleShot(PAUSE_MS, lambda: self._step(steps))
