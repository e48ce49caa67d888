"""Where a partner is to be expected, and where one more pair would teach most."""

import numpy as np

from napari_histreg.errors import TransformError
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks import Prediction, where_next
from napari_histreg.plugin.models.session import Session
from napari_histreg.plugin.models.session_state import SessionState, Side
from napari_histreg.preprocess import read_planes, tissue_mask, working_spacing
from napari_histreg.slides import Slide

__all__ = ["expected_partner", "next_spot", "tissue_points"]

OVERVIEW_PX = 512
"""Size of the picture in which tissue is looked for."""
CANDIDATES = 2000
"""Spots to choose from; more make no visible difference."""


def expected_partner(state: SessionState) -> tuple[Side, tuple[float, float]] | None:
    """Return the side that waits for its point, and where the present transform expects it.

    Parameters
    ----------
    state : SessionState

    Returns
    -------
    (side, (float, float)) or None
        The point (y, x) in that slide's world units; None where no pair waits, or nothing can be said.
    """
    if state.waiting is None:
        return None
    pair_id, side = state.waiting
    index = state.index(pair_id)
    try:
        if side == "moving":
            point = state.fixed_to_moving(state.landmarks.fixed[index][None])[0]
        else:
            point = state.fixed_to_moving.inverse()(state.landmarks.moving[index][None])[0]
    except TransformError:
        return None
    return (side, (float(point[0]), float(point[1]))) if np.isfinite(point).all() else None


def tissue_points(slide: Slide) -> FloatArray:
    """Return points spread evenly over the tissue of a slide; over all of it where no tissue is found.

    Parameters
    ----------
    slide : Slide
        Its overview is read.

    Returns
    -------
    (M, 2) ndarray of float64
        (y, x) in world units; M >= 1.
    """
    planes = read_planes(slide, working_spacing(slide, OVERVIEW_PX))
    found = tissue_mask(planes.pixels, is_rgb=slide.is_rgb)
    if not found.any():
        found = np.ones_like(found)
    places = np.argwhere(found)
    places = places[:: max(1, len(places) // CANDIDATES)]
    return planes.frame.to_world(places)


def next_spot(session: Session, candidates: FloatArray) -> Prediction:
    """Return the spot of the fixed slide where the fit is least certain.

    Parameters
    ----------
    session : Session
        With a fit of at least two pairs.
    candidates : (M, 2) ndarray
        Points of the fixed slide; those that the moving slide does not show are passed over.

    Returns
    -------
    Prediction

    Raises
    ------
    ValueError
        There is no fit, or the slides do not overlap.
    """
    fit, moving = session.state.fit, session.moving
    if fit is None or moving is None:
        raise ValueError("Place two pairs first.")
    partners = session.fixed_to_moving(candidates)
    inside = ((partners > 0) & (partners < moving.slide.size)).all(axis=1)
    if not inside.any():
        raise ValueError("The slides do not overlap as they lie now. Check the pairs.")
    return where_next(fit, candidates[inside])
