"""How the command line ends: one line for an error, and the right exit code."""

import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from napari_histreg.cli.advice import advice
from napari_histreg.cli.signals import STOPPED_SENTENCE, listening
from napari_histreg.errors import Cancelled, HistregError, OutputIsInput, RegistrationError

__all__ = ["FAILED", "REFUSED", "STOPPED", "WRONG_USAGE", "ended_well"]

FAILED, WRONG_USAGE, REFUSED, STOPPED = 1, 2, 3, 130


@contextmanager
def ended_well(*, show_traceback: bool) -> Iterator[None]:
    """Turn what can go wrong into one line on stderr and an exit code.

    Parameters
    ----------
    show_traceback : bool
        Let the traceback through instead.
    """
    with listening() as stop, _one_line(show_traceback):
        try:
            yield
        except SystemExit as ending:
            if ending.code != STOPPED:
                raise
            _stop(stop.code)
        except (KeyboardInterrupt, Cancelled):
            _stop(stop.code)
        except Exception:
            # Code in C++ turns what it does not know into errors of its own.
            if stop.number is None or stop.is_due:
                raise
            _stop(stop.code)


def _stop(code: int) -> NoReturn:
    """Say it, and end with this code and no other.

    CPython notes a KeyboardInterrupt that leaves an ``exec`` of text (the making of a dataclass, say), and at
    its end raises the signal again whatever code was asked for; the next text that runs clears the note.
    What other threads were at, reads and writes of Zarr for example, is broken off; of each of them Python
    would tell in many lines, after the one that counts.
    """
    _say(STOPPED_SENTENCE)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None
    threading.excepthook = lambda _: None
    eval("None")
    sys.exit(code)


@contextmanager
def _one_line(show_traceback: bool) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if show_traceback:
            raise
        beginning, code = next(ending[1:] for ending in _ENDINGS if isinstance(error, ending[0]))
        sentence = _NO_MEMORY if isinstance(error, MemoryError) else str(error)
        if beginning == _UNEXPECTED:
            beginning = f"Unexpected {type(error).__name__}"
            sentence += " - run again with --debug to see where."
        _say(f"{beginning}: {sentence} {advice(error)}")
        sys.exit(code)


_UNEXPECTED = "Unexpected"
_NO_MEMORY = "there is not enough memory for this. Take a smaller part, or a larger machine."
_ENDINGS: tuple[tuple[type[Exception], str, int], ...] = (
    (RegistrationError, "Refused", REFUSED),
    (OutputIsInput, "Error", WRONG_USAGE),
    (HistregError, "Error", FAILED),
    (ValueError, "Error", FAILED),
    (MemoryError, "Error", FAILED),
    (Exception, _UNEXPECTED, FAILED),
)


def _say(sentence: str) -> None:
    print(" ".join(sentence.split()), file=sys.stderr)  # noqa: T201
