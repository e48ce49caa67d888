"""Everything that can go wrong, as one small tree.

::

    HistregError
    ├── ReadError              a file or slide cannot be used
    │   ├── UnsupportedFormat  no reader knows this kind of file
    │   ├── DamagedFile        missing, empty, truncated or contradictory
    │   └── MissingPixelSize   µm are needed and the slide does not know its own
    ├── WriteError             a result cannot be written where it should go
    │   └── OutputIsInput      it would replace something that is read
    ├── TransformError
    │   ├── DegenerateFit      the points do not determine the transform
    │   ├── NotInvertible      the transform has no inverse
    │   └── UnsupportedDialect a matrix or landmark layout that is not known
    ├── LandmarkError          a landmark table that cannot be understood
    ├── RegistrationError      the images could not be aligned: a refusal, with its reason
    │   ├── NoTissue           nothing to align in one of the images
    │   ├── NotEnoughMatches   too few points agree
    │   └── NotConverged       the optimiser found no stable answer
    └── MissingDependency      an optional package is not installed (also an ImportError)

    Cancelled                  the user stopped the work; not a HistregError, so that no
                               broad handler swallows it

Each message says what is wrong with which value and what to do about it. It never speaks of flags of the
command line or of buttons: `HistregError.wants` names what could be given, and each way in says how.
"""

__all__ = [
    "Cancelled",
    "DamagedFile",
    "DegenerateFit",
    "HistregError",
    "LandmarkError",
    "MissingDependency",
    "MissingPixelSize",
    "NoTissue",
    "NotConverged",
    "NotEnoughMatches",
    "NotInvertible",
    "OutputIsInput",
    "ReadError",
    "RegistrationError",
    "TransformError",
    "UnsupportedDialect",
    "UnsupportedFormat",
    "WriteError",
]


class HistregError(Exception):
    """Root of all errors that this package raises on purpose.

    Parameters
    ----------
    message : str
        What is wrong with which value, and what to do.
    wants : str
        What the caller could give to get on, such as "moving slide". How it is given differs between
        Python, the command line and the window: each adds its own words.
    """

    def __init__(self, message: str = "", *, wants: str = "") -> None:
        super().__init__(message)
        self.wants = wants


class ReadError(HistregError):
    """A file or slide cannot be used."""


class UnsupportedFormat(ReadError):
    """No reader knows this kind of file."""


class DamagedFile(ReadError):
    """A file is missing, empty, truncated or contradicts itself."""


class MissingPixelSize(ReadError):
    """The pixel size in µm is needed and the slide does not know it."""


class WriteError(HistregError):
    """A result cannot be written where it should go."""


class OutputIsInput(WriteError):
    """A result would replace, or lie within, something that is read for it."""


class TransformError(HistregError):
    """A transform cannot be made, inverted or read."""


class DegenerateFit(TransformError):
    """The points do not determine the transform asked for."""


class NotInvertible(TransformError):
    """The transform has no inverse."""


class UnsupportedDialect(TransformError):
    """A file layout for matrices or landmarks that is not known or cannot carry the value."""


class LandmarkError(HistregError):
    """A landmark table cannot be understood."""


class RegistrationError(HistregError):
    """The images could not be aligned."""


class NoTissue(RegistrationError):
    """One of the images holds nothing that could be aligned."""


class NotEnoughMatches(RegistrationError):
    """Too few points of the two images agree."""


class NotConverged(RegistrationError):
    """The optimiser found no stable answer."""


class MissingDependency(HistregError, ImportError):
    """An optional package is not installed; the message holds the install line."""


class Cancelled(Exception):
    """The user stopped the work."""
