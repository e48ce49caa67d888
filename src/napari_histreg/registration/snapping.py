"""Snapping: the partner of a clicked point, put where the two slides match best."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import NotConverged
from napari_histreg.geometry import FloatArray
from napari_histreg.progress import Progress, silent
from napari_histreg.registration.surroundings import correlate_fields, edge_field, seen_pixel
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform, Translation

__all__ = ["Snap", "snap_point"]

PATCH_PX = 32
"""Half the side of the compared patch; holds dozens of nuclei at the spacings that are used."""
REACH_PX = 16
"""How far the first and coarsest level looks, in its pixels."""
FINER_REACH_PX = 6
"""How far the finer levels look: twice the error of the level before, and a little."""
MOST_LEVELS = 5

LEAST_CORRELATION = 0.2
"""The best of all shifts between unrelated patches of tissue stays below; true partners reach 0.3 to 0.8."""
LEAST_HEIGHT = 4.5
"""How many standard deviations of the map the peak must rise above its mean."""
MOST_RIVAL = 0.85
"""A second peak nearly as high makes the first one a matter of chance."""
LEAST_LEAD = 1.5
"""How many standard deviations of the map the peak must lead the second one by."""
MOST_ASTRAY_PX = 3.0
"""A match must lead back to where it came from, to so many pixels of the level that it was found on."""
MOST_BACK_PX = 48
"""How far the way back looks at most."""
NEIGHBOURS = tuple((y, x) for y in (-0.75, 0.0, 0.75) for x in (-0.75, 0.0, 0.75) if (y, x) != (0.0, 0.0))
"""Where the surroundings are asked too, in halves of the patch's side."""
LEAST_AGREEING = 0.6
"""This share of them must lie as the match says; by chance a tenth would, and tissue bends less."""
MOST_APART_PX = 2.0


@dataclass(frozen=True)
class Snap:
    """Where a point's partner was found.

    Parameters
    ----------
    point : (float, float)
        (y, x) in world units of the other slide.
    correlation : float
        Of the edges' orientations there, -1 to 1; unrelated tissue stays below about 0.1.
    shift : float
        Distance from where the partner was expected, in world units of the slide of the given point.
    """

    point: tuple[float, float]
    correlation: float
    shift: float


def snap_point(
    here: Slide,
    there: Slide,
    here_to_there: Transform,
    point: ArrayLike,
    *,
    near: ArrayLike | None = None,
    reach: float,
    progress: Progress = silent,
) -> Snap:
    """Find the partner of a point by comparing the surroundings in both slides.

    Patches are compared by the orientation of their edges, which neither stain nor contrast reversal
    changes, coarse to fine: the first level looks as far as `reach`, each finer one halves the error.
    A match counts where its peak leads every other, where most of what lies round it agrees, and where the
    way back from it leads to the point.

    Parameters
    ----------
    here, there : Slide
        The slide that holds the point, and the other one.
    here_to_there : Transform
        How they lie, in world units; it supplies turn, scale and mirror.
    point : (2,) array_like
        (y, x) in world units of `here`.
    near : (2,) array_like, optional
        Where to look in `there`; by default where the transform puts the point.
    reach : float
        How far to look, in world units of `here`.
    progress : Progress
        Reports and may cancel.

    Returns
    -------
    Snap

    Raises
    ------
    NotConverged
        The surroundings are flat, lie outside a slide, or no place stands out.
    """
    if not reach > 0:
        raise ValueError(f"The reach must be above 0, not {reach}.")
    at = np.asarray(point, float).reshape(2)
    expected = here_to_there(at[None])[0] if near is None else np.asarray(near, float).reshape(2)
    if not np.isfinite(expected).all():
        raise NotConverged("The point has no counterpart as the slides lie now. Check the pairs.")
    guess, correlation, seen_at = at, 0.0, reach / REACH_PX
    home = here_to_there.then(Translation.of(expected - here_to_there(at[None])[0]))
    finest = max(*here.world_pixel_size, *seen_pixel(there, here_to_there, at))
    for level in range(MOST_LEVELS):
        progress(level / MOST_LEVELS, "comparing the surroundings")
        spacing = max(reach / REACH_PX / 2**level, finest)
        look = REACH_PX if level == 0 else FINER_REACH_PX
        try:
            shift, found = _match(here, there, home, at, guess, spacing, look)
        except NotConverged:
            # What was found on a coarser level stands, only less exactly.
            if level == 0:
                raise
            break
        guess, correlation, seen_at = guess + shift, found, spacing
        if spacing == finest:
            break
    progress(0.9, "asking what lies round it")
    _confirm_neighbours(here, there, home, at, guess, seen_at)
    progress(0.95, "looking whether the way back leads to the point")
    _confirm_way_back(here, there, home, at, guess, seen_at)
    progress(1.0, "found")
    y, x = home(guess[None])[0]
    return Snap((float(y), float(x)), correlation, float(np.hypot(*(guess - at))))


