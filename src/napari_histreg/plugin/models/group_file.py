"""A sitting with many slides as one JSON file: slides, options, pairs of any two, the last result."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from napari_histreg.errors import DamagedFile, HistregError
from napari_histreg.files import read_json, written_whole
from napari_histreg.groups import GroupRegistration
from napari_histreg.groups.document import from_json, to_json
from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.models.group_model import GroupModel
from napari_histreg.plugin.models.group_options import Order, place_among
from napari_histreg.plugin.models.session_file import SUFFIX, PairPart, landmarks_of, pair_parts
from napari_histreg.records.layouts import checked_layout
from napari_histreg.records.record import SlideRecord
from napari_histreg.records.schema import SlidePart
from napari_histreg.slides import Slide

__all__ = ["FORMAT", "SUFFIX", "SavedGroup", "read_group_session", "write_group_session"]

FORMAT = "napari-histreg group session"
VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class PairsPart(_Part):
    """All pairs of two slides."""

    fixed: int = Field(ge=0, description="Place in slides")
    moving: int = Field(ge=0, description="Place in slides")
    pairs: tuple[PairPart, ...]


class GroupSessionDocument(_Part):
    """The whole file."""

    format: Literal["napari-histreg group session"]
    version: Literal[1]
    saved: datetime
    slides: tuple[SlidePart, ...] = Field(min_length=1)
    included: tuple[int, ...] = Field(description="Places in slides of those that take part")
    order: Order
    frame: Literal["template", "mean"] | int = Field(description="A number is a place in slides")
    model: Literal["affine", "similarity", "rigid"]
    keep_shape: float = Field(ge=0)
    method: str
    parameters: dict[str, Any]
    folder: str | None = Field(description="Where the links are kept")
    landmarks: tuple[PairsPart, ...]
    group: dict[str, Any] | None = Field(description="The last result, as in group.json")
    members: tuple[int, ...] = Field(description="Places in slides of the members of the result")


@dataclass(frozen=True, eq=False)
class SavedGroup:
    """A sitting as it lies in a file.

    Parameters
    ----------
    slides : tuple of SlideRecord
        All that were open.
    document : GroupSessionDocument
        Options and places.
    landmarks : mapping of (int, int) to Landmarks
        By places in `slides`.
    group : GroupRegistration or None
        The last result.
    """

    slides: tuple[SlideRecord, ...]
    document: GroupSessionDocument
    landmarks: Mapping[tuple[int, int], Landmarks]
    group: GroupRegistration | None

    def apply(self, model: GroupModel, slides: list[Slide]) -> None:
        """Give a model the options and the result; pairs are up to the session.

        Parameters
        ----------
        model : GroupModel
        slides : list of Slide
            Those of `slides`, opened.
        """
        document, options = self.document, model.options
        options.order, options.model = document.order, document.model
        options.keep_shape, options.method = document.keep_shape, document.method
        options.parameters = document.parameters
        frame = document.frame
        options.frame = slides[frame] if isinstance(frame, int) else frame
        model.folder = None if document.folder is None else Path(document.folder)
        for k, slide in enumerate(slides):
            model.include(slide, k in document.included)
        model.restore(self.group, [slides[k] for k in document.members] if self.group else [])


def write_group_session(path: str | Path, model: GroupModel) -> None:
    """Write what a model knows, with the pairs of its session.

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    # A result is of slides that may have been closed; they are saved with it.
    slides = [*model.open, *(s for s in model.members if place_among(model.open, s) is None)]
    options, group = model.options, model.result
    frame = place_among(slides, options.frame) if isinstance(options.frame, Slide) else options.frame
    known = model.all_landmarks(slides)
    document = GroupSessionDocument(
        format="napari-histreg group session",
        version=1,
        saved=datetime.now(UTC),
        slides=tuple(SlidePart.of(SlideRecord.of(slide)) for slide in slides),
        included=tuple(k for k, slide in enumerate(slides) if place_among(model.included, slide) is not None),
        order=options.order,
        frame="template" if frame is None else frame,
        model=options.model,
        keep_shape=options.keep_shape,
        method=options.method,
        parameters=dict(options.parameters),
        folder=None if model.folder is None else str(model.folder),
        landmarks=tuple(
            PairsPart(fixed=a, moving=b, pairs=pair_parts(pairs, range(1, len(pairs) + 1)))
            for (a, b), pairs in known.items()
        ),
        group=None if group is None else json.loads(to_json(group)),
        members=tuple(k for s in model.members if (k := place_among(slides, s)) is not None),
    )
    text = json.dumps(document.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False)
    with written_whole(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_group_session(path: str | Path) -> SavedGroup:
    """Read a sitting.

    Raises
    ------
    DamagedFile
        The file is missing or holds no such session; the message says what is wrong with it.
    """
    name = str(path)
    document = checked_layout(
        read_json(path, "a session"),
        name,
        GroupSessionDocument,
        what="group session",
        file_format=FORMAT,
        version=VERSION,
    )
    places = [*document.included, *document.members]
    places += [k for part in document.landmarks for k in (part.fixed, part.moving)]
    places += [document.frame] if isinstance(document.frame, int) else []
    if places and not 0 <= min(places) <= max(places) < len(document.slides):
        raise DamagedFile(f"{name} names a slide that it does not list.")
    try:
        group = None if document.group is None else from_json(json.dumps(document.group), name)
        landmarks = {(part.fixed, part.moving): landmarks_of(part.pairs) for part in document.landmarks}
    except (HistregError, ValueError) as error:
        raise DamagedFile(f"{name} holds no usable session: {error}") from error
    if group is not None and len(group) != len(document.members):
        raise DamagedFile(f"{name} has a result of {len(group)} slides and names {len(document.members)}.")
    return SavedGroup(tuple(part.to_record() for part in document.slides), document, landmarks, group)
