"""A run over the slides of a group: links in rounds, one solution, bending."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from napari_histreg.errors import NoTissue
from napari_histreg.files.faults import first_fault
from napari_histreg.groups.assembly import Assembled, assemble
from napari_histreg.groups.bending import bend_members
from napari_histreg.groups.choice import AnyOrder, Choice, InOrder
from napari_histreg.groups.group import GroupRegistration, Link
from napari_histreg.groups.groupwise import bend_groupwise
from napari_histreg.groups.linking import Linker, LinkSettings
from napari_histreg.groups.registry import find_group_method
from napari_histreg.groups.wishes import Wishes
from napari_histreg.methods.elastix.groupwise import ElastixGroupwise
from napari_histreg.preprocess.vessels import enhancement, is_retina, vessel_slide
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.records.record import SlideRecord, StepLog
from napari_histreg.registration.template import choose_template
from napari_histreg.slides import Slide

__all__ = ["check_method", "run_group"]

MOST_ROUNDS = 12


def run_group(
    slides: Sequence[Slide],
    wishes: Wishes,
    settings: LinkSettings,
    *,
    by_hand: Sequence[Link] = (),
    folder: Path | None = None,
    progress: Progress = silent,
    linked: Callable[[Link], None] | None = None,
) -> GroupRegistration:
    """Align open slides to one frame; `register_group` opens them, sorts them and comes here.

    Parameters
    ----------
    slides : sequence of Slide
        Two or more, sections in their order.
    wishes : Wishes
        What the group is to become.
    settings : LinkSettings
        How pairs are aligned; its method may also be one for groups, which goes on from pairs.
    by_hand : sequence of Link
        What `hand_links` made of a person's landmarks.
    folder : Path, optional
        Where each pair is kept and looked for.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.
    linked : callable, optional
        Given each pair as soon as it is aligned or read, in this thread, before anything is made of it.

    Returns
    -------
    GroupRegistration
        Members in the order given.

    Raises
    ------
    ValueError
        An unknown model, method or parameter.
    RegistrationError
        No two slides could be aligned.
    """
    together = check_method(settings.method, settings.parameters)
    log = StepLog()
    with log.step("look") as found:
        records: list[SlideRecord] = []
        for k, slide in enumerate(slides):
            progress(0.03 * k / len(slides), f"looking at {slide.name}")
            records.append(SlideRecord.of(slide))
        found["slides"] = len(records)
        if settings.signal is None and settings.channel is None and all(map(is_retina, slides)):
            # As pictures retinas are all alike: only their vessels tell where they lie.
            settings = replace(settings, signal="vessels")
        found["signal"] = settings.signal
        shown = slides if settings.signal is None else [_shown(slide, settings.signal) for slide in slides]
    wishes.check(records)
    # A method for groups goes on from where pairs have put the slides.
    pairwise = LinkSettings(channel=settings.channel, signal=settings.signal) if together else settings
    linker = Linker(slides, records, pairwise, folder, told=linked)
    links = _links(shown, wishes, linker, by_hand, log, portion(progress, 0.03, 0.7))
    if wishes.frame in ("rmse", "ncc", "mi"):
        with log.step("template", measure=wishes.frame) as found:
            order = choose_template(shown, measure=wishes.frame).order
            wishes, found["order"] = replace(wishes, preferred=order), order
    with log.step("solve", model=wishes.model) as found:
        progress(0.7, "solving for all slides")
        group = assemble(records, links, wishes)
        found.update(_told(group))
    mean = wishes.frame == "mean"
    if together is not None:
        with log.step(settings.method, **together.model_dump(mode="json")) as found:
            members, done = bend_groupwise(
                group.members, shown, group.template, together, progress=portion(progress, 0.7, 1.0)
            )
            found.update(before=done.before, after=done.after, notes=(done.note,))
        group = replace(group, members=members)
        # What is bent to the mean of all lies in nobody's own frame.
        mean = mean or done.is_better
    members, bend = bend_members(group.members, group.links, group.template, ordered=wishes.ordered)
    if bend is not None:
        with log.step("bend") as found:
            found.update(pairs=bend.pairs, before=bend.before, after=bend.after, notes=bend.notes)
    progress(1.0, "done")
    kept: dict[str, Any] = {"keep_shape": wishes.keep_shape} if wishes.keep_shape else {}
    if settings.signal is not None:
        kept["signal"] = settings.signal
    return GroupRegistration(
        members=members,
        links=group.links,
        loops=group.loops,
        frame="mean" if mean else "template",
        template=group.template,
        ordered=wishes.ordered,
        model=wishes.model,
        method=settings.method,
        parameters={**settings.parameters, **kept},
        noise=group.noise,
        steps=log.steps,
    )


def _shown(slide: Slide, signal: str) -> Slide:
    """See the vessels of a slide where these are what is aligned; a slide without any as it is."""
    how = enhancement(signal)
    try:
        return slide if how is None else vessel_slide(slide, how)
    except NoTissue:
        return slide


def check_method(name: str, parameters: Mapping[str, Any]) -> ElastixGroupwise | None:
    """Make a method for groups from its name and parameters; None where it is one for pairs.

    Raises
    ------
    ValueError
        A parameter does not suit a method for groups.
    """
    spec = find_group_method(name)
    if spec is None:
        return None
    try:
        return ElastixGroupwise(**parameters) if spec.load() is ElastixGroupwise else None
    except ValidationError as error:
        raise ValueError(f'The method "{name}" cannot be set up: {first_fault(error)}.') from error


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
    for link in links:
        linker.told(link)
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


def _choice(slides: Sequence[Slide], wishes: Wishes, progress: Progress) -> Choice:
    if wishes.ordered:
        return InOrder(len(slides))
    return AnyOrder(choose_template(slides, measure="mi", progress=progress).distances)


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
