"""Landmarks: paired points of two slides."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["Landmarks"]


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Pairs of points that show the same spot of tissue in the fixed and in the moving slide.

    An edit returns new landmarks; those at hand stay as they are.

    Parameters
    ----------
    fixed, moving : (N, 2) array_like
        Points (y, x) in world units (µm, or level-0 px where the pixel size is unknown). NaN marks a
        point that is not placed yet.
    names : sequence of str
        One for each pair, all different.
    enabled : (N,) array_like of bool
        Whether the pair counts in fits.
    confidence : (N,) array_like, optional
        How sure the pair is, 0 to 1, where something found it by itself.

    Raises
    ------
    ValueError
        The counts differ, two names are the same, or a coordinate is infinite.

    Examples
    --------
    >>> landmarks = Landmarks.of([[0, 0], [5, 5]], [[1, 1], [6, 6]])
    >>> landmarks = landmarks.with_pair([9, 9], [10, 10], name="vessel").switched("1", False)
    >>> landmarks.names, len(landmarks), len(landmarks.active())
    (('1', '2', 'vessel'), 3, 2)
    """

    fixed: FloatArray
    moving: FloatArray
    names: tuple[str, ...]
    enabled: NDArray[np.bool_]
    confidence: FloatArray | None = None

    def __post_init__(self) -> None:
        fixed, moving = _as_side(self.fixed, "fixed"), _as_side(self.moving, "moving")
        names = tuple(str(name) for name in self.names)
        enabled = np.array(self.enabled, bool)
        confidence = None if self.confidence is None else np.array(self.confidence, float)
        counts = {"moving points": len(moving), "names": len(names), "enabled flags": enabled.size}
        if confidence is not None:
            counts["confidences"] = confidence.size
        for what, count in counts.items():
            if count != len(fixed):
                raise ValueError(
                    f"There are {len(fixed)} fixed points but {count} {what}; they come in pairs."
                )
        if len(set(names)) < len(names):
            twice = Counter(names).most_common(1)[0][0]
            raise ValueError(f"Two landmarks are called {twice!r}; give each its own name.")
        for array in (fixed, moving, enabled, confidence):
            if array is not None:
                array.setflags(write=False)
        object.__setattr__(self, "fixed", fixed)
        object.__setattr__(self, "moving", moving)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "enabled", enabled.reshape(-1))
        object.__setattr__(self, "confidence", confidence)

    @classmethod
    def of(
        cls,
        fixed: ArrayLike,
        moving: ArrayLike,
        names: Sequence[str] | None = None,
        *,
        enabled: ArrayLike | None = None,
        confidence: ArrayLike | None = None,
    ) -> "Landmarks":
        """Pair two tables of points; by default the names are "1", "2" … and all pairs are enabled."""
        f = _as_side(fixed, "fixed")
        return cls(
            f,
            np.asarray(moving, float),
            tuple(str(k + 1) for k in range(len(f))) if names is None else tuple(names),
            np.ones(len(f), bool) if enabled is None else np.asarray(enabled, bool),
            None if confidence is None else np.asarray(confidence, float),
        )

    @classmethod
    def empty(cls) -> "Landmarks":
        """Return landmarks without a pair."""
        return cls.of(np.empty((0, 2)), np.empty((0, 2)))

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Landmarks):
            return NotImplemented
        if (self.confidence is None) != (other.confidence is None):
            return False
        return (
            self.names == other.names
            and np.array_equal(self.fixed, other.fixed, equal_nan=True)
            and np.array_equal(self.moving, other.moving, equal_nan=True)
            and np.array_equal(self.enabled, other.enabled)
            and (
                self.confidence is None
                or np.array_equal(self.confidence, np.asarray(other.confidence), equal_nan=True)
            )
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Landmarks({len(self)} pairs, {int(self.usable.sum())} in use)"

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Which pairs have both their points."""
        return np.asarray(np.isfinite(self.fixed).all(1) & np.isfinite(self.moving).all(1))

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Which pairs count in fits: enabled, and both points placed."""
        return self.enabled & self.placed

    def active(self) -> "Landmarks":
        """Return the pairs that count in fits: enabled, and both points placed."""
        return self.subset(self.usable)

    def holds(self, others: "Landmarks") -> bool:
        """Tell whether these pairs, whatever their names, have all usable ones of others among them.

        A file keeps some ten digits: points a millionth of their extent apart are the same.
        """
        ours, theirs = (np.hstack([p.fixed, p.moving]) for p in (self.active(), others.active()))
        if not len(ours) or not len(theirs):
            return False
        near = 1e-6 * max(float(np.ptp(ours)), 1.0)
        from scipy.spatial import cKDTree

        distances, _ = cKDTree(ours).query(theirs, p=np.inf)
        return bool(np.all(distances <= near))

    def subset(self, keep: ArrayLike) -> "Landmarks":
        """Return the pairs at these places: an (N,) bool array, or indices in the order wanted."""
        index = np.asarray(keep)
        index = np.flatnonzero(index) if index.dtype == bool else index.astype(int)
        return Landmarks(
            self.fixed[index],
            self.moving[index],
            tuple(self.names[k] for k in index),
            self.enabled[index],
            None if self.confidence is None else self.confidence[index],
        )

    def swapped(self) -> "Landmarks":
        """Return the pairs with fixed and moving exchanged."""
        return replace(self, fixed=self.moving, moving=self.fixed)

    def index(self, pair: int | str) -> int:
        """Find a pair by its name, or by its place when it is an int.

        Raises
        ------
        ValueError
            There is no such pair.
        """
        if isinstance(pair, str):
            if pair in self.names:
                return self.names.index(pair)
        elif 0 <= pair < len(self):
            return int(pair)
        raise ValueError(f"There is no landmark {pair!r} among {len(self)}.")

    def next_name(self) -> str:
        """Return the lowest number above all numbers in use as names."""
        numbers = [int(name) for name in self.names if name.isascii() and name.isdigit()]
        return str(max(numbers, default=0) + 1)

    def with_pair(
        self,
        fixed: ArrayLike | None,
        moving: ArrayLike | None,
        *,
        name: str | None = None,
        confidence: float | None = None,
    ) -> "Landmarks":
        """Add a pair at the end; None leaves its point unplaced."""
        gap = np.full(2, np.nan)
        old = self.confidence
        if old is None and confidence is not None:
            old = np.full(len(self), np.nan)
        return Landmarks(
            np.vstack([self.fixed, gap if fixed is None else np.asarray(fixed, float)]),
            np.vstack([self.moving, gap if moving is None else np.asarray(moving, float)]),
            (*self.names, self.next_name() if name is None else name),
            np.append(self.enabled, True),
            None if old is None else np.append(old, np.nan if confidence is None else confidence),
        )

    def without(self, *pairs: int | str) -> "Landmarks":
        """Leave out pairs, given by place or name."""
        keep = np.ones(len(self), bool)
        keep[[self.index(pair) for pair in pairs]] = False
        return self.subset(keep)

    def moved(
        self, pair: int | str, *, fixed: ArrayLike | None = None, moving: ArrayLike | None = None
    ) -> "Landmarks":
        """Put one or both points of a pair elsewhere; None leaves a point where it is."""
        k = self.index(pair)
        changes: dict[str, Any] = {}
        for side, point in (("fixed", fixed), ("moving", moving)):
            if point is not None:
                points = getattr(self, side).copy()
                points[k] = np.asarray(point, float)
                changes[side] = points
        return replace(self, **changes)

    def renamed(self, pair: int | str, name: str) -> "Landmarks":
        """Give a pair another name."""
        k = self.index(pair)
        return replace(self, names=(*self.names[:k], str(name), *self.names[k + 1 :]))

    def switched(self, pair: int | str, enabled: bool) -> "Landmarks":
        """Let a pair count in fits, or not."""
        flags = self.enabled.copy()
        flags[self.index(pair)] = enabled
        return replace(self, enabled=flags)


def _as_side(points: ArrayLike, side: str) -> FloatArray:
    array = np.array(points, float)
    if array.size == 0:
        array = array.reshape(0, 2)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"The {side} points must be an (N, 2) table of (y, x), not {array.shape}.")
    if np.isinf(array).any():
        raise ValueError(f"A {side} point lies at infinity; mark a point that is not placed by NaN.")
    return array
