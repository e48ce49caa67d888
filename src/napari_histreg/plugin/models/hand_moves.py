"""Placing the moving slide by hand: flips, quarter turns, shifts and free turns as one sees them."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.slides import Slide
from napari_histreg.transforms import Affine, Similarity, Transform

__all__ = ["TURNS", "dragged", "turned"]

TURNS: Mapping[str, tuple[bool, float]] = MappingProxyType(
    {
        "flip left-right": (True, 0.0),
        "flip up-down": (True, 180.0),
        "turn left": (False, 90.0),
        "turn right": (False, -90.0),
    }
)
"""What the buttons do to the moving slide on screen: whether left and right are exchanged, and the turn in
degrees after that, counter-clockwise."""


def turned(fixed_to_moving: Transform, moving: Slide, turn: str) -> Transform:
    """Flip or turn the moving slide about its own centre, as seen on the fixed slide.

    Parameters
    ----------
    fixed_to_moving : Transform
        Where it lies now.
    moving : Slide
        The moving slide.
    turn : str
        One of `TURNS`.

    Returns
    -------
    Transform
        Fixed to moving, after the turn.
    """
    mirrored, angle_deg = TURNS[turn]
    seen = fixed_to_moving.inverse()(_centre(moving))[0]
    on_screen = Similarity.of(mirrored=mirrored, angle_deg=angle_deg, centre=seen)
    return on_screen.inverse().then(fixed_to_moving)


def dragged(
    fixed_to_moving: Transform,
    start: ArrayLike,
    stop: ArrayLike,
    *,
    about: ArrayLike | None = None,
) -> Transform:
    """Shift or turn the moving slide so that what lay under `start` comes to lie under `stop`.

    Parameters
    ----------
    fixed_to_moving : Transform
        Where it lay when the drag began.
    start, stop : (2,) array_like
        Points (y, x) of the fixed slide's world.
    about : (2,) array_like, optional
        The point that stays where it is, to turn about it; by default the slide is shifted.

    Returns
    -------
    Transform
        Fixed to moving, after the drag.
    """
    here, there = np.asarray(start, float), np.asarray(stop, float)
    if about is None:
        on_screen: Affine = Similarity.of(translation=there - here)
    else:
        centre = np.asarray(about, float)
        (ay, ax), (by, bx) = here - centre, there - centre
        # y points down, so that counter-clockwise on screen is a falling angle.
        angle = np.degrees(np.arctan2(ay, ax) - np.arctan2(by, bx))
        on_screen = Similarity.of(angle_deg=float(angle), centre=centre)
    return on_screen.inverse().then(fixed_to_moving)


def centre_seen(fixed_to_moving: Transform, moving: Slide) -> tuple[float, float]:
    """Return where the centre of the moving slide lies in the fixed slide's world, (y, x)."""
    y, x = fixed_to_moving.inverse()(_centre(moving))[0]
    return float(y), float(x)


def _centre(slide: Slide) -> np.ndarray:
    (height, width), (py, px) = slide.shape, slide.world_pixel_size
    return np.array([[(height - 1) / 2 * py, (width - 1) / 2 * px]])
