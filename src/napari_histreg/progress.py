"""How long work tells where it stands, and how it is stopped.

Work that can exceed a second takes ``progress``, a callable of a fraction (0 to 1) and a short
message. To cancel, the callable raises `Cancelled`: the work below knows nothing else.
"""

from collections.abc import Callable

from napari_histreg.errors import Cancelled

__all__ = ["Cancelled", "Progress", "portion", "silent"]

Progress = Callable[[float, str], None]


def silent(fraction: float, message: str) -> None:
    """Take a progress report and do nothing with it.

    Parameters
    ----------
    fraction : float
        How much is done, 0 to 1.
    message : str
        What is being done.
    """


def portion(progress: Progress, start: float, stop: float) -> Progress:
    """Hand a part of the progress range to a sub-step.

    Parameters
    ----------
    progress : Progress
        The callable to report to.
    start, stop : float
        Where the sub-step begins and ends on the whole scale, 0 to 1.

    Returns
    -------
    Progress
        Maps the sub-step's 0 to 1 onto `start` to `stop`.

    Examples
    --------
    >>> half = portion(lambda fraction, message: print(fraction, message), 0.5, 1.0)
    >>> half(0.5, "refining")
    0.75 refining
    """

    def report(fraction: float, message: str) -> None:
        progress(start + (stop - start) * min(max(fraction, 0.0), 1.0), message)

    return report
