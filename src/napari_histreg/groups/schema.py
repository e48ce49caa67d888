"""The layout of group.json, as pydantic models: each field with its type, bounds and meaning."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from napari_histreg.groups.group import LinkState
from napari_histreg.records.record import VerdictWord
from napari_histreg.records.schema import MatrixPart, SlidePart, StepPart

__all__ = [
    "FORMAT",
    "VERSION",
    "GroupDocument",
    "LinkPart",
    "LoopPart",
    "MemberPart",
    "PointPart",
    "json_schema",
]

FORMAT = "napari-histreg group"
VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class MemberPart(_Part):
    """One slide and its place."""

    slide: SlidePart
    verdict: VerdictWord
    confidence: float | None = Field(ge=0, le=1)
    reasons: tuple[str, ...]
    error: float | None = Field(
        ge=0, description="Median of how far its links lie from the common solution, units of the frame"
    )
    frame_to_slide: dict[str, Any] | None = Field(
        description="Maps points of the frame to the slide, (y, x) in world units; null if refused"
    )
    matrix_px: MatrixPart | None = Field(
        description="The same between level-0 pixels of the template (fixed) and of the slide (moving)"
    )


class PointPart(_Part):
    """The same spot in both slides of a link."""

    name: str
    fixed: tuple[float, float] = Field(description="(y, x) in the fixed slide's world units")
    moving: tuple[float, float] = Field(description="(y, x) in the moving slide's world units")


class LinkPart(_Part):
    """One pair that was aligned."""

    fixed: int = Field(ge=0, description="Place in slides")
    moving: int = Field(ge=0, description="Place in slides")
    verdict: VerdictWord
    confidence: float | None = Field(ge=0, le=1)
    reasons: tuple[str, ...]
    fixed_to_moving: dict[str, Any] | None = Field(description="The pair by itself; a guess if refused")
    state: LinkState
    weight: float = Field(ge=0, le=1)
    error: float | None = Field(
        ge=0, description="How far it lies from the common solution, units of the frame"
    )
    closing: float | None = Field(ge=0, description="Least remainder of its loops, units of the frame")
    folder: str | None = Field(description="Where its registration.json lies, beside this file")
    by_hand: bool
    landmarks: tuple[PointPart, ...] = Field(
        (), description="Of a link by hand; those of others lie beside their registration.json"
    )


class LoopPart(_Part):
    """A round trip over links that count."""

    slides: tuple[int, ...] = Field(min_length=3)
    remainder: float = Field(
        ge=0, description="What is left of the identity, root mean square, units of the frame"
    )


class GroupDocument(_Part):
    """The whole file."""

    format: Literal["napari-histreg group"]
    version: Literal[1]
    unit: Literal["um", "px"] = Field(description="Of the frame")
    frame: Literal["template", "mean"]
    template: int = Field(ge=0, description="Place in slides of the one that gives orientation and units")
    ordered: bool = Field(description="Whether the slides are sections in their order")
    model: Literal["rigid", "similarity", "affine"]
    method: str
    parameters: dict[str, Any]
    noise: tuple[float, float] = Field(
        description="Standard error of a link is the root of the first squared plus that of the second times "
        "the distance in sections squared, units of the frame"
    )
    slides: tuple[MemberPart, ...] = Field(min_length=2)
    links: tuple[LinkPart, ...]
    loops: tuple[LoopPart, ...]
    steps: tuple[StepPart, ...]
    seconds: float
    software: dict[str, str]


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of group.json."""
    return GroupDocument.model_json_schema()
