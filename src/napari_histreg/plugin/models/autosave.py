"""Saving by itself, so that a crash costs at most a few seconds of work."""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from napari_histreg.errors import HistregError, WriteError
from napari_histreg.plugin.models.session import Session
from napari_histreg.plugin.models.session_file import SavedSession, read_session, write_session
from napari_histreg.plugin.models.session_state import SessionState
from napari_histreg.plugin.user_folders import session_folder
from napari_histreg.records.record import SlideRecord

__all__ = ["Autosave"]

INTERVAL_SECONDS = 2.0

_log = logging.getLogger(__name__)


class Autosave:
    """Writes a session to a file of its own soon after each change.

    The first change is written at once, further ones at most every two seconds: whoever owns a clock
    calls `tick` now and then. For each pairing of slides there is one file, and beside it the one that a
    former sitting left, so that starting anew never destroys it.

    Parameters
    ----------
    session : Session
        Written whenever its state changes.
    folder : Path, optional
        Where to write; made where it is missing.
    clock : callable
        Seconds that only grow.
    """

    def __init__(
        self, session: Session, folder: Path | None = None, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._session = session
        self._folder = session_folder() if folder is None else folder
        self._clock = clock
        self._last = -INTERVAL_SECONDS
        self._records: tuple[SlideRecord, SlideRecord] | None = None
        self._unsaved: SessionState | None = None
        self._began = False
        self.problem: str | None = None
        """Why nothing can be written, for the user."""
        session.events.slides_changed.connect(self._begin)
        session.events.state_changed.connect(self._note)
        self._begin()

    @property
    def path(self) -> Path | None:
        """The file of the slides chosen now; None before both are chosen."""
        if self._records is None:
            return None
        identity = "|".join(record.fingerprint for record in self._records)
        return self._folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:24]}.histreg.json"

    def found(self) -> SavedSession | None:
        """Return what a former sitting left for these slides, if it holds anything worth restoring."""
        path = self.path
        if path is None or self._began or self._session.undo_label is not None:
            return None
        try:
            saved = read_session(path)
        except HistregError:
            return None
        return saved if len(saved.state.landmarks) or saved.state.placement_origin != "initial" else None

    def tick(self) -> None:
        """Write what has changed, if the last writing is long enough ago."""
        if self._unsaved is not None and self._clock() - self._last >= INTERVAL_SECONDS:
            self.write_now()

    def write_now(self) -> None:
        """Write what has changed, however short ago the last writing was; for closing."""
        path, state = self.path, self._unsaved
        self._unsaved = None
        if state is None or path is None or self._records is None:
            return
        self._last = self._clock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not self._began and path.exists():
                path.replace(path.with_name("before-" + path.name))
            write_session(path, *self._records, state)
        except (OSError, WriteError) as error:
            self.problem = f"The session cannot be saved by itself: {error}. Save it by hand."
            _log.warning("%s", self.problem)
            return
        self._began = True
        self.problem = None

    def stop(self) -> None:
        """Write what is left and listen no more."""
        self.write_now()
        self._session.events.slides_changed.disconnect(self._begin)
        self._session.events.state_changed.disconnect(self._note)

    def _begin(self) -> None:
        self.write_now()
        fixed, moving = self._session.fixed, self._session.moving
        self._began = False
        self._records = None
        if self._session.is_ready and fixed is not None and moving is not None:
            self._records = fixed.record, moving.record

    def _note(self, state: SessionState) -> None:
        # A pairing that was just chosen has nothing to save yet.
        if self._session.undo_label is not None or self._session.redo_label is not None:
            self._unsaved = state
            self.tick()
