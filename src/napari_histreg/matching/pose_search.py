"""Exhaustive search over rotation, mirror, scale and shift by Fourier transforms.

The score of a pose is S / sqrt(V): S correlates two orientation fields, V their squared lengths. V is the
variance that S has where directions are unrelated, so overlap, empty glass and dark background weigh
themselves. The thousands of wrong poses tell how large the score grows by chance.

One turned field serves four poses: its correlation with the still field, its convolution (the half turn),
and both again with the still field mirrored.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import SWAP, FloatArray
from napari_histreg.matching.orientation import ComplexField, orientation_field
from napari_histreg.matching.picture import Picture
from napari_histreg.matching.pose_workspace import POOL, Spectra, Workspace
from napari_histreg.matching.poses import Poses
from napari_histreg.progress import Progress, silent

__all__ = ["Grid", "Worth", "search_poses"]

Worth = Callable[[float, FloatArray, bool], NDArray[np.bool_]]


@dataclass(frozen=True)
class Grid:
    """How finely the poses are laid out.

    Parameters
    ----------
    side : int
        Longest side of the fixed picture in pixels.
    step_deg : float
        Between rotations.
    step_scale : float
        Between scales, as a ratio less one.
    moving_side : float
        Longest side of the moving picture at matched scale, at most, in units of `side`; beyond it both
        pictures shrink.
    """

    side: int = 128
    step_deg: float = 4.0
    step_scale: float = 0.06
    moving_side: float = 1.3

    def scales(self, low: float, high: float) -> FloatArray:
        """Lay scales evenly, by ratio, from `low` to `high`.

        Examples
        --------
        >>> [round(float(s), 2) for s in Grid().scales(0.9, 1.1)]
        [0.9, 0.95, 0.99, 1.05, 1.1]
        """
        count = max(1, int(np.ceil(np.log(high / low) / np.log1p(self.step_scale) - 1e-9)))
        return np.asarray(np.geomspace(low, high, count + 1) if high > low else [low])


def search_poses(
    fixed: Picture,
    moving: Picture,
    scales: Sequence[float] | FloatArray,
    *,
    grid: Grid | None = None,
    mirror: bool = True,
    workers: int = 2,
    worth: Worth | None = None,
    progress: Progress = silent,
) -> Poses:
    """Score every rotation, mirror, scale and shift of the moving picture over the fixed one.

    Parameters
    ----------
    fixed, moving : Picture
        The pictures; only their coarse structure is used.
    scales : sequence of float
        Moving world units per fixed world unit, each tried.
    grid : Grid, optional
        Working size and angular step.
    mirror : bool
        Whether mirrored poses are tried too.
    workers : int
        Threads.
    worth : callable, optional
        Tells which turns of a scale are looked at, by the scale, the turns in degrees and whether the fixed
        picture is the turned one; all by default.
    progress : Progress, optional
        Told after each chunk of rotations.

    Returns
    -------
    Poses
        One entry for every rotation, mirror and scale, at its best shift.

    Notes
    -----
    The transforms are OpenCV's: at these sizes about twice as fast as pocketfft.

    Examples
    --------
    >>> from napari_histreg.geometry import Frame
    >>> pixels = np.random.default_rng(0).random((1, 60, 60), dtype=np.float32)
    >>> pixels = cv2.GaussianBlur(pixels[0], (0, 0), 1.5)[None]
    >>> picture = Picture(pixels, Frame((60, 60), (1.0, 1.0), (0.0, 0.0)))
    >>> turned = Picture(pixels[:, ::-1], picture.frame)
    >>> poses = search_poses(picture, turned, [1.0], grid=Grid(side=60))
    >>> best = poses.matrices[poses.z.argmax()]
    >>> best.round(1).tolist()
    [[-1.0, 0.0, 59.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    grid = grid or Grid()
    angles = np.arange(0.0, 180.0 - 1e-6, grid.step_deg)
    fixed_at = cache(fixed.reduced)
    tables = [_Scale(fixed_at, fixed, moving, float(s), grid) for s in scales]
    chunks = [(t, part) for t in tables for part in np.array_split(t.worthy(angles, worth), 3) if len(part)]
    found: list[tuple[FloatArray, FloatArray, FloatArray]] = []

    def run(chunk: tuple["_Scale", FloatArray]) -> tuple[FloatArray, FloatArray, FloatArray]:
        table, part = chunk
        return table.search(part, mirror)

    with ThreadPoolExecutor(workers) as pool:
        # Submitted in rounds, so that a cancelled search does not have to finish first.
        step = max(1, workers * 2)
        for start in range(0, len(chunks), step):
            progress(start / len(chunks), "searching rotations, mirrors, scales and shifts")
            found.extend(pool.map(run, chunks[start : start + step]))
    matrices = np.concatenate([f[0] for f in found])
    z, spread = np.concatenate([f[1] for f in found]), np.concatenate([f[2] for f in found])
    each = 2 * (1 + mirror)
    which = np.concatenate([np.full(each * len(part), t.scale) for t, part in chunks])
    turned = np.concatenate([np.full(each * len(part), t.turns_fixed) for t, part in chunks])
    for scale in np.unique(which):
        here = which == scale
        # A picture that was enlarged is smoother and its score spreads wider; so does a sparse one.
        z[here] /= max(float(np.median(spread[here])), 1e-9)
    progress(1.0, "search done")
    return Poses(matrices, z, which, np.concatenate([np.repeat(part, each) for _, part in chunks]), turned)


class _Scale:
    """Fields and spectra of one scale, shared by all rotations."""

    def __init__(
        self,
        fixed_at: Callable[[float], Picture],
        fixed: Picture,
        moving: Picture,
        scale: float,
        grid: Grid,
    ) -> None:
        self.scale = scale
        spacing = max(
            fixed.extent / grid.side,
            moving.extent / (scale * grid.moving_side * grid.side),
            # Where both are smaller than the working size, enlarging them would add nothing.
            min(fixed.spacing, moving.spacing / scale),
        )
        small_fixed, small_moving = fixed_at(spacing), moving.reduced(spacing * scale)
        # Turning the smaller one needs the smaller canvas.
        self.turns_fixed = small_fixed.diagonal_px < small_moving.diagonal_px
        pair = (small_moving, small_fixed) if self.turns_fixed else (small_fixed, small_moving)
        self.still, self.turned = pair
        still, field = orientation_field(self.still), orientation_field(self.turned)
        self.parts = np.ascontiguousarray(field.real), np.ascontiguousarray(field.imag)
        self.h, self.w = still.shape
        diagonal = np.hypot(*field.shape)
        # Shifts that overlap by less than a quarter may wrap round: they are not looked at anyway.
        rows, columns = (
            int(np.ceil(max(s, diagonal) + 0.75 * min(s, diagonal) + 2)) for s in (self.h, self.w)
        )
        self.n = (_fast_size(rows), _fast_size(columns))
        self.plain = self._still_spectra(still)
        self.flipped = self._still_spectra(still[:, ::-1].conj())

    def worthy(self, angles: FloatArray, worth: Worth | None) -> FloatArray:
        """Return the rotations that are looked at."""
        return angles if worth is None else angles[worth(self.scale, angles, self.turns_fixed)]

    def _still_spectra(self, field: ComplexField) -> Spectra:
        work = Workspace(self.n)
        work.real[: self.h, : self.w], work.imaginary[: self.h, : self.w] = field.real, field.imag
        work.transform(self.h)
        return work.spectra

    def search(self, angles: FloatArray, mirror: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return matrices, peak scores and their spreads for some rotations, each with its half turn."""
        work = Workspace(self.n)
        matrices, peaks, spreads = [], [], []
        for angle in angles:
            rotation, size = self._turn(float(angle), work)
            back = self.turned.frame.matrix @ SWAP @ np.linalg.inv(rotation)
            for flip in (False, True)[: 1 + mirror]:
                for half in (False, True):
                    peak, spread, at = work.peak(self.flipped if flip else self.plain, half)
                    matrices.append(back @ self._onto_canvas(size, flip, half, at))
                    peaks.append(peak)
                    spreads.append(spread)
        found = np.array(matrices) @ SWAP @ np.linalg.inv(self.still.frame.matrix)
        return np.linalg.inv(found) if self.turns_fixed else found, np.array(peaks), np.array(spreads)

    def _turn(self, angle_deg: float, work: "Workspace") -> tuple[FloatArray, tuple[int, int]]:
        """Turn the field and transform it; returns the (3, 3) map (x, y) onto the canvas, and the size."""
        a = np.deg2rad(angle_deg)
        c, s = np.cos(a), np.sin(a)
        h, w = self.parts[0].shape
        box = np.abs([[c, s], [s, c]]) @ np.array([w, h], float)
        matrix = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
        matrix[:2, 2] = (box - 1) / 2 - matrix[:2, :2] @ np.array([(w - 1) / 2, (h - 1) / 2])
        rows, columns = (min(int(np.ceil(b)) + 1, n) for b, n in zip(box[::-1], self.n, strict=True))
        # A turned gradient turns its squared direction twice as far.
        c2, s2 = np.float32(np.cos(2 * a)), np.float32(np.sin(2 * a))
        real, imaginary = self.parts
        for part, canvas in (
            (c2 * real - s2 * imaginary, work.real),
            (s2 * real + c2 * imaginary, work.imaginary),
        ):
            canvas[rows : work.rows] = 0
            canvas[:rows, columns:] = 0
            canvas[:rows, :columns] = cv2.warpAffine(
                part, matrix[:2], (columns, rows), flags=cv2.INTER_LINEAR
            )
        work.rows = rows
        work.transform(rows)
        return matrix, (rows, columns)

    def _onto_canvas(self, size: tuple[int, int], flip: bool, half: bool, at: tuple[int, int]) -> FloatArray:
        """Return the map (x, y) from the still picture's pixels onto the canvas, of a peak."""
        y, x = (
            _unwrapped(k, n, still, turned, half)
            for k, n, still, turned in zip(at, self.n, (self.h, self.w), size, strict=True)
        )
        sign = -1.0 if half else 1.0
        if flip:
            return np.array([[-sign, 0, x + sign * (self.w - 1)], [0, sign, y], [0, 0, 1.0]])
        return np.array([[sign, 0, x], [0, sign, y], [0, 0, 1.0]])


def _unwrapped(k: int, n: int, still: int, turned: int, half: bool) -> int:
    """Undo the wrapping of a shift: of the two it may be, the one that overlaps more."""
    if half:
        return max((k, k + n), key=lambda q: min(still, q + 1) - max(0, q - turned + 1))
    return max((k, k - n), key=lambda d: min(still, turned - d) - max(0, -d))


def _fast_size(n: int) -> int:
    """Return the next size that transforms fast and that the pooling divides."""
    return POOL * int(cv2.getOptimalDFTSize(-(-n // POOL)))
