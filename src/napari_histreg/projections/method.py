"""What every method for series of projections is: its parameters, and one verb that runs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from napari_histreg.progress import Progress, silent
from napari_histreg.projections.arrays import Floats
from napari_histreg.projections.work import WorkStack

__all__ = ["ProjectionMethod", "ShiftEstimate"]


@dataclass(frozen=True, eq=False)
class ShiftEstimate:
    """What a method found.

    Parameters
    ----------
    shifts : (A, 2) ndarray
        How far each frame lies off, (y, x) in pixels of the stack, by the convention of `gauge`.
    axis : float or None
        Column of the rotation axis in frames moved by `shifts`; None where the method cannot tell.
    notes : tuple of str
        Doubts and remarks in plain words.
    figures : mapping of str to float
        Countable findings.
    lost : tuple of int
        Frames in use that the method could not place.
    """

    shifts: Floats
    axis: float | None = None
    notes: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    lost: tuple[int, ...] = ()


class ProjectionMethod(BaseModel):
    """An algorithm and its parameters; a subclass per algorithm."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]
    """Name in the table of methods."""

    def estimate(self, stack: WorkStack, *, progress: Progress = silent) -> ShiftEstimate:
        """Find how far each frame lies off.

        Parameters
        ----------
        stack : WorkStack
            Line integrals.
        progress : Progress, optional
            Told of the progress; may raise `Cancelled`.

        Returns
        -------
        ShiftEstimate

        Raises
        ------
        RegistrationError
            The method cannot be used on this series; the message says why.
        """
        raise TypeError(f"{type(self).__name__} does not say how to find shifts.")
