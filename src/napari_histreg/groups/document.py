"""group.json: the record of a group as a file that describes itself."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.errors import DamagedFile, HistregError, WriteError
from napari_histreg.files import LIMITS, parse_json, read_json, read_text, written_whole
from napari_histreg.groups.group import GroupRegistration, Link, Loop, Member
from napari_histreg.groups.schema import (
    FORMAT,
    VERSION,
    GroupDocument,
    LinkPart,
    LoopPart,
    MemberPart,
    PointPart,
)
from napari_histreg.landmarks import Landmarks
from napari_histreg.records.document import plain_values, step_of, step_part
from napari_histreg.records.layouts import checked_layout, usable_transforms
from napari_histreg.records.record import Outcome, Registration
from napari_histreg.records.schema import MatrixPart, SlidePart
from napari_histreg.transforms import Transform, transform_from_dict

__all__ = ["from_json", "is_group", "read_group", "to_json", "write_group"]

NAME = "group.json"


def to_json(group: GroupRegistration, folder: Path | None = None) -> str:
    """Return the group as the text of group.json.

    Parameters
    ----------
    group : GroupRegistration
    folder : Path, optional
        Where the text will lie, so that it can say where the slides are from there.

    Returns
    -------
    str
        JSON; numbers that are not finite become null.
    """
    document = GroupDocument(
        format="napari-histreg group",
        version=1,
        unit="um" if group.unit == "um" else "px",
        frame=group.frame,
        template=group.template,
        ordered=group.ordered,
        model=group.model,
        method=group.method,
        parameters=plain_values(group.parameters),
        noise=group.noise,
        slides=tuple(_member_part(group, member, folder) for member in group.members),
        links=tuple(_link_part(link) for link in group.links),
        loops=tuple(LoopPart(slides=loop.slides, remainder=loop.remainder) for loop in group.loops),
        steps=tuple(step_part(step) for step in group.steps),
        seconds=round(sum(step.seconds for step in group.steps), 3),
        software=dict(group.versions),
    )
    return json.dumps(document.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_group(group: GroupRegistration, folder: str | Path) -> Path:
    """Write group.json into a folder, which is made if it is not there.

    Parameters
    ----------
    group : GroupRegistration
    folder : path-like

    Returns
    -------
    Path
        The file.

    Raises
    ------
    WriteError
        The folder cannot be made or written to.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder} cannot be made: {error.strerror}.") from error
    path = folder / NAME
    with written_whole(path) as temporary:
        temporary.write_text(to_json(group, folder), encoding="utf-8")
    return path


def is_group(path: str | Path) -> bool:
    """Tell whether a path is a group.json, or a folder that holds one, by what it says of itself."""
    file = Path(path)
    try:
        file = file / NAME if file.is_dir() and not (file / "registration.json").is_file() else file
        return read_json(file, "a group").get("format") == FORMAT
    except (OSError, ValueError, HistregError):
        return False


def read_group(path: str | Path) -> GroupRegistration:
    """Read group.json.

    Parameters
    ----------
    path : path-like
        The file, or the folder that `histreg group` wrote.

    Returns
    -------
    GroupRegistration
        Its links without the landmarks of what was aligned automatically, which lie beside each pair's
        registration.json.

    Raises
    ------
    DamagedFile
        The file is missing or is no group; the message names the field.
    """
    file = Path(path)
    if file.is_dir():
        file = file / NAME
    try:
        text = read_text(file, "a group", limit=LIMITS.json_bytes, share=1 / 16)
    except DamagedFile as error:
        raise DamagedFile(str(error), wants="group") from None
    return from_json(text, str(file), file.parent)


def from_json(text: str, name: str = "The text", folder: Path | None = None) -> GroupRegistration:
    """Rebuild a group from what `to_json` gave.

    Parameters
    ----------
    text : str
        JSON.
    name : str
        What to call it in errors.
    folder : Path, optional
        Where the text lies; slides are looked for from there first.

    Returns
    -------
    GroupRegistration

    Raises
    ------
    DamagedFile
        It is no group; the message names the field.
    """
    document = checked_layout(
        parse_json(text, name), name, GroupDocument, what="group", file_format=FORMAT, version=VERSION
    )
    with usable_transforms(name):
        return _group(document, name, folder)


