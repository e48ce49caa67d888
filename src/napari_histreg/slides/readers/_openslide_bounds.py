"""The text files that lead OpenSlide to others, checked before it follows them."""

import re
import stat
from pathlib import Path

from napari_histreg.errors import DamagedFile
from napari_histreg.files import read_bytes, regular_file
from napari_histreg.files.reading import opened

__all__ = ["check_companions"]

MOST_TEXT = 1 << 20
MOST_IMAGES = 10_000_000
MOST_LISTED = 100_000
MOST_PX = 1_000_000

_ENTRY = re.compile(rb"^[ \t]*([A-Za-z0-9_(),]{1,100})[ \t]*=[ \t]*([^\r\n]{0,1000})", re.MULTILINE)
_COUNT = re.compile(r"(HIER|NONHIER|FILE|NOLAYERS|NOJPEG)\w*(COUNT|LAYERS|COLUMNS|ROWS)$")
_NAMES_A_FILE = re.compile(r"(INDEXFILE|FILE_\d+|IMAGEFILE.*|MACROIMAGE|MAPFILE|OPTIMISATIONFILE)$")


def check_companions(path: Path) -> None:
    """Refuse a slide whose index names what is no file of its own, or announces more than there can be.

    Parameters
    ----------
    path : Path
        The file that was named: .mrxs, .vms, .vmu or DICOM; others lead nowhere and pass.

    Raises
    ------
    DamagedFile
        The message names the entry.
    """
    lower = path.name.lower()
    if lower.endswith(".mrxs"):
        index = path.with_suffix("") / "Slidedat.ini"
        if index.exists():
            _check_index(path, index)
    elif lower.endswith((".vms", ".vmu")):
        _check_index(path, path)
    elif _is_dicom(path):
        _check_neighbours(path)


def _check_index(path: Path, index: Path) -> None:
    """Check the entries KEY = VALUE of an index."""
    text = read_bytes(index, limit=MOST_TEXT, share=None)
    images = 1
    for found in _ENTRY.finditer(text):
        key, value = (part.decode("utf-8", "replace").strip() for part in found.groups())
        name = key.upper()
        if _NAMES_A_FILE.fullmatch(name) and value:
            _check_name(path, index, key, value)
        elif name.startswith("IMAGENUMBER_"):
            images *= max(_number(value), 1)
        elif _COUNT.fullmatch(name):
            _check_count(path, key, _number(value), MOST_LISTED)
        elif name.startswith("DIGITIZER_"):
            _check_count(path, key, _number(value), MOST_PX)
    _check_count(path, "IMAGENUMBER_X and _Y", images, MOST_IMAGES)


def _check_count(path: Path, key: str, value: int, most: int) -> None:
    if value > most:
        raise DamagedFile(
            f"{path.name} announces {value} at {key} in its index; no slide has more than {most}. "
            "The index is damaged; copy the slide again from its source."
        )


def _check_name(path: Path, index: Path, key: str, value: str) -> None:
    place = Path(value.replace("\\", "/"))
    if place.is_absolute() or len(place.parts) != 1 or place.name in ("", ".."):
        raise DamagedFile(
            f"{path.name} names {value[:200]!r} at {key} in its index, which is no file beside it. "
            "The index is damaged; copy the slide again from its source."
        )
    if (index.parent / place).exists():
        regular_file(index.parent / place)


def _number(text: str) -> int:
    """Read a whole number; 0 where it is none, and much where it has too many digits."""
    found = re.match(r"\+?(\d+)", text)
    if found is None:
        return 0
    return int(found.group(1)) if len(found.group(1)) < 19 else 10**18


def _is_dicom(path: Path) -> bool:
    with opened(path) as file:
        return file.read(132)[128:] == b"DICM"


def _check_neighbours(path: Path) -> None:
    """Refuse a folder with pipes or devices, for all its files are looked at for parts of the slide."""
    for other in path.parent.iterdir():
        try:
            mode = other.stat().st_mode
        except OSError:
            continue
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise DamagedFile(f"{other} beside {path.name} is no file. Move the slide's files elsewhere.")
