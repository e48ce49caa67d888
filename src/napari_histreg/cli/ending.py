"""How the command line ends: one line for an error, and the right exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from napari_histreg.errors import Cancelled, HistregError, RegistrationError

__all__ = ["FAILED", "REFUSED", "STOPPED", "ended_well"]

FAILED, REFUSED, STOPPED = 1, 3, 130


@contextmanager
def ended_well(*, show_traceback: bool) -> Iterator[None]:
    """Turn what can go wrong into one line on stderr and an exit code.

    Parameters
    ----------
    show_traceback : bool
        Let the traceback through instead.
    """
    try:
        yield
    except SystemExit as ending:
        if ending.code == STOPPED:
            _say("Stopped. No half-written file was left.")
        raise
    except (KeyboardInterrupt, Cancelled):
        _say("Stopped. No half-written file was left.")
        sys.exit(STOPPED)
    except RegistrationError as error:
        if show_traceback:
            raise
        _say(f"Refused: {error}")
        sys.exit(REFUSED)
    except (HistregError, ValueError) as error:
        if show_traceback:
            raise
        _say(f"Error: {error}")
        sys.exit(FAILED)
    except Exception as error:
        if show_traceback:
            raise
        _say(f"Unexpected {type(error).__name__}: {error} - run again with --debug to see where.")
        sys.exit(FAILED)


def _say(sentence: str) -> None:
    print(" ".join(sentence.split()), file=sys.stderr)  # noqa: T201
