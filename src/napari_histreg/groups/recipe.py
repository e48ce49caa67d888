"""register_group: many slides of one specimen in one frame."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from napari_histreg.files.faults import first_fault
from napari_histreg.groups.assembly import Assembled, Wishes, assemble
from napari_histreg.groups.bending import bend_members
from napari_histreg.groups.choice import AnyOrder, Choice, InOrder
from napari_histreg.groups.group import GroupRegistration, Link, distinct_names
from napari_histreg.groups.groupwise import bend_groupwise
from napari_histreg.groups.linking import Linker, LinkSettings
from napari_histreg.landmarks import Landmarks
from napari_histreg.methods.elastix.groupwise import ElastixGroupwise
from napari_histreg.methods.registry import find_group_method
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.records.record import Outcome, SlideRecord, StepLog
from napari_histreg.registration.template import choose_template
from napari_histreg.slides import Slide, open_slide
from napari_histreg.slides.several_files import natural_key

__all__ = ["natural_order", "register_group"]

MOST_ROUNDS = 12


def register_group(
    slides: Sequence[Slide | str | os.PathLike[str] | Any],
    *,
    order: Literal["names", "given"] | None = None,
    frame: str | int = "template",
    model: str = "affine",
    method: str = "auto",
    channel: int | str | None = None,
    keep_shape: float | None = None,
    landmarks: Mapping[tuple[int, int], Landmarks] | None = None,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
    **parameters: Any,
) -> GroupRegistration:
    """Align many slides of one specimen to one frame, and judge each of them.

    Pairs are aligned by `register`, as many as it takes for every slide to lie in a loop. One robust
    least-squares solution over all of them gives the slides' transforms; a pair that contradicts the loops
    through it loses its weight. A slide that fits nowhere is refused by itself and harms no other.

    Parameters
    ----------
    slides : sequence of Slide, path or array
        Two or more, in any order and of any stain.
    order : {"names", "given"}, optional
        Slides are serial sections in the order of their names (2 before 10), or as they are given; without it
        they lie in no order.
    frame : "template", "mean", or a slide by its place or name
        The common frame: that of the slide onto which the others have to move least (of sections, the middle
        one); the mean shape of all; or that of the slide named.
    model : {"affine", "similarity", "rigid"}
        How slides may differ from one another.
    method : str
        How pairs are aligned; a name from ``list_methods()``. Or "elastix_groupwise": pairs are aligned by
        "auto", and then all slides are bent to their mean at once.
    channel : int or str, optional
        The channel to align by, in all slides that have it.
    keep_shape : float, optional
        Take the smooth trend out of the places of sections, over so many sections (5, say): what is left
        corrects what jumps from section to section only, and the stack keeps the shape that the images give
        it.
    landmarks : mapping of (int, int) to Landmarks, optional
        Point pairs that a person placed on two slides, by their places in `slides`: such a pair is taken as
        right.
    folder : path-like, optional
        Where each pair is kept as it is done, and used again by the next run with the same slides and
        settings.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.
    **parameters
        Of the method.

    Returns
    -------
    GroupRegistration
        Members in the order given, or of the names.

    Raises
    ------
    ValueError
        Fewer than two slides, or an unknown order, frame, model, method or parameter.
    ReadError
        A slide cannot be read.
    RegistrationError
        No two slides could be aligned.

    Examples
    --------
    >>> from napari_histreg.samples import phantom_pair
    >>> pair = phantom_pair(1500, angle_deg=20)
    >>> group = register_group([pair.fixed, pair.moving])
    >>> group.verdict(0), group.verdict(1), len(group.links)
    ('accepted', 'accepted', 1)
    """
    if len(slides) < 2:
        raise ValueError(f"A group needs two slides or more, not {len(slides)}.")
    if order not in (None, "names", "given"):
        raise ValueError(f'The order is "names" or "given", not {order!r}.')
    together = _group_method(method, parameters)
    log = StepLog()
    with ExitStack() as opened:
        read = [s if isinstance(s, Slide) else opened.enter_context(open_slide(s)) for s in slides]
        places = natural_order([slide.name for slide in read]) if order == "names" else list(range(len(read)))
        read = [read[k] for k in places]
        with log.step("look") as found:
            records = []
            for k, slide in enumerate(read):
                progress(0.03 * k / len(read), f"looking at {slide.name}")
                records.append(SlideRecord.of(slide))
            found["slides"] = len(records)
        wishes = Wishes(
            ordered=order is not None,
            frame=_frame(frame, records, places),
            model=model,
            keep_shape=keep_shape,
        )
        by_hand = _by_hand(landmarks or {}, places)
        # A method for groups goes on from where pairs have put the slides.
        settings = LinkSettings("auto" if together else method, {} if together else parameters, channel)
        linker = Linker(read, records, settings, None if folder is None else Path(folder))
        links = _links(read, wishes, linker, by_hand, log, portion(progress, 0.03, 0.7))
        with log.step("solve", model=model) as found:
            progress(0.7, "solving for all slides")
            group = assemble(records, links, wishes)
            found.update(_told(group))
        if together is not None:
            with log.step(method, **together.model_dump(mode="json")) as found:
                members, done = bend_groupwise(
                    group.members, read, group.template, together, progress=portion(progress, 0.7, 1.0)
                )
                found.update(before=done.before, after=done.after, notes=(done.note,))
            group = replace(group, members=members)
            # What is bent to the mean of all lies in nobody's own frame.
            wishes = replace(wishes, frame="mean" if done.is_better else wishes.frame)
    members, bend = bend_members(group.members, group.links, group.template, ordered=wishes.ordered)
    if bend is not None:
        with log.step("bend") as found:
            found.update(pairs=bend.pairs, before=bend.before, after=bend.after, notes=bend.notes)
    progress(1.0, "done")
    return GroupRegistration(
        members=members,
        links=group.links,
        loops=group.loops,
        frame="mean" if wishes.frame == "mean" else "template",
        template=group.template,
        ordered=wishes.ordered,
        model=model,
        method=method,
        parameters={**parameters, "keep_shape": keep_shape} if keep_shape else parameters,
        noise=group.noise,
        steps=log.steps,
    )


def _links(
    slides: Sequence[Slide],
    wishes: Wishes,
    linker: Linker,
    by_hand: Sequence[Link],
    log: StepLog,
    progress: Progress,
) -> list[Link]:
    """Align pairs in rounds, until the choice of pairs is content."""
    with log.step("choose") as found:
        choice = _choice(slides, wishes, portion(progress, 0.0, 0.05))
        found["order"] = "given" if wishes.ordered else "none"
    links = list(by_hand)
    with log.step("link", method=linker.settings.method) as found:
        for number in range(MOST_ROUNDS):
            pairs = choice.further(links)
            if not pairs:
                break
            # How many rounds it takes is not known: each takes a share of what is left.
            part = portion(progress, 1 - 0.95 * 0.25**number, 1 - 0.95 * 0.25 ** (number + 1))
            links += linker.align(pairs, part)
        found["pairs"], found["reused"] = len(links), linker.reused
        for word in ("accepted", "doubtful", "refused"):
            found[word] = sum(link.verdict == word for link in links)
    return links


def _group_method(name: str, parameters: Mapping[str, Any]) -> ElastixGroupwise | None:
    """Make a method for groups from its name and parameters; None where it is one for pairs."""
    spec = find_group_method(name)
    if spec is None:
        return None
    try:
        return ElastixGroupwise(**parameters) if spec.load() is ElastixGroupwise else None
    except ValidationError as error:
        raise ValueError(f'The method "{name}" cannot be set up: {first_fault(error)}.') from error


def _choice(slides: Sequence[Slide], wishes: Wishes, progress: Progress) -> Choice:
    if wishes.ordered:
        return InOrder(len(slides))
    return AnyOrder(choose_template(slides, measure="mi", progress=progress).distances)


def _by_hand(landmarks: Mapping[tuple[int, int], Landmarks], places: Sequence[int]) -> list[Link]:
    """Turn a person's point pairs into links that nothing contradicts."""
    from napari_histreg.landmarks import fit_landmarks

    links = []
    for (first, second), pairs in landmarks.items():
        for k in (first, second):
            if not 0 <= k < len(places):
                raise ValueError(f"There are landmarks for slide {k}, and there are {len(places)} slides.")
        found = fit_landmarks(pairs, "auto").fixed_to_moving
        ends = places.index(first), places.index(second)
        outcome = Outcome(found, "accepted", 1.0, ("Made from landmarks that a person placed.",), pairs)
        links.append(Link(*ends, outcome, by_hand=True))
    return links