def _match(
    here: Slide,
    there: Slide,
    home: Transform,
    at: FloatArray,
    guess: FloatArray,
    spacing: float,
    look: int,
) -> tuple[FloatArray, float]:
    """Return by how much to shift the guess, in world units of `here`, and the correlation there."""
    side = 2 * PATCH_PX + 1
    patch = edge_field(here, Translation.identity(), at, spacing, side)
    area = edge_field(there, home, guess, spacing, side + 2 * look)
    scores = correlate_fields(patch, area)
    place, peak = _peak(scores)
    return (place - look) * spacing, peak


def _confirm_neighbours(
    here: Slide, there: Slide, home: Transform, at: FloatArray, guess: FloatArray, spacing: float
) -> None:
    """Ask the patches round the point whether they lie as the match says; by chance they do not.

    Raises
    ------
    NotConverged
        Most of them lie elsewhere.
    """
    side, asked, agreeing = 2 * PATCH_PX + 1, 0, 0
    for place in NEIGHBOURS:
        by = np.array(place) * PATCH_PX * spacing
        try:
            patch = edge_field(here, Translation.identity(), at + by, spacing, side)
            area = edge_field(there, home, guess + by, spacing, side + 2 * FINER_REACH_PX)
            scores = correlate_fields(patch, area)
        except NotConverged:
            # Nothing to be seen there says neither yes nor no.
            continue
        found = np.unravel_index(int(scores.argmax()), scores.shape)
        asked += 1
        agreeing += bool(np.hypot(*(np.array(found) - FINER_REACH_PX)) <= MOST_APART_PX)
    if agreeing < LEAST_AGREEING * asked:
        raise NotConverged(
            f"No clear match here: of the places round it, {agreeing} of {asked} agree. Click the "
            "partner by hand."
        )


def _confirm_way_back(
    here: Slide, there: Slide, home: Transform, at: FloatArray, guess: FloatArray, spacing: float
) -> None:
    """Look for the surroundings of the partner round the point; chance leads elsewhere.

    Raises
    ------
    NotConverged
        The way back leads elsewhere, or nowhere.
    """
    away = float(np.hypot(*(guess - at)))
    spacing = max(spacing, away / (MOST_BACK_PX - FINER_REACH_PX))
    look = int(np.ceil(away / spacing)) + FINER_REACH_PX
    side = 2 * PATCH_PX + 1
    # On the grid of `here` as shifted, the surroundings of the partner lie round the guess; those of the
    # point, found there, are as far from the point as the guess is.
    patch = edge_field(there, home, guess, spacing, side)
    area = edge_field(here, Translation.identity(), at, spacing, side + 2 * look)
    place, _ = _peak(correlate_fields(patch, area))
    if float(np.hypot(*(place - look))) > MOST_ASTRAY_PX:
        raise NotConverged(
            "No clear match here: the way back leads to another spot. Click the partner by hand."
        )


def _peak(scores: FloatArray) -> tuple[FloatArray, float]:
    """Return the place of the highest score, to a fraction of a pixel, if it stands out."""
    y, x = np.unravel_index(int(scores.argmax()), scores.shape)
    peak = float(scores[y, x])
    if y in (0, scores.shape[0] - 1) or x in (0, scores.shape[1] - 1):
        raise NotConverged("No clear match here: nothing near is alike. Click the partner by hand.")
    rows, columns = np.ogrid[: scores.shape[0], : scores.shape[1]]
    far = (rows - y) ** 2 + (columns - x) ** 2 > 5**2
    rest = scores[far]
    stands_out = (
        peak >= LEAST_CORRELATION
        and peak - float(np.median(rest)) >= LEAST_HEIGHT * _spread(rest)
        and float(rest.max()) <= MOST_RIVAL * peak
        and peak - float(rest.max()) >= LEAST_LEAD * _spread(rest)
    )
    if not stands_out:
        raise NotConverged(
            f"No clear match here: the best place has a correlation of {peak:.2f}, another {rest.max():.2f}. "
            "Click the partner by hand."
        )
    return np.array([y + _vertex(scores[y - 1 : y + 2, x]), x + _vertex(scores[y, x - 1 : x + 2])]), peak


def _spread(values: FloatArray) -> float:
    """Return the standard deviation as estimated from the median, which a second peak does not disturb."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) + 1e-9


def _vertex(values: FloatArray) -> float:
    """Return the place of the top of the parabola through three values, -0.5 to 0.5."""
    low, middle, high = values
    curve = low - 2 * middle + high
    return float(np.clip(0.5 * (low - high) / curve, -0.5, 0.5)) if curve < 0 else 0.0
