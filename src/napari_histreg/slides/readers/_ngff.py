"""The metadata of an OME-Zarr image (NGFF), as pydantic models."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from napari_histreg.errors import DamagedFile
from napari_histreg.files.faults import first_fault
from napari_histreg.slides.readers._tiff_metadata import um_per_unit
from napari_histreg.slides.slide import Channel

__all__ = ["Multiscale", "channels_of", "multiscale_of"]

UNIT_NAMES = {"micrometer": "um", "nanometer": "nm", "millimeter": "mm", "centimeter": "cm", "meter": "m",
              "angstrom": "å", "inch": "in"}  # fmt: skip


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class Axis(_Part):
    """One axis."""

    name: str = Field(min_length=1, max_length=20)
    unit: str | None = None


class Scale(_Part):
    """A coordinate transformation; only scales matter here."""

    type: str
    scale: list[float] | None = None


class Dataset(_Part):
    """One level."""

    path: str = Field(min_length=1)
    coordinateTransformations: list[Scale] = Field(default_factory=list)

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        parts = path.replace("\\", "/").split("/")
        if any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise ValueError(f"{path!r} leads out of the folder")
        return path


class Multiscale(_Part):
    """One image: its axes and levels."""

    axes: list[Axis] = Field(min_length=2, max_length=5)
    datasets: list[Dataset] = Field(min_length=1, max_length=64)
    coordinateTransformations: list[Scale] = Field(default_factory=list)

    @field_validator("axes", mode="before")
    @classmethod
    def _named(cls, axes: Any) -> Any:
        """Accept names alone, as version 0.3 wrote them."""
        if not isinstance(axes, list):
            return axes
        return [{"name": axis} if isinstance(axis, str) else axis for axis in axes]

    @field_validator("axes")
    @classmethod
    def _of_a_plane(cls, axes: list[Axis]) -> list[Axis]:
        names = [axis.name for axis in axes]
        if len(set(names)) < len(names) or not {"y", "x"} <= set(names):
            raise ValueError(f"the axes {names} are not y, x and others, each once")
        return axes

    @property
    def names(self) -> list[str]:
        """Names of the axes, in their order."""
        return [axis.name for axis in self.axes]

    def pixel_size_um(self) -> tuple[float, float] | None:
        """Return the pixel size (y, x) in µm of level 0, if it has a unit of length."""
        scale = [1.0] * len(self.axes)
        for one in (*self.datasets[0].coordinateTransformations, *self.coordinateTransformations):
            if one.type == "scale" and one.scale is not None and len(one.scale) == len(scale):
                scale = [a * b for a, b in zip(scale, one.scale, strict=True)]
        sizes = []
        for name in ("y", "x"):
            place = self.names.index(name)
            unit = self.axes[place].unit or ""
            um = um_per_unit(UNIT_NAMES.get(unit, unit))
            if um is None or not 0 < scale[place] * um < 1e6 or not math.isfinite(scale[place]):
                return None
            sizes.append(scale[place] * um)
        return sizes[0], sizes[1]


class _ShownChannel(_Part):
    label: str | None = None
    color: str | None = None


class _Omero(_Part):
    channels: list[_ShownChannel] = Field(default_factory=list)


def multiscale_of(name: str, told: Mapping[str, Any]) -> Multiscale:
    """Return the first multiscale image of a group's metadata.

    Raises
    ------
    DamagedFile
        It contradicts NGFF; the message says where.
    """
    listed = told.get("multiscales")
    try:
        if not isinstance(listed, list) or not listed:
            raise DamagedFile(f"{name} lists no image in its metadata (multiscales). Export it again.")
        return Multiscale.model_validate(listed[0])
    except ValidationError as error:
        raise DamagedFile(f"{name} cannot be understood as OME-Zarr, at {first_fault(error)}.") from error


def channels_of(told: Mapping[str, Any], count: int) -> tuple[Channel, ...]:
    """Return names and colours, where viewers are told any that make sense."""
    try:
        listed: Sequence[_ShownChannel] = _Omero.model_validate(told.get("omero") or {}).channels
    except ValidationError:
        listed = ()
    if len(listed) != count:
        return tuple(Channel(f"channel {k}") for k in range(count))
    return tuple(
        Channel(one.label or f"channel {k}", _colour((one.color or "").lstrip("#")))
        for k, one in enumerate(listed)
    )


def _colour(text: str) -> tuple[float, float, float] | None:
    if len(text) != 6 or any(digit not in "0123456789abcdefABCDEF" for digit in text):
        return None
    return int(text[:2], 16) / 255, int(text[2:4], 16) / 255, int(text[4:], 16) / 255
