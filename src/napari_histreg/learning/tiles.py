"""Tiles of prepared pairs: drawn, turned, bent and changed in contrast."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_histreg.learning.deformations import Field, inverse_of, random_deformation, shown
from napari_histreg.learning.training_set import Plane, TrainingSet

__all__ = ["Tile", "draw_tile", "padded"]

LEAST_TISSUE = 0.25
TRIES = 8


@dataclass(frozen=True, eq=False)
class Tile:
    """A pair of small planes, and the displacement that was added.

    Parameters
    ----------
    fixed, moving, weight : (Y, X) ndarray of float32
        The moving one shows at p + u(p) what it showed at p before.
    field : (Y, X, 2) ndarray of float32
        u, (y, x) in pixels.
    """

    fixed: Plane
    moving: Plane
    weight: Plane
    field: Field


def draw_tile(
    examples: TrainingSet, index: int, side: int, largest_px: float, own: float, rng: np.random.Generator
) -> Tile:
    """Draw a tile of a pair with a random displacement.

    Parameters
    ----------
    examples : TrainingSet
    index : int
        Of the pair.
    side : int
        In pixels; what is smaller is carried on at its border.
    largest_px : float
        Of the displacement.
    own : float
        How often both planes come from one slide.
    rng : numpy.random.Generator
        Equal states give equal tiles.
    """
    planes = [padded(p, side, side) for p in examples.planes(index)]
    margin = int(np.ceil(largest_px)) + 1
    for _ in range(TRIES):
        y, x = (int(rng.integers(0, n - side + 1)) for n in planes[0].shape)
        if planes[2][y : y + side, x : x + side].mean() >= LEAST_TISSUE:
            break
    around = [cv2.copyMakeBorder(p, *(margin,) * 4, cv2.BORDER_REPLICATE) for p in planes]
    wide = side + 2 * margin
    fixed, moving, weight = (p[y : y + wide, x : x + wide] for p in around)
    if rng.random() < own:
        one = fixed if rng.random() < 0.5 else moving
        fixed = moving = one
    turns, flips = int(rng.integers(4)), bool(rng.random() < 0.5)
    fixed, moving, weight = (_turned(p, turns, flips) for p in (fixed, moving, weight))
    field = random_deformation((wide, wide), largest_px, rng)
    moving = shown(moving, inverse_of(field))
    inner = slice(margin, margin + side)
    fixed, moving, weight = (np.ascontiguousarray(p[inner, inner]) for p in (fixed, moving, weight))
    inside = np.ascontiguousarray(field[inner, inner])
    return Tile(_changed(fixed, rng), _changed(moving, rng), weight, inside)


def padded(plane: Plane, height: int, width: int) -> Plane:
    """Return a plane carried on to a least height and width."""
    down, right = max(0, height - plane.shape[0]), max(0, width - plane.shape[1])
    if not down and not right:
        return plane
    return np.asarray(cv2.copyMakeBorder(plane, 0, down, 0, right, cv2.BORDER_REPLICATE))


def _turned(plane: Plane, turns: int, flips: bool) -> Plane:
    turned = np.rot90(plane, turns)
    return np.ascontiguousarray(turned[:, ::-1] if flips else turned)


def _changed(plane: Plane, rng: np.random.Generator) -> NDArray[np.float32]:
    """Change contrast, sharpness and noise, as another staining or camera would."""
    gain, gamma, blur, noise = (
        rng.uniform(0.7, 1.4),
        rng.uniform(0.7, 1.4),
        rng.uniform(0, 1),
        rng.uniform(0, 0.15),
    )
    changed = np.sign(plane) * np.abs(plane) ** np.float32(gamma) * np.float32(gain)
    if blur > 0.5:
        changed = cv2.GaussianBlur(changed, (0, 0), float(blur))
    # Where nothing is seen there is no noise either.
    changed = changed + (plane != 0) * rng.normal(0, noise, plane.shape)
    return np.asarray(changed, np.float32)
