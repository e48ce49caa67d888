"""Finding the slides of a registration again."""

from napari_histreg.errors import DamagedFile, RegistrationError
from napari_histreg.records.places import is_there
from napari_histreg.records.record import Registration, SlideRecord
from napari_histreg.slides import Slide, open_slide
from napari_histreg.slides.address import file_of
from napari_histreg.slides.fingerprint import fingerprint

__all__ = ["reopen", "reopen_fixed", "reopen_moving", "require_result"]


def reopen_fixed(registration: Registration, path: str | None = None) -> Slide:
    """Open the fixed slide again; see `reopen_moving`."""
    return reopen(registration.fixed, path, "fixed slide")


def reopen_moving(
    registration: Registration, path: str | None = None, *, even_if_refused: bool = False
) -> Slide:
    """Open the moving slide of a registration again, and make sure that it is the same.

    Parameters
    ----------
    registration : Registration
        The record.
    path : str, optional
        Where the file is now; by default where it was.
    even_if_refused : bool
        Also where the registration was refused.

    Raises
    ------
    RegistrationError
        The registration was refused, so that there is nothing to apply.
    ReadError
        The file is not there or is another slide.
    """
    require_result(registration, even_if_refused=even_if_refused)
    return reopen(registration.moving, path, "moving slide")


def require_result(registration: Registration, *, even_if_refused: bool = False) -> None:
    """Make sure that there is something to apply.

    Raises
    ------
    RegistrationError
        The registration was refused and `even_if_refused` is not set, or there is not even a guess.
    """
    if registration.verdict == "refused" and not (even_if_refused and registration.has_transform):
        raise RegistrationError(
            f"This registration was refused: {' '.join(registration.reasons)} "
            "Its best guess, where there is one, is used only where that is asked for.",
            wants="even if refused",
        )


def reopen(record: SlideRecord, path: str | None, what: str) -> Slide:
    """Open a slide again, and make sure that it is the same.

    Parameters
    ----------
    record : SlideRecord
        What is remembered of it.
    path : str, optional
        Where the file is now; by default where it was.
    what : str
        What to call it in errors, and what they want: "fixed slide", "moving slide", "slide of the group".

    Returns
    -------
    Slide
        With the pixel size that it had.

    Raises
    ------
    ReadError
        The file is not there or is another slide.
    """
    where = path or record.path
    if where is None:
        raise DamagedFile(f"The {what} {record.name} was not a file. Give one.", wants=what)
    if not is_there(file_of(where)):
        raise DamagedFile(f"The {what} {where[:300]} is not there any more. Say where it is.", wants=what)
    slide = open_slide(where, pixel_size_um=record.pixel_size_um)
    if slide.shape != record.shape or fingerprint(slide) != record.fingerprint:
        slide.close()
        raise DamagedFile(f"{where} is not the {what} that was aligned: its content is another.")
    return slide
