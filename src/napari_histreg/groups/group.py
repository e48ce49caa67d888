"""GroupRegistration: where each slide of a group lies in the common frame, and how far to trust it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from napari_histreg.errors import RegistrationError
from napari_histreg.groups.names import distinct_names, place_of
from napari_histreg.records.record import (
    Outcome,
    Registration,
    SlideRecord,
    Step,
    VerdictWord,
    software_versions,
)
from napari_histreg.transforms import Transform

__all__ = ["GroupRegistration", "Link", "LinkState", "Loop", "Member"]

LinkState = Literal["used", "refused", "contradicted", "aside"]
"""What became of a link: it counts; its own verdict is "refused"; loops contradict it; or it joins slides
that do not belong to the group."""


@dataclass(frozen=True, eq=False)
class Link:
    """Two slides that were aligned to one another, and what the group made of it.

    Parameters
    ----------
    fixed, moving : int
        Places of the two slides in the group.
    outcome : Outcome
        Of the pair by itself: transform from `fixed` to `moving`, verdict, reasons, landmarks.
    state : {"used", "refused", "contradicted", "aside"}
        What became of it.
    weight : float
        How much it counts in the common solution, 0 to 1.
    error : float or None
        How far the pair's own alignment lies from the common solution: root mean square in units of the
        frame; None where it has no place in it.
    closing : float or None
        Least remainder of the loops of three or four links through it, in units of the frame; None where
        no loop goes through it.
    folder : str or None
        Where its registration.json lies, relative to group.json.
    by_hand : bool
        Whether a person's landmarks make it: then nothing contradicts it.
    """

    fixed: int
    moving: int
    outcome: Outcome
    state: LinkState = "used"
    weight: float = 0.0
    error: float | None = None
    closing: float | None = None
    folder: str | None = None
    by_hand: bool = False

    @property
    def verdict(self) -> VerdictWord:
        """Verdict of the pair by itself."""
        return self.outcome.verdict

    @property
    def confidence(self) -> float:
        """Confidence of the pair by itself, 0 to 1; a person's landmarks count as sure."""
        return 1.0 if self.by_hand else self.outcome.confidence or 0.0

    @property
    def ends(self) -> tuple[int, int]:
        """Both slides."""
        return self.fixed, self.moving

    @property
    def counts(self) -> bool:
        """Whether the pair's own verdict lets it take part."""
        return self.outcome.fixed_to_moving is not None and self.verdict != "refused"


@dataclass(frozen=True)
class Loop:
    """A round trip over links that should end where it began.

    Parameters
    ----------
    slides : tuple of int
        In order; the last is linked to the first.
    remainder : float
        Root mean square of what is left of the identity, in units of the frame.
    """

    slides: tuple[int, ...]
    remainder: float


@dataclass(frozen=True, eq=False)
class Member:
    """One slide of a group.

    Parameters
    ----------
    slide : SlideRecord
        The slide.
    frame_to_slide : Transform or None
        Maps points of the frame to the slide, world units; None where the slide is refused.
    verdict : {"accepted", "doubtful", "refused"}
        How far to trust its place.
    confidence : float or None
        From 0 to 1.
    reasons : tuple of str
        Why, in plain words.
    error : float or None
        Median over its links of how far these lie from the common solution, in units of the frame.
    """

    slide: SlideRecord
    frame_to_slide: Transform | None
    verdict: VerdictWord
    confidence: float | None
    reasons: tuple[str, ...] = ()
    error: float | None = None


@dataclass(frozen=True, eq=False)
class GroupRegistration:
    """Slides of one specimen in one frame.

    Parameters
    ----------
    members : tuple of Member
        The slides in the order given.
    links : tuple of Link
        The pairs that were aligned.
    loops : tuple of Loop
        Round trips over links that count.
    frame : {"template", "mean"}
        What the frame is: the frame of the slide `template`, or the mean shape of all.
    template : int
        The slide whose world units and orientation the frame has.
    ordered : bool
        Whether the slides are sections in their order.
    model : str
        Kind of transform: "rigid", "similarity" or "affine".
    method : str
        Name of the method that made the links.
    parameters : mapping
        Of the method and of the group.
    noise : (float, float)
        Error of a link from the loops, units of the frame: of neighbours, and what is added for each
        section further.
    steps : tuple of Step
        How it went.
    versions : mapping
        The software it was made with.
    """

    members: tuple[Member, ...]
    links: tuple[Link, ...]
    loops: tuple[Loop, ...]
    frame: Literal["template", "mean"]
    template: int
    ordered: bool
    model: str
    method: str = "auto"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    noise: tuple[float, float] = (0.0, 0.0)
    steps: tuple[Step, ...] = ()
    versions: Mapping[str, str] = field(default_factory=software_versions)

    def __len__(self) -> int:
        return len(self.members)

    @property
    def names(self) -> tuple[str, ...]:
        """The slides' names, made different where two are the same."""
        return distinct_names([member.slide.name for member in self.members])

    @property
    def unit(self) -> str:
        """Name of the frame's unit: "um", or "px" where the template's pixel size is unknown."""
        return self.members[self.template].slide.unit

    @property
    def placed(self) -> tuple[int, ...]:
        """Slides that have a place in the frame."""
        return tuple(k for k, member in enumerate(self.members) if member.frame_to_slide is not None)

    def index(self, slide: int | str) -> int:
        """Find a slide by its place or its name.

        Raises
        ------
        ValueError
            There is no such slide; the message lists those there are.
        """
        return place_of(self.names, slide)

    def verdict(self, slide: int | str) -> VerdictWord:
        """How far to trust a slide's place: "accepted", "doubtful" or "refused"."""
        return self.members[self.index(slide)].verdict

    def frame_to(self, slide: int | str) -> Transform:
        """Map points of the frame to a slide, world units.

        Raises
        ------
        RegistrationError
            The slide was refused.
        """
        k = self.index(slide)
        found = self.members[k].frame_to_slide
        if found is None:
            raise RegistrationError(
                f"{self.names[k]} has no place in the group: {' '.join(self.members[k].reasons)}"
            )
        return found

    def to_frame(self, slide: int | str) -> Transform:
        """Map points of a slide to the frame, world units.

        Raises
        ------
        RegistrationError
            The slide was refused.
        """
        return self.frame_to(slide).inverse()

    def between(self, first: int | str, second: int | str) -> Transform:
        """Map points of the first slide to the second, through the frame.

        Raises
        ------
        RegistrationError
            One of them was refused.
        """
        return self.to_frame(first).then(self.frame_to(second))

    def pair(self, fixed: int | str, moving: int | str) -> Registration:
        """See two slides of the group as a registration of a pair.

        Parameters
        ----------
        fixed, moving : int or str
            Place or name.

        Returns
        -------
        Registration
            Its verdict is the worse of the two slides'; without a transform where one is refused.
        """
        ends = self.members[self.index(fixed)], self.members[self.index(moving)]
        order: Sequence[VerdictWord] = ("refused", "doubtful", "accepted")
        word = min((member.verdict for member in ends), key=order.index)
        sure = [member.confidence for member in ends if member.confidence is not None]
        found = None if word == "refused" else self.between(fixed, moving)
        reasons = tuple(f"{member.slide.name}: {reason}" for member in ends for reason in member.reasons)
        return Registration(
            fixed=ends[0].slide,
            moving=ends[1].slide,
            outcome=Outcome(found, word, min(sure, default=None), reasons),
            method="group",
            parameters={"method": self.method, "model": self.model, **self.parameters},
            versions=self.versions,
        )
