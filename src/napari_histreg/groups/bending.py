"""Bend the slides of a group: each by the weighted evidence of all pairs that bent, so that errors do not add
up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, grid_points
from napari_histreg.groups.group import Link, Member
from napari_histreg.transforms import DisplacementField, MatrixTransform

__all__ = ["Bend", "bend_members"]

SAMPLES = 40
"""Of the displacement along the template's longest side."""

ROUNDS = 4
HOLD = 0.05
"""How strongly a displacement is held to none, against a link that counts fully. In a group it only decides
where no pair says anything."""

HOLD_ORDERED = 0.3
"""The same for sections: their shape may change along the stack, and what neighbours do not share is
distortion."""

FADE = 0.08
"""Over which share of a slide what it says fades out at its edges."""

LITTLE = 0.1
"""Where all pairs of a slide together say less than this, its displacement is that of the nearest place."""

LEAST_JACOBIAN = 0.2
GENTLER = (1.0, 0.7, 0.5, 0.3)
"""Shares of a bend that are tried, until it does not fold the tissue."""


@dataclass(frozen=True)
class Bend:
    """What bending did.

    Parameters
    ----------
    pairs : int
        Pairs that bent by themselves.
    before, after : float
        How far their bends are from what the group has of them, root mean square, in units of the frame:
        without any bend, and with the group's.
    notes : tuple of str
        Slides that would have folded.
    """

    pairs: int
    before: float
    after: float
    notes: tuple[str, ...] = ()


def bend_members(
    members: Sequence[Member], links: Sequence[Link], template: int, *, ordered: bool
) -> tuple[tuple[Member, ...], Bend | None]:
    """Bend slides by the fields of the pairs.

    Pair (i, j) says by how much slide j is displaced against slide i at each place of the frame. The slides'
    own displacements are those that agree best with all pairs at once, place by place, by least squares over
    the graph of links; a pair counts as much as it did in the affine solution. The template of a group stays
    unbent; of sections, whose shape changes along the stack, the mean of all displacements is none.

    Parameters
    ----------
    members : sequence of Member
        With affine places.
    links : sequence of Link
        Of the group.
    template : int
        The slide of the frame.
    ordered : bool
        Whether they are sections in their order.

    Returns
    -------
    tuple of Member
        With displacement fields, where pairs bent.
    Bend or None
        What it did; None where no pair that counts bent.
    """
    used = [link for link in links if link.state == "used" and link.weight > 0]
    if not any(not isinstance(link.outcome.fixed_to_moving, MatrixTransform) for link in used):
        return tuple(members), None
    slide = members[template].slide
    size = np.array(slide.shape) * slide.world_pixel_size
    counts = np.maximum(np.ceil(SAMPLES * size / size.max()).astype(int), 4)
    axes = [np.linspace(0, side, count) for side, count in zip(size, counts, strict=True)]
    points = grid_points(*axes).reshape(-1, 2)
    placed = [k for k, member in enumerate(members) if member.frame_to_slide is not None]
    shifts = {k: np.zeros_like(points) for k in placed}
    hold = HOLD_ORDERED if ordered else HOLD
    anchor = None if ordered else template
    said: list[tuple[FloatArray, FloatArray]] = []
    before = 0.0
    for number in range(ROUNDS):
        said = [_said(link, members, points, shifts[link.fixed]) for link in used]
        if number == 0:
            before = _spread(said, used, {k: np.zeros_like(points) for k in placed})
        shifts = _agreed(said, used, placed, hold, anchor)
    after = _spread(said, used, shifts)
    spacing = (float(axes[0][1]), float(axes[1][1]))
    out, notes = list(members), []
    for k in placed:
        told = sum(
            (weight for (_, weight), link in zip(said, used, strict=True) if k in link.ends), np.zeros(1)
        )
        values = _continued(shifts[k].reshape(*counts, 2), np.reshape(told, counts) > LITTLE)
        bent = unfolded(members[k], values, spacing)
        if bent is None:
            notes.append(f"{members[k].slide.name} stays unbent: its bend would fold the tissue.")
        else:
            out[k] = replace(members[k], frame_to_slide=bent)
    pairs = sum(not isinstance(link.outcome.fixed_to_moving, MatrixTransform) for link in used)
    return tuple(out), Bend(pairs, before, after, tuple(notes))


