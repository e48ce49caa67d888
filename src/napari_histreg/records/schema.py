"""The layout of registration.json, as pydantic models: each field with its type, bounds and meaning."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from napari_histreg.records.places import as_noted, find_slide, seen_from
from napari_histreg.records.record import SlideRecord, VerdictWord

__all__ = [
    "FORMAT",
    "VERSION",
    "MatrixPart",
    "RegistrationDocument",
    "SlidePart",
    "StepPart",
    "SuggestionPart",
    "json_schema",
]

FORMAT = "napari-histreg registration"
VERSION = 1

_Micrometres = Annotated[float, Field(ge=1e-6, le=1e6)]
_Row = tuple[float, float, float]
_Matrix = tuple[_Row, _Row, _Row]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class SlidePart(_Part):
    """A slide, as noted in the file."""

    name: str
    path: str | None = Field(min_length=1, description="As it was typed; a file URL where it is no Unicode")
    path_from_here: str | None = Field(description="Seen from the folder of this file")
    width_px: int = Field(gt=0)
    height_px: int = Field(gt=0)
    pixel_size_um: tuple[_Micrometres, _Micrometres] | None = Field(
        description="(y, x); null where it is unknown"
    )
    unit: Literal["um", "px"] = Field(description="Unit of this slide's world coordinates")
    channels: tuple[str, ...]
    is_rgb: bool
    bounds_offset_px: tuple[float, float] = Field(
        description="(y, x): where the slide begins in the file's own level-0 pixels"
    )
    fingerprint: str

    @model_validator(mode="after")
    def _unit_fits(self) -> Self:
        if (self.unit == "um") != (self.pixel_size_um is not None):
            raise ValueError(f"the unit {self.unit!r} does not fit the pixel size {self.pixel_size_um}")
        return self

    @classmethod
    def of(cls, slide: SlideRecord, folder: Path | None = None) -> "SlidePart":
        """Turn a slide's record into its part of a file in `folder`."""
        return cls(
            name=slide.name,
            path=as_noted(slide.path),
            path_from_here=seen_from(folder, slide.path),
            width_px=slide.shape[1],
            height_px=slide.shape[0],
            pixel_size_um=slide.pixel_size_um,
            unit="um" if slide.unit == "um" else "px",
            channels=slide.channels,
            is_rgb=slide.is_rgb,
            bounds_offset_px=slide.bounds_offset_px,
            fingerprint=slide.fingerprint,
        )

    def to_record(self, folder: Path | None = None) -> SlideRecord:
        """Turn the part of a file in `folder` into a slide's record."""
        return SlideRecord(
            name=self.name,
            path=find_slide(folder, self.path, self.path_from_here),
            shape=(self.height_px, self.width_px),
            pixel_size_um=self.pixel_size_um,
            channels=self.channels,
            fingerprint=self.fingerprint,
            bounds_offset_px=self.bounds_offset_px,
            is_rgb=self.is_rgb,
        )


class MatrixPart(_Part):
    """The transform as 3 x 3 matrices acting on (x, y, 1), level-0 pixels, centres at whole numbers."""

    fixed_to_moving: _Matrix
    moving_to_fixed: _Matrix
    is_exact: bool = Field(description="False: the best affine stand-in for a deformable transform")


class StepPart(_Part):
    """One step."""

    name: str
    parameters: dict[str, Any]
    scores: dict[str, Any]
    notes: tuple[str, ...]
    seconds: float


class SuggestionPart(_Part):
    """The best guess of a refused registration; not a result."""

    fixed_to_moving: dict[str, Any]
    matrix_px: MatrixPart


class RegistrationDocument(_Part):
    """The whole file."""

    format: Literal["napari-histreg registration"]
    version: Literal[1]
    fixed: SlidePart
    moving: SlidePart
    method: str
    parameters: dict[str, Any]
    verdict: VerdictWord
    confidence: float | None = Field(ge=0, le=1)
    reasons: tuple[str, ...]
    fixed_to_moving: dict[str, Any] | None = Field(
        description="Maps fixed to moving points, (y, x) in world units; null if refused"
    )
    matrix_px: MatrixPart | None
    suggestion: SuggestionPart | None = Field(description="Only with the verdict refused")
    steps: tuple[StepPart, ...]
    seconds: float
    software: dict[str, str]
    files: dict[str, str] = Field(description="What belongs to the record in its folder: name and SHA-256")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.verdict == "refused":
            if self.fixed_to_moving is not None or self.matrix_px is not None:
                raise ValueError("a refused registration has no transform, only a suggestion")
        elif self.fixed_to_moving is None or self.matrix_px is None or self.suggestion is not None:
            raise ValueError(f"a registration that is {self.verdict} has a transform, and no suggestion")
        return self


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of registration.json."""
    return RegistrationDocument.model_json_schema()
