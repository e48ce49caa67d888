"""What the command line adds to an error: the flag that gives what is wanted."""

from napari_histreg.errors import HistregError

__all__ = ["ADVICE", "advice"]

ADVICE = {
    "fixed slide": "Pass --fixed SLIDE.",
    "moving slide": "Pass --moving SLIDE.",
    "slide of the group": "Pass --slides DIR, the folder where the slides are.",
    "group": "Make one with: histreg group SLIDES -o DIR.",
    "even if refused": "Pass --even-if-refused to use it.",
    "landmarks": "Pass --landmarks CSV.",
    "moving landmarks": "Pass --moving-landmarks FILE.",
    "columns": "Pass --columns X,Y.",
    "overwrite": "Pass --overwrite to replace what is there.",
}
"""What an error wants (`HistregError.wants`) to the sentence that says how to give it here."""


def advice(error: Exception) -> str:
    """Return the sentence that goes behind an error's own; empty where there is none.

    Examples
    --------
    >>> advice(HistregError("The moving slide is not there any more.", wants="moving slide"))
    'Pass --moving SLIDE.'
    """
    return ADVICE[error.wants] if isinstance(error, HistregError) and error.wants else ""
