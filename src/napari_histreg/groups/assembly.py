"""Links become a group: first places, one solution for all, loops, a verdict for each slide.

It reads no pixels and takes a moment, so that a group is put together anew whenever a link changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_histreg.errors import RegistrationError
from napari_histreg.geometry import FloatArray
from napari_histreg.groups.evidence import Evidence, evidence_of, grid_over
from napari_histreg.groups.frame import least_displaced, mean_shape, middle_section
from napari_histreg.groups.group import Link, LinkState, Loop, Member
from napari_histreg.groups.judgement import judge_slide, path_confidence
from napari_histreg.groups.loops import along, neighbours_of, noise_from_loops, simple_loops
from napari_histreg.groups.names import distinct_names
from napari_histreg.groups.placement import chain_poses, components, spanning_links, trust_links
from napari_histreg.groups.shape import without_trend
from napari_histreg.groups.solution import link_errors, solve_group
from napari_histreg.groups.wishes import Wishes
from napari_histreg.records.record import SlideRecord
from napari_histreg.transforms import Affine, Rigid, Similarity

__all__ = ["Assembled", "assemble"]

FINEST = 1 / 3000
"""Standard error of the best link that is believed, as a share of the diagonal: a third of an overview's
pixel."""

UNKNOWN = 1 / 700
"""Standard error of a link where no loop tells: about a pixel of an overview."""

CLOSED = 3.0
"""A loop is closed whose remainder is below so many times what its links' errors make of it."""

LOOSEST = 0.03
"""No loop is closed beyond this share of the diagonal."""

TYPICAL = 0.8
"""Median of the distance that links of standard error 1 have from a solution over them."""

LEAST_DISTANCES_ROUNDS = 12

Matrices = Mapping[int, FloatArray]

TYPES = {"rigid": Rigid, "similarity": Similarity, "affine": Affine}


@dataclass(frozen=True, eq=False)
class Assembled:
    """What `assemble` found.

    Parameters
    ----------
    members : tuple of Member
        The slides.
    links : tuple of Link
        With state, weight, error and closing.
    loops : tuple of Loop
        Over links that count.
    template : int
        The slide that gives the frame its units and orientation.
    noise : (float, float)
        See `GroupRegistration`.
    """

    members: tuple[Member, ...]
    links: tuple[Link, ...]
    loops: tuple[Loop, ...]
    template: int
    noise: tuple[float, float]


def assemble(slides: Sequence[SlideRecord], links: Sequence[Link], wishes: Wishes | None = None) -> Assembled:
    """Put a group together from its links.

    Parameters
    ----------
    slides : sequence of SlideRecord
        Two or more.
    links : sequence of Link
        Pairs that were aligned.
    wishes : Wishes, optional
        What the group is to become.

    Returns
    -------
    Assembled

    Raises
    ------
    ValueError
        The model or the frame does not exist, or the trend is to be taken out of slides without order.
    MissingPixelSize
        A model that keeps lengths is asked for and some slides only know their pixel size.
    """
    wishes = wishes or Wishes()
    wishes.check(slides)
    counting = [link for link in links if link.counts]
    trust = trust_links(counting, slides)
    tree = spanning_links(counting, trust, len(slides))
    main = _main_set(counting, len(slides), wishes)
    template = _template(counting, tree, main, slides, wishes)
    start = chain_poses(counting, tree, template, slides, kind=wishes.model)
    inside = [link for link in counting if link.fixed in start]
    gathered = [(link, evidence_of(link, slides)) for link in inside]
    inside = [link for link, found in gathered if found is not None]
    evidence = [found for _, found in gathered if found is not None]
    diagonal = float(np.hypot(*(np.array(slides[template].shape) * slides[template].world_pixel_size)))
    noise = _noise(inside, start, slides, wishes, template, diagonal)
    matrices, weights = _solved(inside, evidence, start, template, noise, wishes, diagonal)
    still = _held(inside, weights, template, len(slides))
    used = {
        link.ends: (weight, error)
        for link, weight, error in zip(inside, weights, link_errors(evidence, matrices), strict=True)
        if weight > 0 and link.fixed in still
    }
    settled = tuple(_settled(link, used, start, still) for link in links)
    counting = [link for link in settled if link.state == "used"]
    loops = _measured(simple_loops(neighbours_of(counting)), counting, matrices, slides)
    settled = _with_closing(settled, loops)
    limit = min(CLOSED * 2 * float(np.hypot(noise[0], 2 * noise[1])), LOOSEST * diagonal)
    matrices = {k: matrices[k] for k in sorted(still)}
    if wishes.keep_shape is not None:
        matrices = without_trend(matrices, slides, template, wishes.keep_shape)
    if wishes.frame == "mean":
        matrices = mean_shape(matrices, slides, template)
    members = _members(slides, settled, matrices, template, limit, wishes)
    return Assembled(members, settled, loops, template, noise)


def _main_set(links: Sequence[Link], count: int, wishes: Wishes) -> set[int]:
    sets = components(links, count)
    if isinstance(wishes.frame, int):
        return set(next(found for found in sets if wishes.frame in found))
    return set(sets[0])


def _template(
    links: Sequence[Link], tree: Sequence[int], main: set[int], slides: Sequence[SlideRecord], wishes: Wishes
) -> int:
    if isinstance(wishes.frame, int):
        return wishes.frame
    if wishes.preferred:
        return next(k for k in wishes.preferred if k in main)
    if wishes.ordered:
        return middle_section(sorted(main))
    return least_displaced(chain_poses(links, tree, min(main), slides, kind=wishes.model), slides)


