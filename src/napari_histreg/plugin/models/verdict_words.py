"""The verdict of a run in plain words."""

from dataclasses import dataclass

from napari_histreg.plugin.models.tones import Tone
from napari_histreg.registration import Registration

__all__ = ["Verdict", "verdict_of"]


@dataclass(frozen=True)
class Verdict:
    """A result in plain words.

    Parameters
    ----------
    headline : str
        One line.
    tone : Tone
        Good, doubt or bad.
    reasons : tuple of str
        Why.
    """

    headline: str
    tone: Tone
    reasons: tuple[str, ...]


def verdict_of(registration: Registration) -> Verdict:
    """Put a result in plain words; what was refused begins with what to do."""
    confidence = registration.confidence
    sure = "" if confidence is None else f" — confidence {confidence:.0%}"
    time = f"{registration.seconds:.1f} s"
    headlines: dict[str, tuple[str, Tone]] = {
        "accepted": (f"Aligned{sure} ({time})", "good"),
        "doubtful": (f"Aligned, but look at it{sure} ({time})", "doubt"),
        "refused": (
            "Not aligned. Click a few pairs, starting from this guess: they decide it."
            if registration.has_transform
            else "Not aligned, and there is not even a guess. Click pairs, or try other channels.",
            "bad",
        ),
    }
    headline, tone = headlines[registration.verdict]
    return Verdict(headline, tone, registration.reasons)
