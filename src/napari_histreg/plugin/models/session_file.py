"""A session as one JSON file: slides by path and fingerprint, pairs, model, placement, automatic result."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_histreg.errors import DamagedFile, HistregError
from napari_histreg.files import read_json, written_whole
from napari_histreg.files.faults import first_fault
from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.models.session_state import Handover, Origin, SessionState
from napari_histreg.records.document import from_json, to_json
from napari_histreg.records.record import SlideRecord
from napari_histreg.records.schema import SlidePart
from napari_histreg.slides import Slide
from napari_histreg.slides.fingerprint import fingerprint
from napari_histreg.transforms import transform_from_dict

__all__ = [
    "FORMAT",
    "SESSION_NAME",
    "SUFFIX",
    "VERSION",
    "PairPart",
    "SavedSession",
    "is_same_slide",
    "landmarks_of",
    "pair_parts",
    "read_session",
    "write_session",
]

FORMAT = "napari-histreg session"
VERSION = 1
SUFFIX = ".histreg.json"
"""How a session's file is best called."""
SESSION_NAME = f"session{SUFFIX}"
"""What it is called in a folder of results."""

_Point = tuple[float, float]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class PairPart(_Part):
    """One pair; a point that is still to be clicked is null."""

    id: int = Field(ge=1)
    name: str
    fixed: _Point | None = Field(description="(y, x) in the fixed slide's world units")
    moving: _Point | None = Field(description="(y, x) in the moving slide's world units")
    enabled: bool
    confidence: float | None = Field(None, ge=0, le=1)


class SessionDocument(_Part):
    """The whole file."""

    format: Literal["napari-histreg session"]
    version: Literal[1]
    saved: datetime
    fixed: SlidePart
    moving: SlidePart
    pairs: tuple[PairPart, ...]
    next_id: int = Field(ge=1)
    model: str
    follow: bool
    placement: dict[str, Any] = Field(description="Fixed to moving without any pair")
    placement_origin: Origin
    registration: dict[str, Any] | None = Field(description="As in registration.json")
    handover: Handover = Field("settled", description="What pairs placed by hand do to an automatic result")
    fixed_to_moving: dict[str, Any] = Field(
        description="Where the moving slide lies; for other programs, worked out anew when the file is read"
    )


@dataclass(frozen=True, eq=False)
class SavedSession:
    """A session as it lies in a file.

    Parameters
    ----------
    fixed, moving : SlideRecord
        The slides it was made with.
    state : SessionState
        Everything else.
    saved : datetime
        When it was written.
    """

    fixed: SlideRecord
    moving: SlideRecord
    state: SessionState
    saved: datetime

    def missing(self) -> tuple[Literal["fixed", "moving"], ...]:
        """Name the sides whose file is not where it was, so that they must be asked for."""
        sides: list[Literal["fixed", "moving"]] = []
        if not _is_there(self.fixed):
            sides.append("fixed")
        if not _is_there(self.moving):
            sides.append("moving")
        return tuple(sides)

    def relocated(self, *, fixed: str | None = None, moving: str | None = None) -> "SavedSession":
        """Return the session with slides that lie elsewhere now; None leaves a side as it is."""
        return replace(
            self,
            fixed=self.fixed if fixed is None else replace(self.fixed, path=fixed),
            moving=self.moving if moving is None else replace(self.moving, path=moving),
        )


def is_same_slide(slide: Slide, record: SlideRecord) -> bool:
    """Tell whether a slide shows what the slide of a record showed, wherever its file lies."""
    return slide.shape == record.shape and fingerprint(slide) == record.fingerprint


