"""The smooth displacement under which two pictures look most alike, every pixel being asked at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.block_correlation import Plane
from napari_histreg.matching.smooth_basis import SmoothBasis

__all__ = ["PixelFit"]

CELL = 8  # pixels along each side over which sharpness is added up: no function changes much there
EVERY = 2  # along both sides, which pixels are asked: neighbours say the same thing
STEPS = 10
ENOUGH = 1e-5  # less gain in likeness than this and the climb is over
SHORTEST = 0.1  # share of a step below which nothing is gained along it
LEAST_LIKENESS = 0.1
EPSILON = 1e-9  # curvature that every weight has for free: keeps the equations solvable


@dataclass(frozen=True, eq=False)
class PixelFit:
    """Likeness of two pictures by the weights of a smooth displacement, and where it is largest.

    The likeness is the correlation of all planes. Blocks read one shift each, as if nothing bent within
    them, and are then believed alike; here each pixel pulls as far as it tells something, edges across
    and not along. It is climbed by Gauss-Newton steps whose curvature is the mean of both pictures' [1]_:
    for a start within about a feature's width of the truth.

    Parameters
    ----------
    fixed, moving : sequence of (Y, X) ndarray of float32
        Planes that belong together in pairs, the moving ones as seen through `start`; 0 where masked.
    rows, columns : (Y,), (X,) ndarray
        Where their pixels lie, in units of the basis.
    basis : SmoothBasis
        Functions of the displacement.
    start : (K, 2) ndarray
        Weights of the displacement through which the moving planes are seen.
    keep : (Y, X) ndarray of float32, optional
        0 for pixels that take no part.

    References
    ----------
    .. [1] S. Benhimane and E. Malis, Real-time image-based tracking of planes using efficient second-order
       minimization, IROS 2004. doi:10.1109/IROS.2004.1389474

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(60, 60)).astype(np.float32)
    >>> plane = cv2.GaussianBlur(noise, (0, 0), 2.0)
    >>> basis, along = SmoothBasis((59.0, 59.0), modes=3), np.arange(60.0)
    >>> fit = PixelFit([plane], [np.roll(plane, 1, axis=1)], along, along, basis, np.zeros((9, 2)))
    >>> found = fit.weights(1e-3, np.zeros((9, 2)))
    >>> bool(np.abs(basis.at(np.array([[30.0, 30.0]])) @ found - [0.0, 1.0]).max() < 0.1)
    True
    """

    fixed: Sequence[Plane]
    moving: Sequence[Plane]
    rows: FloatArray
    columns: FloatArray
    basis: SmoothBasis
    start: FloatArray
    keep: Plane | None = None

    def without(self, keep: Plane) -> "PixelFit":
        """Return the fit without the pixels where `keep` is 0."""
        fit = replace(self, keep=keep)
        # What does not depend on it is not made again.
        for name in ("_along", "_places", "_second", "_total", "_squares"):
            fit.__dict__[name] = getattr(self, name)
        return fit

    def smoothed(self, sigma_px: float) -> "PixelFit":
        """Return the fit of the same planes smoothed by a Gaussian."""
        planes = [[cv2.GaussianBlur(p, (0, 0), sigma_px) for p in side] for side in (self.fixed, self.moving)]
        return replace(self, fixed=planes[0], moving=planes[1])

    def weights(self, stiffness: float, first: FloatArray) -> FloatArray:
        """Climb to the weights under which the pictures are most alike.

        Parameters
        ----------
        stiffness : float
            Likeness that a bending energy of 1 costs.
        first : (K, 2) ndarray
            Weights to climb from.

        Returns
        -------
        (K, 2) ndarray
        """
        weights = np.asarray(first, float)
        likeness, slope = self._likeness(weights, stiffness)
        penalty = np.tile(2 * stiffness * self.basis.bending, 2) + EPSILON
        # Of the sharpness of both pictures only that part makes a peak in which they are alike.
        alike = likeness + stiffness * float((self.basis.bending[:, None] * weights**2).sum())
        share = max(alike, LEAST_LIKENESS)
        inverse = np.linalg.inv(share * self._sharpness + np.diag(penalty))
        for _ in range(STEPS):
            step = (inverse @ slope.T.ravel()).reshape(2, -1).T
            length = 1.0
            while length > SHORTEST:
                higher, there = self._likeness(weights + length * step, stiffness)
                if higher > likeness:
                    break
                length /= 2
            else:
                break
            weights = weights + length * step
            gain, likeness, slope = higher - likeness, higher, there
            if gain < ENOUGH:
                break
        return weights

    def _likeness(self, weights: FloatArray, stiffness: float) -> tuple[float, FloatArray]:
        """Return the likeness less what bending costs, and its slope by the weights."""
        along_y, along_x = self._along
        change = (weights - self.start).T.reshape(2, along_y.shape[1], along_x.shape[1])
        moved = (along_y @ change @ along_x.T / self._pixel).astype(np.float32)
        y, x = EVERY * np.indices(moved.shape[1:], np.float32)
        x, y = x + moved[1], y + moved[0]
        total = np.zeros((3, *x.shape), np.float32)
        for first, second in zip(self._first, self._second, strict=True):
            # Cubic: what lies between pixels must not look fainter, or whole pixels would be preferred.
            seen = cv2.remap(second, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            total += first * np.moveaxis(seen, -1, 0)
        value, *pull = total
        slope = np.stack([(along_y.T @ part @ along_x).ravel() for part in pull], -1)
        bent = self.basis.bending[:, None] * weights
        return (
            float(value.sum(dtype=float)) / self._total - stiffness * float((bent * weights).sum()),
            slope / (self._pixel * self._total) - 2 * stiffness * bent,
        )

    @cached_property
    def _pixel(self) -> float:
        return float(self.rows[1] - self.rows[0])

    @cached_property
    def _along(self) -> tuple[FloatArray, FloatArray]:
        return self.basis.along(0, self.rows[::EVERY]), self.basis.along(1, self.columns[::EVERY])

    @cached_property
    def _total(self) -> float:
        power = [sum(float((p * p).sum()) for p in planes) for planes in (self.fixed, self.moving)]
        return max(float(np.sqrt(power[0] * power[1])) / EVERY**2, 1e-12)

    @cached_property
    def _first(self) -> list[Plane]:
        keep = np.float32(1) if self.keep is None else self.keep
        return [np.ascontiguousarray((p * keep)[::EVERY, ::EVERY]) for p in self.fixed]

    @cached_property
    def _second(self) -> list[Plane]:
        """Each moving plane with its slopes along y and x, (Y, X, 3)."""
        return [np.stack([p, _slope(p, 0), _slope(p, 1)], -1) for p in self.moving]

    @cached_property
    def _squares(self) -> tuple[Plane, Plane, Plane]:
        """Products of the slopes (y y, y x, x x) at each pixel, the mean of both pictures."""
        slopes = [[_slope(p, axis) for axis in range(2)] for p in (*self.fixed, *self.moving)]
        none = np.zeros_like(self.fixed[0])

        def product(a: int, b: int) -> Plane:
            return np.asarray(sum((s[a] * s[b] for s in slopes), none) / 2, np.float32)

        return product(0, 0), product(0, 1), product(1, 1)

    @cached_property
    def _places(self) -> FloatArray:
        """The functions in the cells, (cells, K)."""
        along_y, along_x = (_averaged(a, n) for a, n in zip(self._along, self._cells, strict=True))
        return (along_y[:, None, :, None] * along_x[None, :, None, :]).reshape(np.prod(self._cells), -1)

    @property
    def _cells(self) -> tuple[int, int]:
        height, width = self.fixed[0].shape
        return max(1, height // CELL), max(1, width // CELL)

    @cached_property
    def _sharpness(self) -> FloatArray:
        """How sharp a peak of the likeness can be, by the weights of y before those of x, (2K, 2K)."""
        parts = []
        for square in self._squares:
            seen = square if self.keep is None else square * self.keep
            each = cv2.resize(seen, self._cells[::-1], interpolation=cv2.INTER_AREA).ravel().astype(float)
            each *= self._first[0].size / len(each) / (self._pixel**2 * self._total)
            parts.append(self._places.T @ (each[:, None] * self._places))
        return np.block([[parts[0], parts[1]], [parts[1], parts[2]]])


def _slope(plane: Plane, axis: int) -> Plane:
    return np.asarray(cv2.Scharr(plane, cv2.CV_32F, axis, 1 - axis, scale=1 / 32))


def _averaged(along: FloatArray, count: int) -> FloatArray:
    """Return functions along a side, (N, K), averaged over `count` cells."""
    ends = np.round(np.linspace(0, len(along), count + 1)).astype(int)
    return np.stack([along[a:b].mean(0) for a, b in pairwise(ends)])
