"""Files that describe themselves: a format, a version, and fields that are checked one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from napari_histreg.errors import DamagedFile, HistregError
from napari_histreg.files.faults import first_fault

__all__ = ["checked_layout", "usable_transforms"]

_Layout = TypeVar("_Layout", bound=BaseModel)


def checked_layout(
    values: Any, name: str, layout: type[_Layout], *, what: str, file_format: str, version: int
) -> _Layout:
    """Check what a JSON file holds against its layout.

    Parameters
    ----------
    values : object
        What the file holds.
    name : str
        What to call the file in errors.
    layout : type
        A pydantic model.
    what : str
        What the file should be, as in "registration".
    file_format : str
        What its "format" must say.
    version : int
        The version of the layout that is read.

    Returns
    -------
    The layout, filled in.

    Raises
    ------
    DamagedFile
        It is something else, of another version, or a field is wrong; the message names it.
    """
    if not isinstance(values, dict) or values.get("format") != file_format:
        raise DamagedFile(f'{name} is not a {what}: its "format" is not "{file_format}".')
    if values.get("version") != version:
        raise DamagedFile(
            f"{name} has version {values.get('version')!r} of the layout; this program reads {version}. "
            "Update napari-histreg."
        )
    try:
        return layout.model_validate(values)
    except ValidationError as error:
        raise DamagedFile(f"{name} is damaged at {first_fault(error)}.") from error


@contextmanager
def usable_transforms(name: str) -> Iterator[None]:
    """Turn what goes wrong while transforms are rebuilt into one sentence with the file's name."""
    try:
        yield
    except DamagedFile:
        raise
    except (HistregError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise DamagedFile(f"{name} holds no usable transform: {error}") from error
