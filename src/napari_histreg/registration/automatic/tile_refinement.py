"""Sharpen: tiles at finer levels of the pyramids, where the overview is coarser than the accuracy asked for.

A fixed number of small tiles is read at each level, however large the slides are.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from napari_histreg.geometry import FloatArray, Frame, Region
from napari_histreg.matching.affine_refinement import (
    FINE,
    MOST_CHANGE,
    fit_affine,
    is_plausible,
    orientation_planes,
)
from napari_histreg.matching.block_correlation import Shifts, correlate_blocks
from napari_histreg.matching.picture import Picture, corners, overlap_frame
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.registration.automatic.overview import Overview, comparable_channels
from napari_histreg.slides import Slide

__all__ = ["finer_spacings", "measure_tiles", "read_picture", "sharpen"]

WANTED_UM = 1.0
"""Finest spacing that is read: blocks then agree to a third of it."""

MOST_SIDE = 4096
"""Finest spacing where the unit is unknown: so many pixels across the overlap."""

TILE_PX = 192
TILES = 48
REACH_PX = 8
STEP = 3.0
"""Ratio of one level's spacing to the next; the reach covers 2.7 pixels of the coarser one."""

ENOUGH = 0.3
"""No finer level is read once the pose is known to this share of the finest spacing."""

NEAR_PX = 2.0
LEAST_AGREEING = 8
LEAST_SHARE = 0.25
"""Tiles that must agree; chance gives 0.04 of them. On neighbouring sections cells differ and fewer do."""

WORKERS = 2


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


def sharpen(
    fixed: Slide,
    moving: Slide,
    overviews: tuple[Overview, Overview],
    fixed_to_moving: FloatArray,
    found: dict[str, Any],
    *,
    progress: Progress = silent,
) -> FloatArray:
    """Refine an affine pose with tiles at finer levels, as far as they agree.

    Parameters
    ----------
    fixed, moving : Slide
        The slides.
    overviews : (Overview, Overview)
        Of both.
    fixed_to_moving : (3, 3) ndarray
        The pose found on the overviews, affine in world units.
    found : dict
        Takes the spacings used and how many tiles agreed.
    progress : Progress, optional
        Told after every few tiles; may raise `Cancelled`.

    Returns
    -------
    (3, 3) ndarray
        The pose as it was, where the overviews are fine enough or the tiles do not agree.
    """
    sides = Side(fixed, overviews[0]), Side(moving, overviews[1])
    matrix = np.array(fixed_to_moving, float)
    spacings = finer_spacings(sides, matrix)
    found["spacings"] = [round(s, 4) for s in spacings]
    for k, spacing in enumerate(spacings):
        part = portion(progress, k / len(spacings), (k + 1) / len(spacings))
        shifts = measure_tiles(sides, matrix, _places(sides, matrix, spacing), spacing, progress=part)
        fit = _fit(shifts, spacing)
        found[f"tiles agreeing at {spacing:.3g}"] = f"{fit.agreeing} of {len(shifts.z)}"
        if fit.agreeing < max(LEAST_AGREEING, LEAST_SHARE * len(shifts.z)) or not is_plausible(
            fit.update, scale=MOST_CHANGE
        ):
            found["notes"] = (
                f"At {spacing:.3g} per pixel the slides do not show the same cells: coarser levels decide.",
            )
            break
        matrix = matrix @ fit.update
        found["uncertainty"] = round(fit.uncertainty, 4)
        if fit.uncertainty < ENOUGH * spacings[-1]:
            break
    return matrix