def _said(
    link: Link, members: Sequence[Member], points: FloatArray, shift: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return what a pair says at each place: the displacement of its moving against its fixed slide, and
    whether.
    """
    first, second = (members[k].frame_to_slide for k in link.ends)
    transform = link.outcome.fixed_to_moving
    if first is None or second is None or transform is None:
        return np.zeros_like(points), np.zeros(len(points))
    here = first(points + shift)
    there = transform(here)
    found = second.inverse()(there) - points - shift
    sees = np.asarray(np.isfinite(found).all(1), float)
    for k, places in ((link.fixed, here), (link.moving, there)):
        slide = members[k].slide
        size = np.array(slide.shape) * slide.world_pixel_size
        # A pair fades out towards the edges of its slides: where it ended at once, displacements would jump.
        inside = np.minimum(places, size - places).min(1) / (FADE * size.max())
        sees *= np.clip(inside, 0.0, 1.0)
    return np.where(sees[:, None] > 0, found, 0.0), np.asarray(link.weight * sees)


def _agreed(
    said: Sequence[tuple[FloatArray, FloatArray]],
    links: Sequence[Link],
    placed: Sequence[int],
    hold: float,
    anchor: int | None,
) -> dict[int, FloatArray]:
    """Solve for all slides' displacements at every place."""
    count, places = len(placed), len(said[0][0])
    row = {k: place for place, k in enumerate(placed)}
    normal = np.zeros((places, count, count))
    right = np.zeros((places, count, 2))
    for (found, weight), link in zip(said, links, strict=True):
        a, b = row[link.fixed], row[link.moving]
        normal[:, a, a] += weight
        normal[:, b, b] += weight
        normal[:, a, b] -= weight
        normal[:, b, a] -= weight
        right[:, b] += weight[:, None] * found
        right[:, a] -= weight[:, None] * found
    stiff = np.full(count, hold)
    if anchor is not None:
        stiff[row[anchor]] = 1e6
    normal += np.diag(stiff)
    solved = np.linalg.solve(normal, right)
    return {k: np.asarray(solved[:, place]) for k, place in row.items()}


def _spread(
    said: Sequence[tuple[FloatArray, FloatArray]], links: Sequence[Link], shifts: Mapping[int, FloatArray]
) -> float:
    """Measure how far pairs are from given displacements: root mean square over all places."""
    total = weights = 0.0
    for (found, weight), link in zip(said, links, strict=True):
        away = shifts[link.moving] - shifts[link.fixed] - found
        total += float(weight @ (away**2).sum(1))
        weights += float(weight.sum())
    return float(np.sqrt(total / max(weights, 1e-12)))


def _continued(values: FloatArray, told: NDArray[np.bool_]) -> FloatArray:
    """Go on with a displacement where nothing says any, and smooth the seam."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    if told.all() or not told.any():
        return values
    nearest = distance_transform_edt(~told, return_distances=False, return_indices=True)
    smooth = gaussian_filter(values[nearest[0], nearest[1]], (2.0, 2.0, 0.0), mode="nearest")
    seam = np.asarray(gaussian_filter(told.astype(float), 2.0, mode="nearest"))[..., None]
    share = np.clip(2 * seam - 1, 0.0, 1.0)
    return np.asarray(share * values + (1 - share) * smooth)


def unfolded(member: Member, values: FloatArray, spacing: tuple[float, float]) -> DisplacementField | None:
    """Make a field of a displacement, as much of it as does not fold; None where even little does."""
    base = member.frame_to_slide
    if not isinstance(base, MatrixTransform):
        return None
    for share in GENTLER:
        field = DisplacementField(share * values, spacing=spacing, base=base)
        if field.folding().minimum > LEAST_JACOBIAN:
            return field
    return None