def write_session(path: str | Path, fixed: SlideRecord, moving: SlideRecord, state: SessionState) -> None:
    """Write a session.

    Parameters
    ----------
    path : path-like
        What is there is replaced, and only once the new file is whole.
    fixed, moving : SlideRecord
        The slides, as `SlideRecord.of` notes them.
    state : SessionState
        Everything else.

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    record = None if state.registration is None else json.loads(to_json(state.registration))
    document = SessionDocument(
        format="napari-histreg session",
        version=1,
        saved=datetime.now(UTC),
        fixed=SlidePart.of(fixed),
        moving=SlidePart.of(moving),
        pairs=pair_parts(state.landmarks, state.pair_ids),
        next_id=state.next_id,
        model=state.model,
        follow=state.follow,
        placement=state.placement.to_dict(),
        placement_origin=state.placement_origin,
        registration=record,
        handover=state.handover,
        fixed_to_moving=state.fixed_to_moving.to_dict(),
    )
    text = json.dumps(document.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False)
    with written_whole(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_session(path: str | Path) -> SavedSession:
    """Read a session.

    Returns
    -------
    SavedSession
        Look at `SavedSession.missing` before opening its slides.

    Raises
    ------
    DamagedFile
        The file is missing or holds no session; the message says what is wrong with it.
    """
    values = read_json(path, "a session")
    return _from_values(values, str(path))


def _from_values(values: Any, name: str) -> SavedSession:
    if not isinstance(values, Mapping) or values.get("format") != FORMAT:
        raise DamagedFile(f'{name} is not a session: its "format" is not "{FORMAT}".')
    if values.get("version") != VERSION:
        raise DamagedFile(
            f"{name} has version {values.get('version')!r} of the layout; this program reads {VERSION}. "
            "Update napari-histreg."
        )
    try:
        document = SessionDocument.model_validate(values)
        state = _state(document)
    except ValidationError as error:
        raise DamagedFile(f"{name} is damaged at {first_fault(error)}.") from error
    except (HistregError, ValueError, TypeError, LookupError, OverflowError) as error:
        raise DamagedFile(f"{name} holds no usable session: {error}") from error
    return SavedSession(document.fixed.to_record(), document.moving.to_record(), state, document.saved)


def _state(document: SessionDocument) -> SessionState:
    pairs = document.pairs
    record = document.registration
    return SessionState(
        landmarks=landmarks_of(pairs),
        pair_ids=tuple(pair.id for pair in pairs),
        next_id=max(document.next_id, *(pair.id + 1 for pair in pairs), 1),
        model=document.model,
        follow=document.follow,
        placement=transform_from_dict(document.placement),
        placement_origin=document.placement_origin,
        registration=None if record is None else from_json(json.dumps(record)),
        handover=document.handover,
    ).fitted()


def pair_parts(landmarks: Landmarks, ids: Sequence[int]) -> tuple[PairPart, ...]:
    """Turn pairs into their part of a file."""
    confidence = landmarks.confidence
    return tuple(
        PairPart(
            id=ids[k],
            name=landmarks.names[k],
            fixed=_point(landmarks.fixed[k]),
            moving=_point(landmarks.moving[k]),
            enabled=bool(landmarks.enabled[k]),
            confidence=None if confidence is None or math.isnan(confidence[k]) else float(confidence[k]),
        )
        for k in range(len(landmarks))
    )


def landmarks_of(pairs: Sequence[PairPart]) -> Landmarks:
    """Rebuild pairs from their part of a file."""
    confidence = [math.nan if pair.confidence is None else pair.confidence for pair in pairs]
    return Landmarks.of(
        [(math.nan, math.nan) if pair.fixed is None else pair.fixed for pair in pairs],
        [(math.nan, math.nan) if pair.moving is None else pair.moving for pair in pairs],
        [pair.name for pair in pairs],
        enabled=[pair.enabled for pair in pairs],
        confidence=None if np.isnan(confidence).all() else confidence,
    )


def _point(point: Any) -> _Point | None:
    y, x = (float(value) for value in point)
    return (y, x) if math.isfinite(y) and math.isfinite(x) else None


def _is_there(record: SlideRecord) -> bool:
    return record.path is not None and Path(record.path).exists()
