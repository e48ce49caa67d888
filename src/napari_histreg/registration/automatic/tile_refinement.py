"""Sharpen: tiles at finer levels of the pyramids, where the overview is coarser than the accuracy asked for.

A fixed number of small tiles is read at each level, however large the slides are.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.affine_refinement import FINE, MOST_CHANGE, fit_affine, is_plausible
from napari_histreg.matching.block_correlation import Shifts
from napari_histreg.matching.picture import Picture, corners, overlap_frame
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.registration.automatic.tiles import Side, Window, measure_tiles

__all__ = ["finer_spacings", "sharpen"]

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
CLEAR_Z = 5.5
"""A tile that stands out so far shows the same cells in both slides, wherever it finds them."""

LEAST_CLEAR = 0.4
LEAST_SHARE = 0.25
"""Tiles that must agree; chance gives 0.04 of them. On neighbouring sections cells differ and fewer do."""


def sharpen(
    sides: tuple[Side, Side],
    fixed_to_moving: FloatArray,
    found: dict[str, Any],
    *,
    progress: Progress = silent,
) -> FloatArray:
    """Refine an affine pose with tiles at finer levels, as far as they agree.

    Parameters
    ----------
    sides : (Side, Side)
        Fixed and moving.
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
    matrix = np.array(fixed_to_moving, float)
    spacings = finer_spacings(sides, matrix)
    found["spacings"] = [round(s, 4) for s in spacings]
    for k, spacing in enumerate(spacings):
        part = portion(progress, k / len(spacings), (k + 1) / len(spacings))
        places = _places(sides, matrix, spacing)
        window = Window(spacing, TILE_PX, REACH_PX)
        shifts, _ = measure_tiles(sides, [matrix] * len(places), places, window, progress=part)
        fit = _fit(shifts, spacing)
        found[f"tiles agreeing at {spacing:.3g}"] = f"{fit.agreeing} of {len(shifts.z)}"
        if fit.agreeing < max(LEAST_AGREEING, LEAST_SHARE * len(shifts.z)) or not is_plausible(
            fit.update, scale=MOST_CHANGE
        ):
            found["notes"] = (_why_not(shifts, fit.update, spacing, sides[0].slide.unit),)
            break
        matrix = matrix @ fit.update
        found["uncertainty"] = round(fit.uncertainty, 4)
        if fit.uncertainty < ENOUGH * spacings[-1]:
            break
    return matrix


def _why_not(shifts: Shifts, update: FloatArray, spacing: float, unit: str) -> str:
    """Say why no affine map brings tiles together: bent tissue, or other cells."""
    clear = shifts.z >= CLEAR_Z
    if clear.sum() < max(LEAST_AGREEING, LEAST_CLEAR * len(shifts.z)):
        return f"At {spacing:.3g} per pixel the slides do not show the same cells: coarser levels decide."
    miss = corners(shifts.centres, update) - shifts.centres - shifts.offsets
    left = spacing * float(np.median(np.linalg.norm(miss[clear], axis=1)))
    return (
        f"The tissue is bent: an affine map leaves {left:.2g} {unit.replace('um', 'µm')} at most places. "
        "Bending (nonrigid=true) brings the cells together."
    )


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
