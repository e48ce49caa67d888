"""Landmarks as Points layers: one for each slide, the names of the pairs as stable ids."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.layers.bend import bend_of
from napari_histreg.plugin.layers.slides import SLIDE, LayerData
from napari_histreg.slides import Slide

if TYPE_CHECKING:
    from napari.layers import Points

__all__ = [
    "SIDE",
    "Side",
    "landmark_layers",
    "landmarks_from_layers",
    "pixel_size_of",
    "points_of",
    "to_data",
    "to_world",
]

Side = Literal["fixed", "moving"]

SIDE = "histreg_side"
"""Key in a Points layer's metadata: which side's landmarks it holds."""
COLOURS = {"fixed": "#ffb000", "moving": "#00c8ff"}
SYMBOLS = {"fixed": "disc", "moving": "cross"}


def to_data(points: ArrayLike, slide: Slide | None) -> FloatArray:
    """Map (N, 2) points in a slide's world units to a layer's data: level-0 pixels."""
    return np.asarray(np.asarray(points, float).reshape(-1, 2) / _pixel_size(slide))


def pixel_size_of(layer: "Points") -> tuple[float, float]:
    """Return the size of a level-0 pixel (y, x) of the slide that points lie on; 1 where unknown."""
    return _pixel_size(layer.metadata.get(SLIDE))


def points_of(layer: "Points") -> tuple[NDArray[np.str_], FloatArray]:
    """Return the names and the (N, 2) world coordinates of the points of a landmark layer."""
    names = np.array([str(name) for name in layer.features["name"]], dtype=np.str_)
    return names, to_world(layer)


def to_world(layer: "Points") -> FloatArray:
    """Return the (N, 2) points of a layer in the world units of its slide, also where that is bent."""
    data, bend = np.asarray(layer.data, float)[:, -2:].reshape(-1, 2), bend_of(layer)
    if bend is None:
        return np.asarray(data * pixel_size_of(layer))
    return np.asarray(bend.fixed_to_moving(data * _pixel_size(bend.fixed)))


def landmark_layers(landmarks: Landmarks, fixed: Slide | None, moving: Slide | None) -> list[LayerData]:
    """Turn landmarks into two Points layers, in level-0 pixels of their slides.

    Parameters
    ----------
    landmarks : Landmarks
        Points that are not placed are left out of their layer.
    fixed, moving : Slide or None
        Where they lie; None where no slide is open.

    Returns
    -------
    list of (data, options, "points")
        Fixed, then moving. Features: ``name`` (the pair's stable id), ``enabled``, ``confidence``.
    """
    return [landmark_layer(landmarks, slide, side) for slide, side in ((fixed, "fixed"), (moving, "moving"))]


def landmark_layer(landmarks: Landmarks, slide: Slide | None, side: str) -> LayerData:
    """Turn one side of landmarks into a Points layer; see `landmark_layers`."""
    world = landmarks.fixed if side == "fixed" else landmarks.moving
    placed = np.isfinite(world).all(1)
    unit = "um" if slide is not None and slide.unit == "um" else "pixel"
    confidence = np.full(len(landmarks), np.nan) if landmarks.confidence is None else landmarks.confidence
    options: dict[str, Any] = {
        "name": f"{side} landmarks",
        "scale": _pixel_size(slide),
        "units": (unit, unit),
        "axis_labels": ("y", "x"),
        "ndim": 2,
        "features": {
            "name": np.array(landmarks.names, dtype=object)[placed],
            "enabled": landmarks.enabled[placed],
            "confidence": confidence[placed],
        },
        "text": {"string": "{name}", "size": 10, "color": COLOURS[side], "anchor": "upper_left"},
        "symbol": SYMBOLS[side],
        "face_color": COLOURS[side],
        "border_color": "white",
        "size": 12,
        # A point that covers 12 canvas pixels does so at every zoom.
        "canvas_size_limits": (12, 12),
        "metadata": {SLIDE: slide, SIDE: side},
    }
    return to_data(world[placed], slide), options, "points"


def landmarks_from_layers(fixed: "Points", moving: "Points") -> Landmarks:
    """Pair two Points layers by the names of their points.

    Points layers that were not made by `landmark_layers` (without names) are paired by their order.

    Parameters
    ----------
    fixed, moving : napari Points layer

    Returns
    -------
    Landmarks
        In world units. Pairs with one point only have NaN for the other.

    Raises
    ------
    ValueError
        Two points of a layer have the same name.
    """
    sides = [_named_points(layer) for layer in (fixed, moving)]
    names = list(dict.fromkeys([*sides[0], *sides[1]]))
    gap = np.full(2, np.nan)
    tables = [np.array([side.get(name, gap) for name in names]).reshape(-1, 2) for side in sides]
    enabled = [_flag(fixed, name) and _flag(moving, name) for name in names]
    return Landmarks.of(tables[0], tables[1], names, enabled=np.array(enabled, bool))


def _named_points(layer: "Points") -> dict[str, FloatArray]:
    world = to_world(layer)
    named = "name" in layer.features
    names = (
        [str(name) for name in layer.features["name"]] if named else [str(k + 1) for k in range(len(world))]
    )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"Two points of {layer.name} are called {twice!r}; give each its own name.")
    return dict(zip(names, world, strict=True))


def _pixel_size(slide: Slide | None) -> tuple[float, float]:
    return (1.0, 1.0) if slide is None else slide.world_pixel_size


def _flag(layer: "Points", name: str) -> bool:
    if "enabled" not in layer.features or "name" not in layer.features:
        return True
    flags = layer.features["enabled"][layer.features["name"].astype(str) == name]
    return bool(flags.all())
