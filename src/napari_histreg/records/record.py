"""Registration: the result of aligning two slides, with its provenance."""

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal

import numpy as np

from napari_histreg.errors import RegistrationError
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks import Landmarks
from napari_histreg.slides import Slide
from napari_histreg.slides.fingerprint import fingerprint
from napari_histreg.transforms import MatrixTransform, Transform, affine_over, pixel_matrix

__all__ = ["Outcome", "Registration", "SlideRecord", "Step", "StepLog", "VerdictWord", "software_versions"]

VerdictWord = Literal["accepted", "doubtful", "refused"]

_SOFTWARE = ("napari-histreg", "numpy", "scipy", "opencv-python-headless", "SimpleITK", "itk-elastix")


@dataclass(frozen=True)
class SlideRecord:
    """What a registration remembers of a slide.

    Parameters
    ----------
    name : str
        The slide's name.
    path : str or None
        The file, where there is one.
    shape : (int, int)
        Height and width of level 0 in pixels.
    pixel_size_um : (float, float) or None
        Size of a level-0 pixel (y, x) in µm; None where unknown.
    channels : tuple of str
        Names of the channels.
    fingerprint : str
        Identity of the content; the same slide opened again has the same.
    bounds_offset_px : (float, float)
        Where the slide begins (y, x) in the file's own level-0 pixels.
    is_rgb : bool
        Whether the channels are the colours of one picture.
    """

    name: str
    path: str | None
    shape: tuple[int, int]
    pixel_size_um: tuple[float, float] | None
    channels: tuple[str, ...]
    fingerprint: str
    bounds_offset_px: tuple[float, float] = (0.0, 0.0)
    is_rgb: bool = False

    @classmethod
    def of(cls, slide: Slide) -> "SlideRecord":
        """Note what is worth remembering of a slide."""
        offset = slide.bounds_offset_px or (0.0, 0.0)
        return cls(
            name=slide.name,
            path=slide.path,
            shape=slide.shape,
            pixel_size_um=slide.pixel_size_um,
            channels=tuple(c.name for c in slide.channels),
            fingerprint=fingerprint(slide),
            bounds_offset_px=(float(offset[0]), float(offset[1])),
            is_rgb=slide.is_rgb,
        )

    @property
    def unit(self) -> str:
        """Name of the world unit: "um", or "px" where the pixel size is unknown."""
        return "px" if self.pixel_size_um is None else "um"

    @property
    def world_pixel_size(self) -> tuple[float, float]:
        """Size of a level-0 pixel (y, x) in world units."""
        return self.pixel_size_um or (1.0, 1.0)


@dataclass(frozen=True)
class Step:
    """One step of a registration, as it went.

    Parameters
    ----------
    name : str
        What was done.
    parameters : mapping
        With which settings.
    scores : mapping
        What was found, as numbers and words.
    notes : tuple of str
        Remarks for people.
    seconds : float
        How long it took.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


class StepLog:
    """Collects the steps of a registration while it runs.

    Examples
    --------
    >>> log = StepLog()
    >>> with log.step("search", reach=3) as found:
    ...     found["poses"] = 12
    >>> log.steps[0].name, log.steps[0].scores["poses"]
    ('search', 12)
    """

    def __init__(self) -> None:
        self._steps: list[Step] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps so far."""
        return tuple(self._steps)

    @contextmanager
    def step(self, name: str, /, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Time a block as a step; it fills the dict with what it found ("notes" are remarks)."""
        found: dict[str, Any] = {}
        start = perf_counter()
        try:
            yield found
        finally:
            notes = tuple(found.pop("notes", ()))
            self._steps.append(Step(name, parameters, found, notes, perf_counter() - start))


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a way of aligning two slides found, and what it thinks of it.

    Parameters
    ----------
    fixed_to_moving : Transform or None
        Maps fixed to moving in world units; the best guess if refused; None where there is none.
    verdict : {"accepted", "doubtful", "refused"}
        How far to trust it.
    confidence : float or None
        From 0 to 1; None where nothing could be measured.
    reasons : tuple of str
        Why, in plain words.
    landmarks : Landmarks or None
        The point pairs that carried the result, in world units.
    """

    fixed_to_moving: Transform | None
    verdict: VerdictWord
    confidence: float | None = None
    reasons: tuple[str, ...] = ()
    landmarks: Landmarks | None = None


@dataclass(frozen=True, eq=False)
class Registration:
    """The alignment of two slides: the transform, how far to trust it, and how it came about.

    Parameters
    ----------
    fixed, moving : SlideRecord
        The slides.
    outcome : Outcome
        The transform and the verdict.
    method : str
        Name of the method.
    parameters : mapping
        Its parameters.
    steps : tuple of Step
        How it went.
    versions : mapping
        The software it was made with.
    """

    fixed: SlideRecord
    moving: SlideRecord
    outcome: Outcome
    method: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    versions: Mapping[str, str] = field(default_factory=lambda: software_versions())

    @property
    def fixed_to_moving(self) -> Transform:
        """Maps fixed to moving in world units; only the best guess if the verdict is "refused".

        Raises
        ------
        RegistrationError
            Nothing was found, not even a guess.
        """
        if self.outcome.fixed_to_moving is None:
            raise RegistrationError(
                f"{self.moving.name} was not aligned to {self.fixed.name}: {' '.join(self.reasons)}"
            )
        return self.outcome.fixed_to_moving

    @property
    def moving_to_fixed(self) -> Transform:
        """The opposite map."""
        return self.fixed_to_moving.inverse()

    @property
    def has_transform(self) -> bool:
        """Whether there is a transform, be it only a guess."""
        return self.outcome.fixed_to_moving is not None

    @property
    def verdict(self) -> VerdictWord:
        """How far to trust it: "accepted", "doubtful" or "refused"."""
        return self.outcome.verdict

    @property
    def confidence(self) -> float | None:
        """Confidence from 0 to 1, where it could be measured."""
        return self.outcome.confidence

    @property
    def reasons(self) -> tuple[str, ...]:
        """Reasons of the verdict, in plain words."""
        return self.outcome.reasons

    @property
    def landmarks(self) -> Landmarks | None:
        """The point pairs that carried the result, in world units."""
        return self.outcome.landmarks

    @property
    def seconds(self) -> float:
        """How long all steps took together."""
        return sum(step.seconds for step in self.steps)

    @property
    def is_affine(self) -> bool:
        """Whether the transform is a matrix."""
        return isinstance(self.outcome.fixed_to_moving, MatrixTransform)

    def matrix_px(self) -> FloatArray:
        """Return the (3, 3) matrix from fixed to moving level-0 pixels, acting on (x, y, 1).

        For a deformable transform it is the affine that fits it best over the fixed slide.

        Raises
        ------
        RegistrationError
            Nothing was found.
        """
        transform = self.fixed_to_moving
        if not isinstance(transform, MatrixTransform):
            last = (np.array(self.fixed.shape) - 1) * self.fixed.world_pixel_size
            transform = affine_over(transform, (0.0, 0.0), last)
        return pixel_matrix(transform, self.fixed.world_pixel_size, self.moving.world_pixel_size)


def software_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that take part in an alignment."""
    versions = {"python": platform.python_version()}
    for package in _SOFTWARE:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions
