"""What the user asked for, besides the two slides and the method."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from napari_histreg.landmarks import Landmarks
from napari_histreg.progress import Progress, silent
from napari_histreg.records.record import Outcome, StepLog
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform

__all__ = ["SIGNALS", "Aligner", "Request", "check_signal"]

SIGNALS = ("nuclear", "grey", "vessels", "frangi")
"""What a method may be asked to look at."""


def check_signal(signal: str | None) -> None:
    """Refuse a signal that there is not; None leaves the choice to the program.

    Raises
    ------
    ValueError
        There is no such signal.

    Examples
    --------
    >>> check_signal("nuclear")
    """
    if signal not in (None, *SIGNALS):
        raise ValueError(f"The signal is one of {', '.join(SIGNALS)}, not {signal!r}.")


@dataclass(frozen=True, eq=False)
class Request:
    """The wishes that every way of aligning understands.

    Parameters
    ----------
    fixed_channel, moving_channel : int or None
        The channel to align by; None leaves the choice to the program.
    signal : str
        What a single-plane method sees: "nuclear" or "grey"; "vessels" and "frangi" only until `register` has
        put the vessels in place of the slides.
    initial : Transform or None
        Where to start, fixed to moving in world units.
    landmarks : Landmarks or None
        Point pairs in world units.
    """

    fixed_channel: int | None = None
    moving_channel: int | None = None
    signal: str = "nuclear"
    initial: Transform | None = None
    landmarks: Landmarks | None = None


class Aligner(BaseModel, ABC):
    """A way of aligning two slides and its parameters: automatic, by landmarks, or by one method."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def align(
        self, fixed: Slide, moving: Slide, request: Request, *, log: StepLog, progress: Progress = silent
    ) -> Outcome:
        """Align two slides and judge the result; each step goes into `log`."""
