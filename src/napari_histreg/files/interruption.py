"""Steps that a signal may come before or after, but not into."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["uninterrupted"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def uninterrupted() -> Iterator[list[int]]:
    """Hold back Ctrl-C and the wish to end until the block is over; they are obeyed then.

    For a few renames; or for code in C++ that calls back and cannot pass on what is raised there, which then
    looks at what has come, and ends soon. In threads other than the main one nothing need be held back, for
    signals never arrive there.

    Yields
    ------
    list of int
        The signals that have come so far.

    Examples
    --------
    >>> with uninterrupted() as came:
    ...     len(came)
    0
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, note) for number in _SIGNALS}
    try:
        yield came
    finally:
        for number, handler in before.items():
            # None stands for a handler that was not set from Python and cannot be given back by it.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if came:
            signal.raise_signal(came[0])