def finer_spacings(sides: tuple[Side, Side], fixed_to_moving: FloatArray) -> list[float]:
    """List the spacings, fixed world units, at which tiles are read, coarse to fine; often none."""
    frame = overlap_frame(
        sides[0].overview.picture, sides[1].overview.picture, fixed_to_moving, FINE[-1].side
    )
    if frame is None:
        return []
    scale = float(np.sqrt(abs(np.linalg.det(fixed_to_moving[:2, :2]))))
    native = max(max(sides[0].slide.spacing(0)), max(sides[1].slide.spacing(0)) / scale)
    knows = all(side.overview.knows_size for side in sides)
    finest = max(native, WANTED_UM if knows else float(frame.size.max()) / MOST_SIDE)
    ratio = frame.spacing[0] / finest
    if ratio < 1.5:
        return []
    count = int(np.ceil(np.log(ratio) / np.log(STEP) - 1e-9))
    return [float(s) for s in finest * np.geomspace(ratio, 1, count + 1)[1:]]


def measure_tiles(
    sides: tuple[Side, Side],
    fixed_to_moving: FloatArray,
    places: FloatArray,
    spacing: float,
    *,
    progress: Progress = silent,
) -> Shifts:
    """Measure by how much tiles are off.

    Parameters
    ----------
    sides : (Side, Side)
        Fixed and moving.
    fixed_to_moving : (3, 3) ndarray
        The pose, affine in world units.
    places : (N, 2) ndarray
        Middle of each tile in fixed world units.
    spacing : float
        Fixed world units per pixel.
    progress : Progress, optional
        Told after every few tiles.

    Returns
    -------
    Shifts
        In pixels of `spacing`; tiles with too little in them are left out.
    """

    def measure(place: FloatArray) -> Shifts | None:
        return _measure_tile(sides, fixed_to_moving, place, spacing)

    found: list[Shifts] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for k in range(0, len(places), WORKERS):
            progress(k / len(places), f"matching tiles at {spacing:.3g} per pixel")
            found += [s for s in pool.map(measure, places[k : k + WORKERS]) if s is not None]
    if not found:
        return Shifts(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), np.zeros((0, 2, 2)))
    return Shifts(*(np.concatenate([getattr(s, n) for s in found]) for n in Shifts.__dataclass_fields__))


def _measure_tile(
    sides: tuple[Side, Side], matrix: FloatArray, place: FloatArray, spacing: float
) -> Shifts | None:
    """Measure one tile; None where it holds too little."""
    side = TILE_PX + 2 * REACH_PX
    origin = place - (side - 1) / 2 * spacing
    frame = Frame.square((side, side), spacing, origin)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    box = place + np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * (side / 2 + 2) * spacing
    fixed = read_picture(sides[0], box, spacing)
    moving = read_picture(sides[1], corners(box, matrix), spacing * scale)
    if fixed is None or moving is None:
        return None
    a, b = fixed.sampled(frame, np.eye(3)), moving.sampled(frame, matrix)
    if (a.mask & b.mask).mean() < 0.5:
        return None
    maps = correlate_blocks(*orientation_planes(a, b), block=side - 2 * REACH_PX, reach=REACH_PX, step=side)
    inner = maps.shifts()
    if not len(inner.z):
        return None
    return Shifts(np.array([place / spacing]), inner.offsets[:1], inner.z[:1], inner.information[:1])


