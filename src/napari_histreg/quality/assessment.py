"""All numbers and pictures of one alignment, gathered for a report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_histreg.errors import LandmarkError
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks import Landmarks
from napari_histreg.preprocess.planes import working_spacing
from napari_histreg.preprocess.signal import Signal, extract_signals
from napari_histreg.preprocess.tissue import tissue_mask
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.quality.block_comparison import Representation
from napari_histreg.quality.charts import as_picture, residual_plot
from napari_histreg.quality.deformation import Deformation, measure_deformation
from napari_histreg.quality.drawing import Picture, caption, scale_bar
from napari_histreg.quality.independent import IndependentCheck, check_alignment
from napari_histreg.quality.overlap import dice, iou
from napari_histreg.quality.pictures import checkerboard, in_colours, overlay, zoom
from napari_histreg.quality.similarity import similarity_before_after
from napari_histreg.quality.target_error import TargetError, left_out_error, target_error
from napari_histreg.quality.tissue_maps import bend_map, deformed_grid, error_map, heat_map, quiver
from napari_histreg.quality.views import centred, matching_spacing
from napari_histreg.raster import Raster
from napari_histreg.records.bend_tables import expected_error, torn_places
from napari_histreg.records.record import Registration
from napari_histreg.slides.slide import Slide
from napari_histreg.transforms import MatrixTransform, Transform, resample
from napari_histreg.units import length_words

__all__ = ["Assessment", "assess"]

PICTURE_PX = 760
NUMBERS_PX = 512
COMPARES_DIRECTIONS = ("auto",)
"""Methods that align by directions of edges, and so are judged by contrast."""
FITS_LANDMARKS = ("landmarks",)
"""Methods that are made from the landmarks of the record, and so are judged with each left out in turn."""


@dataclass(frozen=True, eq=False)
class Assessment:
    """Numbers and pictures of one alignment.

    Parameters
    ----------
    check : IndependentCheck or None
        The shift left in each block; None where there is no transform.
    target : TargetError or None
        Error on landmarks that were not used, where some were given.
    left_out : TargetError or None
        Where the transform was made from landmarks: how far each lies from where the others put it.
    similarity : mapping
        Likeness before and after, in the common tissue and over everything.
    overlap : mapping
        Dice and IoU of the tissue masks, before and after.
    deformation : Deformation or None
        What the transform does.
    pictures : mapping of str to (Y, X, 3) ndarray of uint8
        By name.
    """

    check: IndependentCheck | None = None
    target: TargetError | None = None
    left_out: TargetError | None = None
    similarity: Mapping[str, Any] = field(default_factory=dict)
    overlap: Mapping[str, Any] = field(default_factory=dict)
    deformation: Deformation | None = None
    pictures: Mapping[str, Picture] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON values."""
        return {
            "independent_check": None if self.check is None else self.check.to_dict(),
            "target_error": None if self.target is None else self.target.to_dict(),
            "left_out_error": None if self.left_out is None else self.left_out.to_dict(),
            "similarity": self.similarity,
            "overlap": self.overlap,
            "deformation": None if self.deformation is None else self.deformation.to_dict(),
        }


def assess(
    fixed: Slide,
    moving: Slide,
    registration: Registration,
    *,
    landmarks: Landmarks | None = None,
    representation: Representation | None = None,
    progress: Progress = silent,
) -> Assessment:
    """Measure and picture an alignment.

    Parameters
    ----------
    fixed, moving : Slide
        The two slides.
    registration : Registration
        The alignment.
    landmarks : Landmarks, optional
        Pairs that the alignment was not made from, in world units.
    representation : {"directions", "contrast"}, optional
        What the independent check compares; by default what the method did not.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    Assessment
        Empty but for the unaligned pictures where there is no transform.

    Raises
    ------
    LandmarkError
        The landmarks are those that the alignment was made from.
    """
    if (
        landmarks is not None
        and registration.landmarks is not None
        and registration.landmarks.holds(landmarks)
    ):
        raise LandmarkError(
            "The alignment was made from these landmarks, so they cannot judge it. Pass others, or none: "
            "what leaving each out tells is in the report anyway."
        )
    if not registration.has_transform:
        return Assessment(pictures=_unaligned(fixed, moving))
    transform = registration.fixed_to_moving
    kind = representation or ("contrast" if registration.method in COMPARES_DIRECTIONS else "directions")
    check = check_alignment(
        fixed, moving, transform, representation=kind, progress=portion(progress, 0.0, 0.4)
    )
    progress(0.4, "measuring likeness")
    similarity, overlap, signals = _likeness(fixed, moving, transform)
    deformation = measure_deformation(transform, fixed.size)
    target = None
    if landmarks is not None and len(landmarks.active()):
        target = target_error(
            landmarks,
            transform,
            shape=fixed.shape,
            pixel_size_um=fixed.pixel_size_um,
            initial=centred(fixed, moving),
        )
    left_out = None
    if registration.method in FITS_LANDMARKS and registration.landmarks is not None:
        left_out = left_out_error(
            registration.landmarks,
            registration.parameters.get("model", "auto"),
            shape=fixed.shape,
            pixel_size_um=fixed.pixel_size_um,
        )
    progress(0.6, "drawing pictures")
    pictures = {**signals, **_placed(fixed, moving, registration, check)}
    progress(0.8, "drawing details")
    pictures |= _zooms(fixed, moving, transform, check)
    if not isinstance(transform, MatrixTransform):
        pictures["grid"] = as_picture(deformed_grid(transform, fixed.size, fixed.unit))
        low, high = (float(v) for v in np.nanpercentile(deformation.jacobian, [1, 99]))
        away = max(1 - low, high - 1, 0.05)
        area = heat_map(
            deformation.jacobian,
            low=1 - away,
            high=1 + away,
            size=fixed.size,
            unit=fixed.unit,
            label="local change of area",
            colours="PuOr",
            width_px=480,
        )
        pictures["jacobian"] = as_picture(area)
    for name, found in (("residuals", target), ("residuals_left_out", left_out)):
        if found is not None:
            errors = found.errors_px if found.errors_um is None else found.errors_um
            pictures[name] = as_picture(residual_plot(errors, found.names, fixed.unit))
    progress(1.0, "assessed")
    return Assessment(check, target, left_out, similarity, overlap, deformation, pictures)


