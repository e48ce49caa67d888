"""Snapping a pair: its partner put where the two slides match best."""

import numpy as np

from napari_histreg.landmarks import predict
from napari_histreg.plugin.models.pair_table import error_text
from napari_histreg.plugin.models.session import Session
from napari_histreg.plugin.models.session_state import Side, is_placed
from napari_histreg.progress import Progress, silent
from napari_histreg.registration.snapping import Snap, snap_point
from napari_histreg.units import unit_sign

__all__ = ["PairSnap"]

LEAST_REACH_SHARE = 0.01
"""How far to look at least, as a share of the slide's diagonal: hands are not surer than that."""
MOST_REACH_SHARE = 0.05


class PairSnap:
    """One search for the partner of a pair's point.

    What it needs is noted when it is made, so that `find` may run in a thread.

    Parameters
    ----------
    session : Session
        With two slides.
    pair_id : int
        The pair. If it waits for one of its points, that one is looked for, near to where it is
        expected; otherwise its moving point, near to where it is.
    """

    def __init__(self, session: Session, pair_id: int) -> None:
        state, index = session.state, session.state.index(pair_id)
        fixed, moving = session.fixed, session.moving
        if fixed is None or moving is None:
            raise ValueError("Choose a fixed and a moving slide first.")
        self._session, self._pair_id, self._slides = session, pair_id, (fixed, moving)
        self.side: Side = "moving" if is_placed(state.landmarks, index, "fixed") else "fixed"
        self._near = None
        if self.side == "moving":
            self._here, self._there = fixed.slide, moving.slide
            self._point = state.landmarks.fixed[index]
            self._here_to_there = state.fixed_to_moving
            if is_placed(state.landmarks, index, "moving"):
                self._near = state.landmarks.moving[index]
        else:
            self._here, self._there = moving.slide, fixed.slide
            self._point = state.landmarks.moving[index]
            self._here_to_there = state.fixed_to_moving.inverse()
        self._reach = self._search_radius()

    def find(self, progress: Progress = silent) -> Snap:
        """Look for the best match.

        Raises
        ------
        NotConverged
            There is none that stands out.
        """
        return snap_point(
            self._here,
            self._there,
            self._here_to_there,
            self._point,
            near=self._near,
            reach=self._reach,
            progress=progress,
        )

    def accept(self, snap: Snap) -> str:
        """Put the point where the match is, and say so."""
        if (self._session.fixed, self._session.moving) != self._slides:
            return "Other slides were chosen meanwhile, so nothing was snapped."
        if self._pair_id not in self._session.state.pair_ids:
            return "The pair was deleted meanwhile, so nothing was snapped."
        name = self._session.state.name(self._pair_id)
        self._session.move_point(self._pair_id, self.side, snap.point)
        unit = unit_sign(self._here.unit)
        return (
            f"Pair {name} snapped: correlation {snap.correlation:.2f}, "
            f"{error_text(snap.shift)} {unit} from where it was expected."
        )

    def _search_radius(self) -> float:
        """Return how far to look, in the world of the slide that holds the point."""
        diagonal = float(np.hypot(*self._here.size))
        fit = self._session.state.fit
        doubt = 0.0
        if fit is not None and self._session.state.usable_count >= 2:
            given = "fixed" if self.side == "moving" else "moving"
            doubt = float(np.nan_to_num(predict(fit, self._point, given=given).uncertainty))
        return float(np.clip(3 * doubt, LEAST_REACH_SHARE * diagonal, MOST_REACH_SHARE * diagonal))
