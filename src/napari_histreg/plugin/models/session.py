"""Session: what is being aligned in one viewer, and the edits of it."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.models.hand_moves import dragged, turned
from napari_histreg.plugin.models.session_core import SessionCore, fingerprints_of
from napari_histreg.plugin.models.session_state import (
    PAIRS_TO_TAKE_OVER,
    Origin,
    SessionState,
    Side,
    is_placed,
)
from napari_histreg.transforms import Transform

__all__ = ["Session", "fingerprints_of"]


class Session(SessionCore):
    """The slides chosen in one viewer, their pairs, where the moving slide lies, and the history of it.

    Every edit makes a new `SessionState`; undo and redo go back and forth between them. Each pairing of
    slides has a history of its own, which is there again when the slides are chosen again.

    Attributes
    ----------
    events : SessionSignals
        Connect to these to hear of changes.

    Examples
    --------
    >>> session = Session()
    >>> pair = session.add_pair([10, 10], [13, 14])
    >>> session.fixed_to_moving([[0, 0]]).tolist()
    [[3.0, 4.0]]
    >>> session.undo()
    >>> len(session.landmarks), session.redo_label
    (0, 'add pair 1')
    """

    def set_next_side(self, side: Side) -> None:
        """Say which side is to be clicked next; without effect while a pair waits for its second point."""
        self._side = side
        self.events.side_changed.emit(self.next_side)

    def click(self, side: Side, point: ArrayLike) -> int:
        """Take a click on one side: the first or second point of a pair, and return the pair's id.

        A second click on the same side puts the waiting point elsewhere.
        """
        waiting = self.state.waiting
        if waiting is None:
            self._side = side
            point_of = {side: point}
            return self.add_pair(point_of.get("fixed"), point_of.get("moving"))
        pair_id, missing = waiting
        word = "complete" if side == missing else "move"
        self._place_point(pair_id, side, point, f"{word} pair {self.state.name(pair_id)}")
        return pair_id

    def add_pair(
        self, fixed: ArrayLike | None, moving: ArrayLike | None, *, confidence: float | None = None
    ) -> int:
        """Add a pair, None leaving a point to be clicked, and return its id."""
        state = self.state.with_pair(fixed, moving, confidence=confidence)
        self._do(_taken_over(state), f"add pair {state.landmarks.names[-1]}")
        return state.pair_ids[-1]

    def move_point(self, pair_id: int, side: Side, point: ArrayLike) -> None:
        """Put a point of a pair elsewhere."""
        self._place_point(pair_id, side, point, f"move pair {self.state.name(pair_id)}")

    def delete_pairs(self, pair_ids: Iterable[int]) -> None:
        """Delete pairs; ids that are not there are passed over."""
        gone = [pair_id for pair_id in self.state.pair_ids if pair_id in set(pair_ids)]
        if gone:
            what = f"pair {self.state.name(gone[0])}" if len(gone) == 1 else f"{len(gone)} pairs"
            self._do(self.state.without_pairs(set(gone)), f"delete {what}")

    def switch_pair(self, pair_id: int, enabled: bool) -> None:
        """Let a pair count, or not."""
        state, index = self.state, self.state.index(pair_id)
        if bool(state.landmarks.enabled[index]) != enabled:
            landmarks = state.landmarks.switched(index, enabled)
            word = "switch on" if enabled else "switch off"
            self._do(replace(state, landmarks=landmarks), f"{word} pair {state.name(pair_id)}")

    def rename_pair(self, pair_id: int, name: str) -> None:
        """Give a pair another name.

        Raises
        ------
        ValueError
            Another pair has it already, or it is empty.
        """
        state, wanted = self.state, name.strip()
        if not wanted:
            raise ValueError("A pair needs a name. Type one, or press Escape to keep the old one.")
        if state.name(pair_id) == wanted:
            return
        landmarks = state.landmarks.renamed(state.index(pair_id), wanted)
        self._do(replace(state, landmarks=landmarks), f"rename pair {state.name(pair_id)}")

    def replace_landmarks(self, landmarks: Landmarks, label: str = "load landmarks") -> None:
        """Exchange all pairs for others, which decide from now on."""
        self._do(replace(self.state.with_landmarks(landmarks), follow=True, handover="settled"), label)

    def take_points(self, side: Side, names: Iterable[str], points: ArrayLike, label: str) -> None:
        """Take the points of one slide: each completes the pair of its name, or begins one of that name."""
        state = self.state
        for name, point in zip(names, np.asarray(points, float), strict=True):
            landmarks = state.landmarks
            if name in landmarks.names:
                moved = landmarks.moved(name, **{side: point})
            else:
                sides = (point, None) if side == "fixed" else (None, point)
                moved = landmarks.with_pair(*sides, name=name)
                state = replace(
                    state,
                    landmarks=moved,
                    pair_ids=(*state.pair_ids, state.next_id),
                    next_id=state.next_id + 1,
                )
            state = replace(state, landmarks=moved)
        self._do(_taken_over(state), label)

    def set_model(self, model: str) -> None:
        """Choose the model to fit: "auto" or one of `napari_histreg.landmarks.LANDMARK_MODELS`."""
        if model != self.state.model:
            self._do(replace(self.state, model=model), f"model {model}")

    def set_follow(self, follow: bool) -> None:
        """Let the pairs decide where the moving slide lies, or only measure it."""
        if follow != self.state.follow:
            word = "follow the pairs" if follow else "only measure the pairs"
            self._do(replace(self.state, follow=follow, handover="settled"), word)
        elif self.state.handover != "settled":
            self._do(replace(self.state, handover="settled"), "keep who decides")

    def turn(self, turn: str) -> None:
        """Flip or turn the moving slide about its centre; see `plugin.models.hand_moves.TURNS`.

        Raises
        ------
        ValueError
            No moving slide is chosen.
        """
        if self._moving is None:
            raise ValueError("There is no moving slide to turn. Choose one first.")
        self._put(turned(self.state.fixed_to_moving, self._moving.slide, turn), "turned", turn)

    def preview_drag(self, start: ArrayLike, stop: ArrayLike, *, about: ArrayLike | None = None) -> None:
        """Show the moving slide where the mouse holds it, without an entry in the history.

        Parameters
        ----------
        start, stop : (2,) array_like
            Where the mouse was pressed and where it is, in the fixed slide's world.
        about : (2,) array_like, optional
            To turn about this point; by default the slide is shifted.
        """
        self._preview = dragged(self.state.fixed_to_moving, start, stop, about=about)
        self.events.transform_changed.emit(self._preview)

    def end_drag(self) -> None:
        """Keep the place where the mouse has let go, as one entry in the history."""
        if self._preview is not None:
            self._put(self._preview, "dragged", "drag the moving slide")

    def cancel_drag(self) -> None:
        """Put the moving slide back where the drag began."""
        if self._preview is not None:
            self._preview = None
            self.events.transform_changed.emit(self.fixed_to_moving)

    def _put(self, placement: Transform, origin: Origin, label: str) -> None:
        state = replace(
            self.state,
            placement=placement,
            placement_origin=origin,
            registration=None,
            follow=True,
            handover="settled",
        )
        self._do(state, label)

    def _place_point(self, pair_id: int, side: Side, point: ArrayLike, label: str) -> None:
        index = self.state.index(pair_id)
        before = self.landmarks.fixed if side == "fixed" else self.landmarks.moving
        if is_placed(self.landmarks, index, side) and np.array_equal(before[index], np.asarray(point)):
            return
        landmarks = self.landmarks.moved(index, **{side: point})
        self._do(_taken_over(replace(self.state, landmarks=landmarks)), label)


def _taken_over(state: SessionState) -> SessionState:
    """Let pairs decide in place of a guess, once there are enough; have asked where it was a result."""
    if state.handover == "third pair" and state.usable_count >= PAIRS_TO_TAKE_OVER:
        return replace(state, follow=True, handover="settled")
    if state.handover == "ask" and state.usable_count and state.waiting is None:
        return replace(state, handover="asking")
    return state