def _unaligned(fixed: Slide, moving: Slide) -> dict[str, Picture]:
    one, other = in_colours(fixed, moving, centred(fixed, moving), PICTURE_PX)
    return {"fixed": one.picture, "moving": other.picture}


def _likeness(
    fixed: Slide, moving: Slide, transform: Transform
) -> tuple[Mapping[str, Any], Mapping[str, Any], dict[str, Picture]]:
    """Compare both slides' nuclear signals as the files come and as aligned."""
    wanted: tuple[Signal, ...] = ("nuclear", "density")
    ours = extract_signals(fixed, working_spacing(fixed, NUMBERS_PX), wanted)
    frame = ours["nuclear"]
    mask = _tissue(ours["density"])
    seen: dict[str, Raster] = {}
    overlap: dict[str, Any] = {}
    common = mask
    for time, view in (("before", centred(fixed, moving)), ("after", transform)):
        theirs = extract_signals(moving, matching_spacing(moving, view, frame.frame, 4 * NUMBERS_PX), wanted)
        seen[time] = resample(theirs["nuclear"], view, frame)
        other = _tissue(resample(theirs["density"], view, frame))
        overlap[time] = {"dice": _number(dice(mask, other)), "iou": _number(iou(mask, other))}
        common = mask & other & seen[time].mask
    similarity = similarity_before_after(
        frame.pixels, seen["before"].pixels, seen["after"].pixels, tissue=common
    )
    pictures = {
        f"overlay_{time}": caption(
            scale_bar(overlay(frame, raster), frame.spacing[0], fixed.unit),
            f"{time.capitalize()}: fixed magenta, moving green, both white",
        )
        for time, raster in seen.items()
    }
    return _plain(similarity), overlap, pictures


def _tissue(density: Raster) -> np.ndarray:
    # Density is bright on dark in both modalities, as fluorescence is.
    return tissue_mask(density.pixels[None], density.mask, modality="fluorescence") & density.mask


def _placed(
    fixed: Slide, moving: Slide, registration: Registration, check: IndependentCheck
) -> dict[str, Picture]:
    one, other = in_colours(fixed, moving, registration.fixed_to_moving, PICTURE_PX)
    frame = one.planes[0]
    pictures = {
        "fixed": scale_bar(one.picture, frame.spacing[0], fixed.unit),
        "moving": other.picture,
        "checkerboard": scale_bar(checkerboard(one.picture, other.picture), frame.spacing[0], fixed.unit),
        "error_map": as_picture(error_map(check, one.picture, frame)),
        "quiver": as_picture(quiver(check, one.picture, frame)),
    }
    bounds = expected_error(registration)
    if len(bounds):
        drawn = bend_map(bounds, torn_places(registration), one.picture, frame, fixed.unit)
        pictures["bend_map"] = as_picture(drawn)
    return pictures


def _zooms(fixed: Slide, moving: Slide, transform: Transform, check: IndependentCheck) -> dict[str, Picture]:
    """Show the blocks with the smallest, the middle and the largest shift."""
    where = np.argwhere(check.judged)
    if len(where) == 0:
        return {}
    order = where[np.argsort(check.distances[check.judged])]
    chosen = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
    width = max(0.5 * check.block, 40 * max(fixed.world_pixel_size))
    pictures = {}
    for name, (r, c) in chosen.items():
        centre: FloatArray = check.centres[r, c]
        off = length_words(float(check.distances[r, c]), check.unit)
        words = f"{name.capitalize()} block: {off} off. Fixed, moving, overlay"
        pictures[f"zoom_{name}"] = caption(zoom(fixed, moving, transform, centre, width), words)
    return pictures


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _plain(values: Any) -> Any:
    """Replace numbers that JSON does not know."""
    if isinstance(values, Mapping):
        return {name: _plain(value) for name, value in values.items()}
    return _number(values) if isinstance(values, float) else values
