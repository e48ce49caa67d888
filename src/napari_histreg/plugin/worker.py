"""A core call in a thread, with progress and cancel, so that the window stays usable."""

import threading
import time
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QThreadPool, Signal

from napari_histreg.errors import Cancelled, HistregError
from napari_histreg.progress import Progress

__all__ = ["Task"]

REPORTS_PER_SECOND = 20.0


class Task(QObject):  # type: ignore[misc]  # qtpy has no types
    """One call of the library, running in a thread.

    Of `returned`, `failed` and `cancelled` exactly one is emitted, then `finished`; all of them in the
    thread of the window. An error of the library is shown once, with its own sentence.

    Parameters
    ----------
    call : callable
        Takes a `Progress` as its only argument. It must not touch layers or widgets.
    parent : QObject, optional
        The widget that started it.
    notify : bool
        Whether napari notifies of an error; not where the widget itself shows the sentence.

    Attributes
    ----------
    progressed : Signal(float, str)
        Fraction, 0 to 1, and what is being done; at most twenty times a second.
    returned : Signal(object)
        The result.
    failed : Signal(str)
        The sentence of the error.
    cancelled, finished : Signal()
    """

    progressed = Signal(float, str)
    returned = Signal(object)
    failed = Signal(str)
    cancelled = Signal()
    finished = Signal()

    def __init__(
        self, call: Callable[[Progress], Any], parent: QObject | None = None, *, notify: bool = True
    ) -> None:
        super().__init__(parent)
        self._notify = notify
        self._stop = threading.Event()
        self._work = _Work(call, self._stop, self.progressed.emit)
        self._worker: Any = None

    @property
    def is_running(self) -> bool:
        """Whether the thread is still at work."""
        return self._worker is not None

    def start(self) -> None:
        """Start the thread; once only."""
        from napari.qt.threading import create_worker

        self._worker = create_worker(self._work.run, _start_thread=False)
        self._worker.returned.connect(self._end)
        self._worker.errored.connect(self._end_in_error)
        self._worker.start()

    def cancel(self) -> None:
        """Ask the call to stop; it does at its next report of progress."""
        self._stop.set()

    def wait(self, seconds: float = 5.0) -> None:
        """Stop and wait for the thread; what it found is dropped."""
        self._stop.set()
        self.blockSignals(True)
        end = time.monotonic() + seconds
        while self._worker is not None and self._worker.is_running and time.monotonic() < end:
            QThreadPool.globalInstance().waitForDone(20)
        self._let_go()

    def _let_go(self) -> None:
        """Drop the call with all it holds: napari remembers the worker as long as its window is open."""
        self._worker = None
        self._work.clear()

    def _end(self, outcome: tuple[str, Any]) -> None:
        from napari.utils.notifications import show_error

        self._let_go()
        how, value = outcome
        if how == "failed":
            if self._notify:
                show_error(value)
            self.failed.emit(value)
        elif how == "cancelled" or self._stop.is_set():
            # After a cancel nobody waits for a result that came all the same.
            self.cancelled.emit()
        else:
            self.returned.emit(value)
        self.finished.emit()

    def _end_in_error(self, error: Exception) -> None:
        """End where a defect came up, of which napari itself notifies with its traceback."""
        self._let_go()
        self.failed.emit(f"Something unforeseen went wrong: {error}")
        self.finished.emit()


class _Work:
    """What runs in the thread; knows nothing of the task but how to tell it."""

    def __init__(
        self, call: Callable[[Progress], Any], stop: threading.Event, tell: Callable[[float, str], None]
    ) -> None:
        self._call: Callable[[Progress], Any] | None = call
        self._stop = stop
        self._tell: Callable[[float, str], None] | None = tell
        self._last_report = 0.0
        self._last_message = ""

    def run(self) -> tuple[str, Any]:
        """Make the call and return how it ended, and with what."""
        call = self._call
        if call is None:
            return "cancelled", None
        try:
            return "returned", call(self._report)
        except Cancelled:
            return "cancelled", None
        except (HistregError, ValueError) as error:
            return "failed", str(error)

    def clear(self) -> None:
        """Let go of the call."""
        self._call = self._tell = None

    def _report(self, fraction: float, message: str) -> None:
        tell = self._tell
        if self._stop.is_set() or tell is None:
            raise Cancelled
        now = time.monotonic()
        if message != self._last_message or now - self._last_report > 1 / REPORTS_PER_SECOND:
            self._last_report, self._last_message = now, message
            tell(fraction, message)