def _group(document: GroupDocument, name: str, folder: Path | None) -> GroupRegistration:
    count = len(document.slides)
    places = [document.template, *(k for link in document.links for k in (link.fixed, link.moving))]
    places += [k for loop in document.loops for k in loop.slides]
    if max(places) >= count:
        raise DamagedFile(f"{name} names slide {max(places)}, and it has {count}, counted from 0.")
    members = tuple(
        Member(
            part.slide.to_record(folder),
            None if part.verdict == "refused" else _transform(part.frame_to_slide),
            part.verdict,
            part.confidence,
            part.reasons,
            part.error,
        )
        for part in document.slides
    )
    for part, member in zip(document.slides, members, strict=True):
        if part.verdict != "refused" and member.frame_to_slide is None:
            raise DamagedFile(
                f"{name} calls {part.slide.name} {part.verdict} and does not say where it lies."
            )
    if members[document.template].frame_to_slide is None:
        raise DamagedFile(f"{name} takes for its template a slide that it refuses.")
    return GroupRegistration(
        members=members,
        links=tuple(_link(part) for part in document.links),
        loops=tuple(Loop(part.slides, part.remainder) for part in document.loops),
        frame=document.frame,
        template=document.template,
        ordered=document.ordered,
        model=document.model,
        method=document.method,
        parameters=document.parameters,
        noise=document.noise,
        steps=tuple(step_of(part) for part in document.steps),
        versions=document.software,
    )


def _transform(values: dict[str, Any] | None) -> Transform | None:
    return None if values is None else transform_from_dict(values)


def _link(part: LinkPart) -> Link:
    points = part.landmarks
    landmarks = Landmarks.of([p.fixed for p in points], [p.moving for p in points], [p.name for p in points])
    outcome = Outcome(
        _transform(part.fixed_to_moving),
        part.verdict,
        part.confidence,
        part.reasons,
        landmarks if points else None,
    )
    return Link(
        part.fixed,
        part.moving,
        outcome,
        part.state,
        part.weight,
        part.error,
        part.closing,
        part.folder,
        part.by_hand,
    )


def _member_part(group: GroupRegistration, member: Member, folder: Path | None) -> MemberPart:
    transform = matrix = None
    if member.frame_to_slide is not None:
        transform = plain_values(member.frame_to_slide.to_dict())
        template = group.members[group.template].slide
        pair = Registration(template, member.slide, Outcome(member.frame_to_slide, "accepted"), "group")
        forward = pair.matrix_px()
        matrix = MatrixPart(
            fixed_to_moving=forward.tolist(),
            moving_to_fixed=np.linalg.inv(forward).tolist(),
            is_exact=pair.is_affine,
        )
    return MemberPart(
        slide=SlidePart.of(member.slide, folder),
        verdict=member.verdict,
        confidence=member.confidence,
        reasons=member.reasons,
        error=member.error,
        frame_to_slide=transform,
        matrix_px=matrix,
    )


def _link_part(link: Link) -> LinkPart:
    transform = link.outcome.fixed_to_moving
    return LinkPart(
        fixed=link.fixed,
        moving=link.moving,
        verdict=link.verdict,
        confidence=link.outcome.confidence,
        reasons=link.outcome.reasons,
        fixed_to_moving=None if transform is None else plain_values(transform.to_dict()),
        state=link.state,
        weight=link.weight,
        error=link.error,
        closing=link.closing,
        folder=link.folder,
        by_hand=link.by_hand,
        landmarks=_points(link),
    )


def _points(link: Link) -> tuple[PointPart, ...]:
    pairs = link.outcome.landmarks
    if not link.by_hand or pairs is None:
        return ()
    rows = zip(pairs.names, pairs.fixed.tolist(), pairs.moving.tolist(), strict=True)
    return tuple(PointPart(name=name, fixed=fixed, moving=moving) for name, fixed, moving in rows)