def read_picture(side: Side, box: FloatArray, spacing: float) -> Picture | None:
    """Read part of a slide as a picture like its overview's.

    Parameters
    ----------
    side : Side
        Slide and overview.
    box : (N, 2) ndarray
        World points; their bounding box is read.
    spacing : float
        World units per pixel, at least; the finest level where the slide has none so fine.

    Returns
    -------
    Picture or None
        None where the box lies outside the slide or shows nothing valid.
    """
    slide, overview = side.slide, side.overview
    level = slide.level_for_spacing(spacing)
    corner = slide.to_pixel(np.stack([box.min(0), box.max(0)]), level)
    low, high = np.floor(corner[0]).astype(int), np.ceil(corner[1]).astype(int) + 1
    region = Region(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
    region = region.clipped(slide.levels[level].shape)
    if min(region.shape) < 8:
        return None
    pixels = slide.read(level, region, overview.channels).astype(np.float32)
    y, x = slide.to_world([[region.y, region.x]], level)[0]
    frame = Frame(region.shape, slide.spacing(level), (float(y), float(x)))
    mask = np.isfinite(pixels).all(0) & _border_mask(overview.picture, frame)
    if not mask.any():
        return None
    signals, _ = comparable_channels(pixels, mask, overview.modality, overview.scales)
    return Picture(signals, frame, mask).reduced(spacing)


def _border_mask(picture: Picture, frame: Frame) -> Any:
    """Return the overview's mask on a finer frame."""
    if picture.mask.all():
        return np.ones(frame.shape, bool)
    index = (np.linalg.inv(picture.frame.matrix) @ frame.matrix)[:2][::-1][:, [1, 0, 2]]
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    mask = cv2.warpAffine(picture.mask.astype(np.uint8), index, frame.shape[::-1], flags=flags)
    return mask > 0


def _places(sides: tuple[Side, Side], matrix: FloatArray, spacing: float) -> FloatArray:
    """Choose where to look: in each field of a grid, where both pictures have most edges."""
    fixed, moving = (side.overview.picture for side in sides)
    frame = overlap_frame(fixed, moving, matrix, 256)
    if frame is None:
        return np.zeros((0, 2))
    a, b = fixed.sampled(frame, np.eye(3)), moving.sampled(frame, matrix)
    # The squared gradients are compressed: their lengths would be alike; raw edges are what is wanted.
    strength = np.sqrt(_edges(a) * _edges(b)) * (a.mask & b.mask)
    window = max(1.0, TILE_PX * spacing / frame.spacing[0] / 2)
    strength = cv2.GaussianBlur(strength.astype(np.float32), (0, 0), min(window, 24.0))
    rows = max(1, round(np.sqrt(TILES * frame.shape[0] / frame.shape[1])))
    columns = max(1, round(TILES / rows))
    out = []
    for band in np.array_split(np.arange(frame.shape[0]), rows):
        for strip in np.array_split(np.arange(frame.shape[1]), columns):
            if not len(band) or not len(strip):
                continue
            field = strength[np.ix_(band, strip)]
            y, x = np.unravel_index(int(field.argmax()), field.shape)
            out.append((float(field[y, x]), band[y], strip[x]))
    least = 0.1 * max((value for value, _, _ in out), default=0.0)
    index = np.array([(y, x) for value, y, x in out if value > least], float).reshape(-1, 2)
    return np.asarray(index * frame.spacing + frame.origin)


def _edges(picture: Picture) -> FloatArray:
    total = np.zeros(picture.frame.shape)
    for channel in picture.channels:
        total += np.hypot(cv2.Scharr(channel, cv2.CV_32F, 1, 0), cv2.Scharr(channel, cv2.CV_32F, 0, 1))
    return total


@dataclass(frozen=True, eq=False)
class _Fit:
    """An update in fixed world units, the tiles that agree with it, and how well these determine it."""

    update: FloatArray
    agreeing: int
    uncertainty: float


def _fit(shifts: Shifts, spacing: float) -> _Fit:
    """Fit an affine update through tiles."""
    if not len(shifts.z):
        return _Fit(np.eye(3), 0, np.inf)
    update = fit_affine(shifts, width=float(REACH_PX), ends=1.0)
    residual = corners(shifts.centres, update) - shifts.centres - shifts.offsets
    length = np.linalg.norm(residual, axis=1)
    near = length <= NEAR_PX
    # Standard error of a mean of tiles; thrice, since six numbers are fitted and edges are extrapolated.
    scatter = float(np.sqrt((length[near] ** 2).mean())) if near.any() else np.inf
    # No peak is read better than a twentieth of a pixel.
    uncertainty = spacing * max(3 * scatter / np.sqrt(max(int(near.sum()), 1)), 0.05)
    scale = np.diag([spacing, spacing, 1.0])
    return _Fit(scale @ update @ np.linalg.inv(scale), int(near.sum()), float(uncertainty))