def _frame(
    frame: str | int, records: Sequence[SlideRecord], places: Sequence[int]
) -> Literal["template", "mean"] | int:
    if frame == "template":
        return "template"
    if frame == "mean":
        return "mean"
    names = distinct_names([record.name for record in records])
    if isinstance(frame, str):
        stems = [name.partition(".")[0] for name in names]
        for known in (names, stems):
            if frame in known:
                return known.index(frame)
        raise ValueError(
            f'The frame is "template", "mean" or a slide, not {frame!r}. The slides: {", ".join(names)}.'
        )
    if not 0 <= frame < len(records):
        raise ValueError(f"The frame is slide {frame}, and there are {len(records)} slides, counted from 0.")
    return places.index(frame)


def natural_order(names: Sequence[str]) -> list[int]:
    """Return the places of names in the order that people expect: numbers by their value.

    Examples
    --------
    >>> natural_order(["s10", "s2", "s1"])
    [2, 1, 0]
    """
    return sorted(range(len(names)), key=lambda k: natural_key(names[k]))


def _told(group: Assembled) -> dict[str, Any]:
    words = [member.verdict for member in group.members]
    return {
        "accepted": words.count("accepted"),
        "doubtful": words.count("doubtful"),
        "refused": words.count("refused"),
        "contradicted links": sum(link.state == "contradicted" for link in group.links),
        "loops": len(group.loops),
        "noise": [round(value, 6) for value in group.noise],
        "template": group.template,
    }
