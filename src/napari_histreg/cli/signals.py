"""How the command line takes Ctrl-C, and the wish of a scheduler or a container that it ends."""

import atexit
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["STOPPED_SENTENCE", "Stop", "Stopped", "listening", "speak_any_name", "stopping_at_once"]

STOPPED_SENTENCE = "Stopped. No half-written file was left."
_IMPATIENT_SECONDS = 3.0
_LOOK_SECONDS = 0.02
_CAN_WAIT = hasattr(signal, "setitimer")
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopped(KeyboardInterrupt):
    """A signal came; `code` is what a shell expects of a program that it ended."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = 128 + number


class Stop:
    """Which signal came, if any did; its number makes the exit code."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.came = 0.0
        self.is_due = False

    @property
    def code(self) -> int:
        """What a shell expects of a program that a signal ended; 130 (Ctrl-C) where none came."""
        return 128 + (self.number or signal.SIGINT)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Raise `Stopped` once, so that everything on the way out tidies up; not within an import."""
        if self.number is None:
            self.number, self.came, self.is_due = number, time.monotonic(), True
        elif time.monotonic() - self.came > _IMPATIENT_SECONDS:
            os._exit(self.code)
        self.look_again(number, frame)

    def look_again(self, number: int, frame: FrameType | None) -> None:
        """Raise where the signal is still to be obeyed, or look once more when the import may be over."""
        if self.number is None or not self.is_due:
            return
        if _CAN_WAIT and _is_importing(frame):
            signal.signal(signal.SIGALRM, self.look_again)
            signal.setitimer(signal.ITIMER_REAL, _LOOK_SECONDS)
            return
        self.is_due = False
        raise Stopped(self.number)


def _is_importing(frame: FrameType | None) -> bool:
    """Tell whether a module is being made: one of C++ that is broken off there ends the process later."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


class _TooLate:
    """The work is done and the program is going: a signal changes nothing any more, a second one hurries."""

    def __init__(self) -> None:
        self._came = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Go on ending, or end at once."""
        if self._came:
            os._exit(128 + number)
        self._came = True


def _leave(number: int, frame: FrameType | None) -> None:
    """End while the program is still being loaded and nothing has begun."""
    os.write(2, f"{STOPPED_SENTENCE}\n".encode())
    os._exit(128 + number)


def stopping_at_once() -> None:
    """Until `listening` begins, end at once and without a traceback; after it, with the code of the work.

    What is registered first is called last: then Python takes its handlers away, and a signal that came
    between that and the end would end the process without any code.
    """
    atexit.register(_be_deaf)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)


def _be_deaf() -> None:
    for number in (*_SIGNALS, signal.SIGALRM) if _CAN_WAIT else _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def listening() -> Iterator[Stop]:
    """Turn signals into `Stopped` while the block runs; what is ignored (nohup) stays ignored."""
    stop = Stop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield stop
    finally:
        # A signal that still waits for the end of an import came too late; its timer would end the process.
        stop.is_due = False
        if _CAN_WAIT:
            signal.setitimer(signal.ITIMER_REAL, 0)
        too_late = _TooLate()
        for number, handler in before.items():
            given_back = signal.SIG_DFL if handler is None else handler
            signal.signal(number, too_late if handler is _leave else given_back)


def speak_any_name() -> None:
    """Let names that the terminal cannot show be shown with escapes, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
