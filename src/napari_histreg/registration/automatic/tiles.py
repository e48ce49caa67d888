"""Tiles: small parts of two slides, read at any level, laid on one another and compared."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, Frame, Region
from napari_histreg.matching.affine_refinement import Describe, orientation_planes
from napari_histreg.matching.block_correlation import Plane, Shifts, correlate_blocks
from napari_histreg.matching.picture import Picture, corners
from napari_histreg.progress import Progress, silent
from napari_histreg.registration.automatic.overview import Overview, comparable_channels
from napari_histreg.slides import Slide
from napari_histreg.threads import thread_count

__all__ = ["Side", "Window", "measure_tiles", "read_picture"]

MOST_WORKERS = 2

CLEAR_Z = 6.0
"""A tile that stands out so far, times the parts along its side, is measured in parts."""

NEAR_WHOLE_PX = 3.0
"""Parts that lie further from where the whole tile lies are mistaken."""

MOST_READ_PX, STRIP_PIXELS = 2048, 1 << 22
"""Side of a region from which on it is averaged while it is read, and pixels of a strip held for that."""

Planes = tuple[Sequence[Plane], Sequence[Plane]]

LEAST_SEEN = 0.5
"""Share of a tile that both slides must show."""


@dataclass(frozen=True, eq=False)
class Side:
    """A slide with its overview.

    Parameters
    ----------
    slide : Slide
        To read finer levels from.
    overview : Overview
        Knows the channels and their scales.
    """

    slide: Slide
    overview: Overview


@dataclass(frozen=True)
class Window:
    """How large a tile is and how far it is shifted.

    Parameters
    ----------
    spacing : float
        Fixed world units per pixel.
    side : int
        Side of a tile in pixels.
    reach : int
        Largest shift looked at, in pixels.
    parts : int
        Into how many parts along each side a tile is cut that shows clearly where it belongs; the parts
        tell how the displacement changes within it.
    """

    spacing: float
    side: int
    reach: int
    parts: int = 1


def measure_tiles(
    sides: tuple[Side, Side],
    matrices: Sequence[FloatArray],
    places: FloatArray,
    window: Window,
    *,
    describe: Describe = orientation_planes,
    progress: Progress = silent,
) -> tuple[Shifts, NDArray[np.intp]]:
    """Measure by how much tiles are off.

    Parameters
    ----------
    sides : (Side, Side)
        Fixed and moving.
    matrices : sequence of (3, 3) ndarray
        For each tile, the pose there: affine in world units, fixed to moving.
    places : (N, 2) ndarray
        Middle of each tile in fixed world units.
    window : Window
        Size, spacing and reach of the tiles.
    describe : callable
        Turns the two pictures, on one frame, into planes that are correlated in pairs.
    progress : Progress, optional
        Told after every few tiles; may raise `Cancelled`.

    Returns
    -------
    shifts : Shifts
        In pixels of the window, the centres too.
    measured : (M,) ndarray of int
        Which of the places they belong to: none for a tile with too little in it, several for one in parts.
    """

    def measure(index: int) -> Shifts | None:
        return _measure_tile(sides, matrices[index], places[index], window, describe)

    found: list[Shifts | None] = []
    workers = thread_count(MOST_WORKERS)
    with ThreadPoolExecutor(workers) as pool:
        for k in range(0, len(places), workers):
            progress(k / len(places), f"matching tiles at {window.spacing:.3g} per pixel")
            found += pool.map(measure, range(k, min(k + workers, len(places))))
    measured = np.array([k for k, s in enumerate(found) if s is not None for _ in s.z], np.intp)
    kept = [shifts for shifts in found if shifts is not None]
    if not kept:
        return Shifts(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), np.zeros((0, 2, 2))), measured
    return _joined(kept), measured


def _measure_tile(
    sides: tuple[Side, Side], matrix: FloatArray, place: FloatArray, window: Window, describe: Describe
) -> Shifts | None:
    """Measure one tile; None where it holds too little."""
    spacing, side = window.spacing, window.side + 2 * window.reach
    origin = place - (side - 1) / 2 * spacing
    frame = Frame.square((side, side), spacing, origin)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    box = place + np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * (side / 2 + 2) * spacing
    fixed = read_picture(sides[0], box, spacing)
    if fixed is None:
        return None
    moving = read_picture(sides[1], corners(box, matrix), spacing * scale)
    if moving is None:
        return None
    a, b = fixed.sampled(frame, np.eye(3)), moving.sampled(frame, matrix)
    if (a.mask & b.mask).mean() < LEAST_SEEN:
        return None
    planes = describe(a, b)
    whole = _shifts(planes, window, origin, (slice(None), slice(None)))
    if whole is None or window.parts == 1 or whole.z[0] < CLEAR_Z * window.parts:
        return whole
    return _in_parts(planes, window, origin, whole)


def _in_parts(planes: Planes, window: Window, origin: FloatArray, whole: Shifts) -> Shifts:
    """Measure the parts of a tile; the tile as a whole where they do not follow it."""
    side = window.side // window.parts
    cuts = [slice(k * side, (k + 1) * side + 2 * window.reach) for k in range(window.parts)]
    found = []
    for rows in cuts:
        for columns in cuts:
            part = _shifts(planes, window, origin, (rows, columns))
            if part is not None and np.abs(part.offsets - whole.offsets).max() <= NEAR_WHOLE_PX:
                found.append(part)
    if len(found) <= window.parts**2 // 2:
        return whole
    return _joined(found)


def _shifts(planes: Planes, window: Window, origin: FloatArray, cut: tuple[slice, slice]) -> Shifts | None:
    """Measure one block in the middle of a cut of the planes; None where it is empty."""
    fixed, moving = ([plane[cut] for plane in side] for side in planes)
    block = fixed[0].shape[0] - 2 * window.reach
    shifts = correlate_blocks(fixed, moving, block=block, reach=window.reach, step=fixed[0].shape[0]).shifts()
    if not len(shifts.z):
        return None
    start = np.array([axis.start or 0 for axis in cut])
    centres = origin / window.spacing + start + shifts.centres
    return Shifts(centres, shifts.offsets, shifts.z, shifts.information)


def _joined(parts: Sequence[Shifts]) -> Shifts:
    """Put shifts together."""
    names = Shifts.__dataclass_fields__
    return Shifts(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def read_picture(side: Side, box: FloatArray, spacing: float) -> Picture | None:
    """Read part of a slide as a picture like its overview's.

    Parameters
    ----------
    side : Side
        Slide and overview.
    box : (N, 2) ndarray
        World points; their bounding box is read.
    spacing : float
        World units per pixel, at least; the finest level where the slide has none so fine. Where the
        overview is as fine, that is given and nothing is read.

    Returns
    -------
    Picture or None
        None where the box lies outside the slide or shows nothing valid.
    """
    slide, overview = side.slide, side.overview
    if spacing >= 0.999 * overview.picture.spacing:
        return overview.picture
    level = slide.level_for_spacing(spacing)
    corner = slide.to_pixel(np.stack([box.min(0), box.max(0)]), level)
    low, high = np.floor(corner[0]).astype(int), np.ceil(corner[1]).astype(int) + 1
    region = Region(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
    region = region.clipped(slide.levels[level].shape)
    if min(region.shape) < 8:
        return None
    factor = _averaged_over(region, spacing / max(slide.spacing(level)))
    region = Region(region.y, region.x, *(n // factor * factor for n in region.shape))
    pixels = _read_averaged(slide, level, region, overview.channels, factor)
    first, step = slide.to_world([[region.y, region.x]], level)[0], np.array(slide.spacing(level))
    (y, x), (dy, dx) = first + (factor - 1) / 2 * step, factor * step
    frame = Frame(pixels.shape[1:], (float(dy), float(dx)), (float(y), float(x)))
    mask = np.isfinite(pixels).all(0) & _border_mask(overview.picture, frame)
    if not mask.any():
        return None
    signals, _ = comparable_channels(pixels, mask, overview.modality, overview.scales)
    return Picture(signals, frame, mask).reduced(spacing)


def _averaged_over(region: Region, ratio: float) -> int:
    """Return how many pixels are averaged as they are read: 1 where the region is small anyway."""
    if max(region.shape) <= MOST_READ_PX:
        return 1
    return max(1, min(int(ratio + 1e-6), min(region.shape) // 8))


def _read_averaged(
    slide: Slide, level: int, region: Region, channels: Sequence[int], factor: int
) -> NDArray[np.float32]:
    """Read a region in strips, each averaged at once: without coarser levels it would fill the memory."""
    if factor == 1:
        return slide.read(level, region, channels).astype(np.float32)
    rows, columns = region.height // factor, region.width // factor
    out = np.empty((len(channels), rows, columns), np.float32)
    step = max(1, STRIP_PIXELS // (region.width * factor))
    for start in range(0, rows, step):
        count = min(step, rows - start)
        strip = Region(region.y + start * factor, region.x, count * factor, region.width)
        for plane, pixels in zip(out, slide.read(level, strip, channels), strict=True):
            plane[start : start + count] = cv2.resize(
                pixels.astype(np.float32), (columns, count), interpolation=cv2.INTER_AREA
            )
    return out


def _border_mask(picture: Picture, frame: Frame) -> NDArray[np.bool_]:
    """Return the overview's mask on a finer frame."""
    if picture.mask.all():
        return np.ones(frame.shape, bool)
    index = (np.linalg.inv(picture.frame.matrix) @ frame.matrix)[:2][::-1][:, [1, 0, 2]]
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    mask = cv2.warpAffine(picture.mask.astype(np.uint8), index, frame.shape[::-1], flags=flags)
    return np.asarray(mask > 0)
