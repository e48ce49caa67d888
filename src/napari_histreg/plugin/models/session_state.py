"""SessionState: everything that undo brings back, as one immutable value."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.landmarks import LandmarkFit, Landmarks
from napari_histreg.plugin.models.pair_fit import PairFit, follow_pairs
from napari_histreg.registration import Registration
from napari_histreg.transforms import Affine, Transform

__all__ = ["PAIRS_TO_TAKE_OVER", "Handover", "Origin", "SessionState", "Side"]

Side = Literal["fixed", "moving"]
"""One of the two slides."""

Origin = Literal["initial", "landmarks", "automatic", "turned", "dragged"]
"""Where a transform came from: the layers as they were, the pairs, a method, the buttons that flip and
turn, or the mouse."""


Handover = Literal["settled", "third pair", "ask", "asking"]
"""What pairs placed by hand do to an automatic result: nothing; they decide from the third on (the result
was only a guess); the user is to be asked who decides at the next pair; the user is being asked."""

PAIRS_TO_TAKE_OVER = 3
"""So few pairs tell turn, scale and mirror, so that a guess is not needed any more."""


@dataclass(frozen=True)
class SessionState:
    """The pairs, the model and where the moving slide lies.

    Pairs are known by their ids, which never change and are never given twice; their place in the table
    means nothing. A pair whose second point is still to be clicked has NaN there.

    Parameters
    ----------
    landmarks : Landmarks
        The pairs, in world units of each slide.
    pair_ids : tuple of int
        One for each pair, in the order of `landmarks`.
    next_id : int
        The id that the next pair gets.
    model : str
        "auto", or the model to fit.
    follow : bool
        Whether the pairs decide where the moving slide lies. If not, they only measure the placement.
    placement : Transform
        Fixed to moving as it is without any pair: what the layers said, an automatic result, a turn or
        a drag. The pairs start from it.
    placement_origin : Origin
        Where the placement came from; never "landmarks".
    registration : Registration or None
        The record, where the placement is an automatic result.
    handover : Handover
        What is to happen when pairs are placed by hand after an automatic result.
    pair_fit : PairFit
        What came of the pairs and the placement; `fitted` works it out.
    """

    landmarks: Landmarks = field(default_factory=Landmarks.empty)
    pair_ids: tuple[int, ...] = ()
    next_id: int = 1
    model: str = "auto"
    follow: bool = True
    placement: Transform = field(default_factory=Affine.identity)
    placement_origin: Origin = "initial"
    registration: Registration | None = None
    handover: Handover = "settled"
    pair_fit: PairFit = field(
        default=PairFit.without_pairs(Affine.identity()), kw_only=True, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        if len(self.pair_ids) != len(self.landmarks):
            raise ValueError(f"{len(self.landmarks)} pairs need as many ids, not {len(self.pair_ids)}.")

    def fitted(self, known: "SessionState | None" = None) -> "SessionState":
        """Return the state with its pairs fitted.

        Parameters
        ----------
        known : SessionState, optional
            A fitted state; where the fit rests on the same, as after renaming a pair, it is taken over.
        """
        if known is not None and _rests_on_the_same(self, known):
            return replace(self, pair_fit=known.pair_fit.renamed(self.landmarks.names))
        pair_fit = follow_pairs(self.landmarks, self.model, self.placement, follow=self.follow)
        return replace(self, pair_fit=pair_fit)

    @property
    def fixed_to_moving(self) -> Transform:
        """Where the moving slide lies now, in world units."""
        return self.pair_fit.fixed_to_moving

    @property
    def origin(self) -> Origin:
        """What decides where the moving slide lies now."""
        return self.placement_origin if self.pair_fit.fit is None else "landmarks"

    @property
    def is_guess(self) -> bool:
        """Whether the moving slide lies where a refused result only guessed."""
        record = self.registration
        return self.origin == "automatic" and record is not None and record.verdict == "refused"

    @property
    def fit(self) -> LandmarkFit | None:
        """The fit of the pairs, where they decide."""
        return self.pair_fit.fit

    @property
    def usable_count(self) -> int:
        """How many pairs count: switched on, and both points placed."""
        return int(self.landmarks.usable.sum())

    @property
    def waiting(self) -> tuple[int, Side] | None:
        """The pair whose second point is to be clicked, by its id, and the side that is missing."""
        for index in reversed(range(len(self.landmarks))):
            if not self.landmarks.placed[index]:
                missing: Side = "moving" if is_placed(self.landmarks, index, "fixed") else "fixed"
                return self.pair_ids[index], missing
        return None

    def index(self, pair_id: int) -> int:
        """Find the place of a pair in the landmarks.

        Raises
        ------
        ValueError
            There is no pair of this id.
        """
        if pair_id not in self.pair_ids:
            raise ValueError(f"There is no pair with the id {pair_id}.")
        return self.pair_ids.index(pair_id)

    def name(self, pair_id: int) -> str:
        """Return the name of a pair."""
        return self.landmarks.names[self.index(pair_id)]

    def with_pair(
        self, fixed: ArrayLike | None, moving: ArrayLike | None, *, confidence: float | None = None
    ) -> "SessionState":
        """Add a pair; None leaves its point unplaced."""
        return replace(
            self,
            landmarks=self.landmarks.with_pair(fixed, moving, confidence=confidence),
            pair_ids=(*self.pair_ids, self.next_id),
            next_id=self.next_id + 1,
        )

    def without_pairs(self, pair_ids: set[int]) -> "SessionState":
        """Leave out pairs."""
        kept = [k for k, pair_id in enumerate(self.pair_ids) if pair_id not in pair_ids]
        return replace(
            self,
            landmarks=self.landmarks.subset(kept),
            pair_ids=tuple(self.pair_ids[k] for k in kept),
        )

    def with_landmarks(self, landmarks: Landmarks) -> "SessionState":
        """Exchange all pairs for others, which get new ids."""
        ids = tuple(range(self.next_id, self.next_id + len(landmarks)))
        return replace(self, landmarks=landmarks, pair_ids=ids, next_id=self.next_id + len(landmarks))


def is_placed(landmarks: Landmarks, index: int, side: Side) -> bool:
    """Tell whether the point of one side of a pair has been set."""
    point = landmarks.fixed[index] if side == "fixed" else landmarks.moving[index]
    return bool((point == point).all())


def _rests_on_the_same(state: SessionState, known: SessionState) -> bool:
    """Whether the fits of two states must be alike, whatever the pairs are called."""
    ours, theirs = state.landmarks, known.landmarks
    return (
        (state.model, state.follow) == (known.model, known.follow)
        and state.placement is known.placement
        and state.pair_ids == known.pair_ids
        and np.array_equal(ours.fixed, theirs.fixed, equal_nan=True)
        and np.array_equal(ours.moving, theirs.moving, equal_nan=True)
        and np.array_equal(ours.enabled, theirs.enabled)
    )
