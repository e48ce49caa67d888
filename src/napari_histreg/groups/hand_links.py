"""Links that a person makes: points clicked on two slides of a group."""

from collections.abc import Mapping, Sequence

import numpy as np

from napari_histreg.groups.group import Link
from napari_histreg.landmarks import Landmarks, fit_landmarks
from napari_histreg.records.record import Outcome

__all__ = ["FEWEST_PAIRS", "hand_links"]

FEWEST_PAIRS = 3
"""So few pairs tell turn, scale and mirror; with fewer a link would say less than it seems to."""


def hand_links(
    landmarks: Mapping[tuple[int, int], Landmarks], names: Sequence[str], places: Sequence[int] | None = None
) -> list[Link]:
    """Turn a person's point pairs into links that nothing contradicts.

    Parameters
    ----------
    landmarks : mapping of (int, int) to Landmarks
        By the two slides, fixed and moving. The same two slides the other way round are the same link.
    names : sequence of str
        Of the slides, for errors.
    places : sequence of int, optional
        Which slide stands at each place of the group; as they come by default.

    Returns
    -------
    list of Link
        One for each two slides, the one that comes first in the group being the fixed one.

    Raises
    ------
    ValueError
        There is no such slide, both are the same one, or there are fewer than three pairs.

    Examples
    --------
    >>> points = [[0, 0], [0, 9], [9, 0]]
    >>> (link,) = hand_links({(1, 0): Landmarks.of(points, points)}, ["he", "ihc"])
    >>> link.ends, link.by_hand, link.verdict
    ((0, 1), True, 'accepted')
    """
    order = list(range(len(names)) if places is None else places)
    gathered: dict[tuple[int, int], Landmarks] = {}
    for (first, second), pairs in landmarks.items():
        for k in (first, second):
            if not 0 <= k < len(names):
                raise ValueError(f"There are landmarks for slide {k}, and there are {len(names)} slides.")
        if first == second:
            raise ValueError(f"Landmarks join two slides, and both are {names[first]}.")
        usable, ends = pairs.active(), (order.index(first), order.index(second))
        if ends[0] > ends[1]:
            usable, ends = usable.swapped(), ends[::-1]
        gathered[ends] = _joined(gathered[ends], usable) if ends in gathered else usable
    return [_link(ends, pairs, [names[order[k]] for k in ends]) for ends, pairs in gathered.items()]


def _link(ends: tuple[int, int], pairs: Landmarks, names: Sequence[str]) -> Link:
    if len(pairs) < FEWEST_PAIRS:
        raise ValueError(
            f"{' and '.join(names)} have {len(pairs)} pairs of landmarks that count. It takes {FEWEST_PAIRS} "
            "to say how one slide lies on another: add some, or leave these out."
        )
    found = fit_landmarks(pairs, "auto").fixed_to_moving
    said = f"Made from {len(pairs)} landmarks that a person placed."
    return Link(*ends, Outcome(found, "accepted", 1.0, (said,), pairs), by_hand=True)


def _joined(one: Landmarks, other: Landmarks) -> Landmarks:
    """Put pairs of the same two slides together, named by their number."""
    return Landmarks.of(np.concatenate([one.fixed, other.fixed]), np.concatenate([one.moving, other.moving]))
