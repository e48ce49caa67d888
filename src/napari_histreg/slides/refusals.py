"""What is said about files that cannot be opened: what is wrong with them and what to do."""

import struct
from pathlib import Path

from napari_histreg.errors import DamagedFile, MissingDependency, ReadError, UnsupportedFormat
from napari_histreg.files.reading import opened
from napari_histreg.slides.reader_table import READERS
from napari_histreg.volumes.sniffing import is_whole_slide

__all__ = ["best_error", "first_bytes", "is_shell", "needs_slideio"]

VSI_VOLUME = struct.pack("<HH", 24, 21321)


def first_bytes(path: Path) -> bytes:
    """Return how a file begins; refuse what is not a readable file."""
    try:
        if path.is_dir():
            raise _folder_error(path)
    except (OSError, ValueError):
        pass  # said by what opens it
    with opened(path) as file:
        try:
            head = file.read(64)
        except OSError as error:
            raise DamagedFile(f"{path} cannot be read: {error.strerror}. Check the disk.") from None
    if not head:
        raise DamagedFile(f"{path} is empty (0 bytes). Copy it again from its source.")
    return head


def is_shell(path: Path, head: bytes) -> bool:
    """Tell whether a file is that of an Olympus slide, under any name.

    It looks like a TIFF and holds only label and overview, while the slide lies in a folder beside it:
    opened as the TIFF that it is, it would show another picture under the slide's name.
    """
    return path.suffix.lower() == ".vsi" or (head.startswith(b"II*\0") and head[8:12] == VSI_VOLUME)


def needs_slideio(path: Path) -> MissingDependency:
    """Return the error for a healthy file that only slideio reads, where it is not installed."""
    return MissingDependency(
        f"{path.name} is a slide of a kind that slideio reads, which is not installed. "
        'Install it with: pip install "napari-histreg[slideio]"'
    )


def _folder_error(path: Path) -> ReadError:
    """Say what to do with a folder."""
    if (path / "Slidedat.ini").is_file():
        return UnsupportedFormat(
            f"{path} is the data folder of a 3DHISTECH slide. Open the file {path.name}.mrxs beside it."
        )
    return UnsupportedFormat(
        f"{path} is a folder, not a slide, and no DICOM series lies in it. Name the slide's file."
    )


def best_error(path: Path, head: bytes) -> ReadError:
    """Say why no reader takes a file and what to do about it."""
    lower = path.name.lower()
    if lower.endswith(".mrxs"):
        folder = path.with_suffix("")
        if not (folder / "Slidedat.ini").is_file():
            return DamagedFile(
                f"{path} needs the folder {folder.name} with its data (Slidedat.ini and others) beside it, "
                "and it is not there or incomplete. Copy the folder too."
            )
        return DamagedFile(f"{path} and its folder {folder.name} do not make a slide. Copy both again.")
    if is_whole_slide(path):
        return UnsupportedFormat(
            f"{path.name} is a whole slide in DICOM that OpenSlide cannot read; the other files of its "
            "series must lie beside it. If they do, convert it to OME-TIFF, for example with bioformats2raw."
        )
    known = [spec for spec in READERS if lower.endswith(spec.suffixes)]
    if known:
        looks = "text" if _is_text(head) else "something else"
        return DamagedFile(
            f"{path} is named like {known[-1].title}, but it holds {looks}. "
            "It is damaged, renamed or only a link; get the real file."
        )
    suffix = "".join(path.suffixes[-1:]) or "no suffix"
    readable = ", ".join(sorted({s for spec in READERS for s in spec.suffixes if s.count(".") == 1}))
    return UnsupportedFormat(
        f"{path.name} ({suffix}) is of a kind that cannot be read. Readable are {readable}. "
        "QuPath or bioformats2raw convert most other formats to OME-TIFF."
    )


def _is_text(head: bytes) -> bool:
    """Tell whether bytes look like written text."""
    return all(byte >= 32 or byte in (9, 10, 13) for byte in head)