def _noise(
    links: Sequence[Link],
    start: Matrices,
    slides: Sequence[SlideRecord],
    wishes: Wishes,
    template: int,
    diagonal: float,
) -> tuple[float, float]:
    """Estimate how far links are off, from all loops through them."""
    neighbours = neighbours_of(links)
    points = grid_over(slides[template], 3)
    named, remainders = [], []
    for loop in simple_loops(neighbours, every=True):
        place = Affine(start[loop[0]])
        away = place(along(neighbours, (*loop, loop[0]), place.inverse()(points))) - points
        if np.sqrt((away**2).sum(1).mean()) <= LOOSEST * diagonal:
            named.append(loop)
            remainders.append(away)
    if not named:
        return UNKNOWN * diagonal, 0.0
    least = FINEST * diagonal
    return noise_from_loops(named, np.array(remainders), ordered=wishes.ordered, least=least)


def _solved(
    links: Sequence[Link],
    evidence: Sequence[Evidence],
    start: Matrices,
    template: int,
    noise: tuple[float, float],
    wishes: Wishes,
    diagonal: float,
) -> tuple[dict[int, FloatArray], FloatArray]:
    """Solve, with the links' errors as large as the loops say, or as the model leaves them."""
    if not links:
        return dict(start), np.zeros(0)
    apart = np.array([abs(a - b) if wishes.ordered else 1 for a, b in (link.ends for link in links)])
    sigma = np.sqrt(noise[0] ** 2 + noise[1] ** 2 * apart**2)
    sure = [link.by_hand for link in links]
    # Where tissue differs by more than the model allows, that is the error, and no link contradicts another:
    # pairs that bend may close their loops exactly and still fit no affine map.
    near = link_errors(evidence, start) <= LOOSEST * diagonal
    counted = np.where(near, 1.0, 0.0) if near.any() else np.ones(len(links))
    misfit = _misfit(evidence, start, template, wishes.model, sigma, counted) / TYPICAL
    found = solve_group(
        evidence, start, template, kind=wishes.model, sigma=max(misfit, 1.0) * sigma, sure=sure
    )
    return dict(found.to_frame), found.weights


def _misfit(
    evidence: Sequence[Evidence],
    start: Matrices,
    template: int,
    model: str,
    sigma: FloatArray,
    counted: FloatArray,
) -> float:
    """Return the median distance of links from a solution, in their standard errors.

    The solution is that of least distances, not of least squares: a wrong link, however far off, must not
    pull it away from the others and so make room for itself.
    """
    weights, typical = counted, np.inf
    for _ in range(LEAST_DISTANCES_ROUNDS):
        found = solve_group(evidence, start, template, kind=model, sigma=sigma, counted=weights)
        away = found.errors / sigma
        before, typical = typical, float(np.median(away[counted > 0]))
        start = found.to_frame
        if abs(before - typical) <= 0.01 * typical:
            break
        weights = counted / np.maximum(away, max(0.2 * typical, 1e-9))
    return typical


def _held(links: Sequence[Link], weights: FloatArray, template: int, count: int) -> set[int]:
    """Return the slides that links which count join to the template."""
    counting = [link for link, weight in zip(links, weights, strict=True) if weight > 0]
    return set(next(found for found in components(counting, count) if template in found))


def _settled(
    link: Link, used: Mapping[tuple[int, int], tuple[float, float]], start: Matrices, still: set[int]
) -> Link:
    """Note what became of a link."""
    state: LinkState = "used"
    weight, error = used.get(link.ends, (0.0, None))
    if not link.counts:
        state = "refused"
    elif link.ends not in used:
        state = "contradicted" if link.fixed in start and set(link.ends) & still else "aside"
    return replace(link, state=state, weight=round(float(weight), 4), error=error)


def _measured(
    loops: Sequence[tuple[int, ...]],
    links: Sequence[Link],
    to_frame: Matrices,
    slides: Sequence[SlideRecord],
) -> tuple[Loop, ...]:
    """Go round loops and measure what remains, in units of the frame."""
    neighbours = neighbours_of(links)
    found = []
    for loop in loops:
        points = grid_over(slides[loop[0]])
        place = Affine(to_frame[loop[0]])
        back = along(neighbours, (*loop, loop[0]), points)
        away = place(back) - place(points)
        found.append(Loop(loop, float(np.sqrt((away**2).sum(1).mean()))))
    return tuple(found)


def _with_closing(links: Sequence[Link], loops: Sequence[Loop]) -> tuple[Link, ...]:
    best: dict[frozenset[int], float] = {}
    for loop in loops:
        for a, b in zip(loop.slides, (*loop.slides[1:], loop.slides[0]), strict=True):
            ends = frozenset((a, b))
            best[ends] = min(best.get(ends, np.inf), loop.remainder)
    return tuple(
        replace(link, closing=best.get(frozenset(link.ends)) if link.state == "used" else None)
        for link in links
    )


def _members(
    slides: Sequence[SlideRecord],
    links: Sequence[Link],
    matrices: dict[int, FloatArray],
    template: int,
    limit: float,
    wishes: Wishes,
) -> tuple[Member, ...]:
    names = distinct_names([slide.name for slide in slides])
    path = path_confidence(links, template, len(slides), limit)
    members = []
    kind = Affine if wishes.frame == "mean" or wishes.keep_shape else TYPES[wishes.model]
    for k, slide in enumerate(slides):
        judged = judge_slide(k, links, path[k], names, slides[template].unit, limit)
        found = None
        if judged.verdict != "refused" and k in matrices:
            found = kind(matrices[k]).inverse()
        members.append(Member(slide, found, judged.verdict, judged.confidence, judged.reasons, judged.error))
    if members[template].frame_to_slide is None:
        raise RegistrationError(
            f"No two slides of the group could be aligned. {names[template]}: "
            f"{' '.join(members[template].reasons)}"
        )
    return tuple(members)
