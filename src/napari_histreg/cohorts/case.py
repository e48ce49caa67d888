"""One case of a cohort: its slides and what was asked for them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, field_validator

__all__ = ["Case", "CaseOptions", "CaseSlide"]


class CaseOptions(BaseModel):
    """What a case asks of `register`; None leaves it to the program.

    Parameters
    ----------
    method : str, optional
        A name from ``list_methods()``.
    parameters : dict
        Of the method, as text or values.
    signal : {"nuclear", "grey"}, optional
        What a single-plane method sees.
    model : str, optional
        What is fitted to the landmarks.
    landmarks : str, optional
        File of pairs to fit, or to start from.
    truth : str, optional
        File of pairs that the alignment is not made from, to measure its error.
    initial : str, optional
        A registration.json to start from.
    fixed_channel, moving_channel : str, optional
        Name or number.
    fixed_pixel_size, moving_pixel_size : float, optional
        µm, over the file's.

    Examples
    --------
    >>> CaseOptions(method="sift").model_dump(exclude_defaults=True)
    {'method': 'sift'}
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    signal: Literal["nuclear", "grey"] | None = None
    model: str | None = None
    landmarks: str | None = None
    truth: str | None = None
    initial: str | None = None
    fixed_channel: str | None = None
    moving_channel: str | None = None
    fixed_pixel_size: PositiveFloat | None = None
    moving_pixel_size: PositiveFloat | None = None

    @field_validator("method")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        from napari_histreg.registration.catalogue import method_spec

        if name is not None:
            method_spec(name)
        return name

    def over(self, usual: "CaseOptions") -> "CaseOptions":
        """Return these options, and the usual ones where these say nothing.

        Parameters of the usual method hold only where the method is the same.
        """
        values = usual.model_dump(exclude_none=True) | self.model_dump(exclude_none=True)
        same_method = self.method in (None, usual.method)
        values["parameters"] = {**(usual.parameters if same_method else {}), **self.parameters}
        return CaseOptions.model_validate(values)

    @property
    def files(self) -> tuple[str, ...]:
        """The files named, beside the slides."""
        return tuple(file for file in (self.landmarks, self.truth, self.initial) if file is not None)


class CaseSlide(BaseModel):
    """A slide of a case.

    Parameters
    ----------
    path : str
        What `open_slide` takes.
    role : str
        "fixed" or "moving".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    role: Literal["fixed", "moving"]


class Case(BaseModel):
    """A row of the table: a pair of slides, or a group of several.

    Parameters
    ----------
    number : int
        Its place in the table, from 1.
    name : str
        Of its folder of results.
    slides : tuple of CaseSlide
        Of a pair, the fixed one first.
    is_group : bool
        Whether it is aligned as a group.
    options : CaseOptions
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    name: str
    slides: tuple[CaseSlide, ...]
    is_group: bool = False
    options: CaseOptions = CaseOptions()

    @property
    def inputs(self) -> tuple[str, ...]:
        """All files that are read for it."""
        return (*(slide.path for slide in self.slides), *self.options.files)
