"""Bend a whole slide onto another: from the overview down to about 1 µm, as far as left-out tiles confirm."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.records.bend_tables import EXPECTED_ERROR, TORN
from napari_histreg.registration.automatic.bending.held_out import LEAST_TILES, try_on
from napari_histreg.registration.automatic.bending.pieces import PiecewiseField
from napari_histreg.registration.automatic.bending.places import Ground, tissue_ground
from napari_histreg.registration.automatic.bending.refinement import Refinement, windows
from napari_histreg.registration.automatic.bending.sampled import write_field
from napari_histreg.registration.automatic.bending.tears import Breaks
from napari_histreg.registration.automatic.bending.uncertainty import Uncertainty
from napari_histreg.registration.automatic.tile_refinement import finer_spacings
from napari_histreg.registration.automatic.tiles import Side
from napari_histreg.slides import Slide
from napari_histreg.transforms.displacement import DisplacementField

__all__ = ["WholeSlideBend", "bend_whole_slide", "covered"]

RUN_OUT = 3.0
"""Lengths of the prior beyond the last measurement after which 0.2 % of a displacement is left."""

MAP_PLACES = 200
"""Tissue places of the map of expected errors, about."""


@dataclass(frozen=True, eq=False)
class WholeSlideBend:
    """A bent alignment, or why there is none.

    Parameters
    ----------
    fixed_to_moving : DisplacementField or None
        None where tiles that took no part do not confirm a bend.
    notes : tuple of str
        What happened, in plain words.
    """

    fixed_to_moving: DisplacementField | None
    notes: tuple[str, ...]


def bend_whole_slide(
    sides: tuple[Side, Side],
    fixed_to_moving: FloatArray,
    found: dict[str, Any],
    *,
    progress: Progress = silent,
) -> WholeSlideBend | None:
    """Refine an affine pose to a displacement field, coarse to fine, by tiles of both slides.

    Parameters
    ----------
    sides : (Side, Side)
        Fixed and moving.
    fixed_to_moving : (3, 3) ndarray
        The pose found on the overviews, affine in world units.
    found : dict
        Takes what each level found and how good the result is, for the record.
    progress : Progress, optional
        Told after every few tiles; may raise `Cancelled`.

    Returns
    -------
    WholeSlideBend or None
        None where no level of the slides is finer than their overviews, or too few tiles agree to tell.
    """
    finer = finer_spacings(sides, fixed_to_moving)
    ground = tissue_ground(sides, fixed_to_moving)
    if not finer or ground is None:
        return None
    state = Refinement(sides, np.asarray(fixed_to_moving, float), ground, found)
    state.run(windows(ground.extent, finer[-1]), progress=portion(progress, 0.0, 0.95))
    uncertainty = state.uncertainty
    if state.field is None or uncertainty is None:
        return None
    trial = try_on(state.held, state.field)
    if trial.tiles < LEAST_TILES:
        return None
    unit = sides[0].slide.unit.replace("um", "µm")
    found.update({"finest spacing": round(state.finest, 4), "tiles in the field": len(state.kept)})
    found["tiles that took no part"] = f"{trial.near} of {trial.tiles} near"
    found.update(bent=round(trial.bent, 4), affine=round(trial.affine, 4))
    if not trial.is_confirmed:
        return _unbent(
            f"At {trial.tiles} tiles that took no part bending leaves {trial.bent:.2g} {unit} where the best "
            f"affine map leaves {trial.affine:.2g} {unit}"
        )
    progress(0.95, "writing the field down")
    origin, size = covered(sides[0].slide, ground, state.field)
    written = write_field(state.field, state.base, origin, size)
    if written is None:
        return _unbent("Every bend would fold the tissue")
    found.update(_described(written.source, Uncertainty(written.source, state.finest), ground))
    found["min_jacobian"] = round(written.min_jacobian, 4)
    found["field samples"] = list(written.field.values.shape[:2])
    found["distance of field samples"] = round(float(max(written.field.spacing)), 4)
    note = (
        f"The tissue is bent: {trial.tiles} tiles that took no part in the field lie {trial.bent:.2g} {unit} "
        f"from where it puts them (median); the best affine map leaves {trial.affine:.2g} {unit}."
    )
    notes = (note, *_torn(state.breaks, unit, found))
    return WholeSlideBend(written.field, notes)


def covered(slide: Slide, ground: Ground, field: PiecewiseField) -> tuple[FloatArray, FloatArray]:
    """Return corner and size of the part of a slide over which a field is written, (2,) each, world units.

    Where both slides show tissue, and round it as far as the field takes to run out; of a whole slide that is
    bent onto a small field most is left out, and what is left is sampled finely.
    """
    margin = RUN_OUT * max(piece.prior.length for piece in field.pieces)
    first = np.array(slide.origin(0))
    last = first + (np.array(slide.shape) - 1) * np.array(slide.spacing(0))
    seen = ground.origin + (np.array(ground.structure.shape) - 1) * ground.spacing
    low, high = np.clip([ground.origin - margin, seen + margin], first, last)
    return low, high - low


def _unbent(why: str) -> WholeSlideBend:
    return WholeSlideBend(None, (f"{why}: the affine alignment stays.",))


def _torn(breaks: Breaks | None, unit: str, found: dict[str, Any]) -> tuple[str, ...]:
    """Say where tissue is torn or folded, for the record and in a sentence."""
    if breaks is None or not len(breaks.middles):
        return ()
    found[TORN] = np.c_[breaks.middles.round(1), breaks.gaps.round(1)].tolist()
    low, high = breaks.middles.min(0), breaks.middles.max(0)
    gap = float(np.median(np.abs(breaks.gaps)))
    aligned = f" Its {breaks.count} pieces were aligned each for itself." if breaks.count > 1 else ""
    return (
        f"The tissue is torn or folded between y, x = {low[0]:.0f}, {low[1]:.0f} and {high[0]:.0f}, "
        f"{high[1]:.0f} {unit}: neighbouring tiles lie about {gap:.0f} {unit} apart or over one another "
        f"there.{aligned} Do not trust the alignment along that line.",
    )


def _described(field: PiecewiseField, uncertainty: Uncertainty, ground: Ground) -> dict[str, Any]:
    """Return how stiff the field is and how far it may be off on tissue."""
    pitch = float(np.sqrt(ground.area / MAP_PLACES))
    places = ground.places(pitch, pitch)
    bounds = uncertainty.bound(places)
    table = np.c_[places.round(1), bounds.round(3)]
    return {
        "stiffness": round(field.prior.length, 2),
        "amplitude": round(field.prior.amplitude, 4),
        "expected error (90 %), median": round(float(np.median(bounds)), 4) if len(bounds) else None,
        "expected error (90 %), worst tissue": round(float(bounds.max()), 4) if len(bounds) else None,
        EXPECTED_ERROR: table.tolist(),
    }
