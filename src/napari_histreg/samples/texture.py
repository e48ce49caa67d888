"""Random texture that has a value at every point of the plane, at any resolution, without being stored.

Values hang on lattices whose nodes are hashes of their own indices, so any region can be computed
alone and two pictures of one place agree. Waves shorter than a few pixels are left out: this is what
averaging would do to them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, Region

__all__ = ["FloatImage", "View", "fractal", "hashed", "smooth_field", "unit_interval"]

FloatImage = NDArray[np.float32]
PointFunction = Callable[[FloatArray, FloatArray], FloatArray]

SHORTEST_PX = 2.0
"""Waves shorter than this are left out, and those up to twice this are faded."""


@dataclass(frozen=True, eq=False)
class View:
    """How the pixels of one pyramid level lie on the tissue.

    Parameters
    ----------
    linear : (2, 2) ndarray
        Tissue units per pixel: point = linear @ (y, x) + shift.
    shift : (2,) ndarray
        Tissue coordinates of the centre of pixel (0, 0).
    """

    linear: FloatArray
    shift: FloatArray

    @property
    def spacing(self) -> float:
        """Side of a pixel in tissue units."""
        return math.sqrt(abs(float(np.linalg.det(self.linear))))

    def points(self, y: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the tissue coordinates (y, x) of pixel rows `y` and columns `x`, each (len(y), len(x))."""
        (a, b), (c, d) = self.linear
        return (
            np.add.outer(a * y, b * x) + self.shift[0],
            np.add.outer(c * y, d * x) + self.shift[1],
        )

    def pixels(self, points: FloatArray) -> FloatArray:
        """Return the pixel coordinates (N, 2) of tissue points (N, 2)."""
        return np.asarray((points - self.shift) @ np.linalg.inv(self.linear).T)

    def bounds(self, region: Region, margin: float) -> tuple[FloatArray, FloatArray]:
        """Return the lowest and highest tissue coordinates of a region, `margin` tissue units added."""
        y, x = self.points(
            np.array([region.y - 0.5, region.y + region.height - 0.5]),
            np.array([region.x - 0.5, region.x + region.width - 0.5]),
        )
        low, high = np.array([y.min(), x.min()]), np.array([y.max(), x.max()])
        return low - margin, high + margin


def hashed(y: NDArray[np.int64], x: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """Return 64 well mixed bits for each pair of whole numbers (broadcast)."""
    with np.errstate(over="ignore"):
        bits = (
            y.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            + x.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
            + np.uint64((seed * 0x165667B19E3779F9 + 0x27D4EB2F165667C5) % 2**64)
        )
        # The finaliser of SplitMix64.
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)), np.uint64)


def unit_interval(bits: NDArray[np.uint64], part: int) -> FloatArray:
    """Return one of the four 16-bit parts (0 to 3) of hashes as numbers from 0 to 1."""
    return np.asarray(((bits >> np.uint64(16 * part)) & np.uint64(0xFFFF)) / 65535.0)


def fractal(
    view: View, region: Region, wavelengths: Sequence[float], seed: int, *, roughness: float = 0.5
) -> FloatImage:
    """Sum waves of several lengths over a region.

    Parameters
    ----------
    view : View
        Where the pixels lie.
    region : Region
        Which pixels.
    wavelengths : sequence of float
        In tissue units, from long to short.
    seed : int
        Another seed, another texture.
    roughness : float
        Amplitude of each wave as a share of the one before.

    Returns
    -------
    (H, W) ndarray of float32
        About -1 to 1.
    """
    total: FloatImage | None = None
    grid = _Grid.of(region, 1)
    amplitude, norm = 1.0, 0.0
    for index, wavelength in enumerate(wavelengths):
        length_px = wavelength / view.spacing
        fade = min(max(length_px / SHORTEST_PX - 1, 0.0), 1.0)
        norm += amplitude**2
        if fade > 0:
            finer = _Grid.of(region, 2 ** max(0, math.floor(math.log2(length_px / 6))))
            wave = _wave(view, finer, wavelength, seed + 7919 * index)
            wave *= np.float32(amplitude * fade)
            total = wave if total is None else _refined(total, grid, finer) + wave
            grid = finer
        amplitude *= roughness
    if total is None:
        return np.zeros(region.shape, np.float32)
    # 0.45 is the deviation of one wave: the sum is brought to about a third.
    return _refined(total, grid, _Grid.of(region, 1)) / np.float32(1.35 * math.sqrt(norm))


def smooth_field(view: View, region: Region, wavelength: float, function: PointFunction) -> FloatImage:
    """Evaluate a slowly varying function of tissue points on a coarse grid and fill in linearly."""
    length_px = wavelength / view.spacing
    grid = _Grid.of(region, 2 ** max(0, math.floor(math.log2(max(length_px / 12, 1)))))
    values = np.asarray(function(*view.points(grid.y, grid.x)), np.float32)
    return _refined(values, grid, _Grid.of(region, 1))


@dataclass(frozen=True, eq=False)
class _Grid:
    """Every `step`-th pixel around a region, counted from pixel 0 so that neighbouring regions agree."""

    step: int
    y: FloatArray
    x: FloatArray

    @classmethod
    def of(cls, region: Region, step: int) -> "_Grid":
        def line(start: int, length: int) -> FloatArray:
            if step == 1:
                return np.arange(start, start + length, dtype=float)
            return np.arange(start // step, (start + length - 1) // step + 2, dtype=float) * step

        return cls(step, line(region.y, region.height), line(region.x, region.width))


def _refined(values: FloatImage, coarse: _Grid, fine: _Grid) -> FloatImage:
    """Interpolate linearly from one grid to a finer one that it covers."""
    if coarse.step == fine.step:
        return values
    for axis, (have, want) in enumerate(((coarse.y, fine.y), (coarse.x, fine.x))):
        at = (want - have[0]) / coarse.step
        low = np.clip(np.floor(at).astype(int), 0, len(have) - 2)
        part = (at - low).astype(np.float32)
        part = part[:, None] if axis == 0 else part[None, :]
        values = values.take(low, axis) * (1 - part) + values.take(low + 1, axis) * part
    return values


def _wave(view: View, grid: _Grid, wavelength: float, seed: int) -> FloatImage:
    """Interpolate one lattice of hashes at the points of a grid."""
    import cv2

    y, x = view.points(grid.y, grid.x)
    y, x = y / wavelength, x / wavelength
    top, left = math.floor(y.min()) - 2, math.floor(x.min()) - 2
    rows = np.arange(top, math.ceil(y.max()) + 3)
    columns = np.arange(left, math.ceil(x.max()) + 3)
    nodes = unit_interval(hashed(rows[:, None], columns[None, :], seed), 0).astype(np.float32) * 2 - 1
    maps = (x - left).astype(np.float32), (y - top).astype(np.float32)
    return np.asarray(cv2.remap(nodes, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)
