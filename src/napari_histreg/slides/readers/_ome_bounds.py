"""OME-XML measured by the file it stands in, before anything is made of it."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from napari_histreg.errors import DamagedFile
from napari_histreg.files import LIMITS, regular_file

__all__ = ["check_ome"]

# An image may announce some more planes than a file that was cut off holds, but not millions.
SPARE_FACTOR, SPARE_PLANES = 4, 1000
MOST_OF_A_SET = 1_000_000


def check_ome(path: Path, xml: str, pages: int) -> None:
    """Refuse OME-XML that announces more than there is, or leads to what is no file beside it.

    Parameters
    ----------
    path : Path
        The file.
    xml : str
        Its OME-XML.
    pages : int
        How many pages the file has.

    Raises
    ------
    DamagedFile
        The message says what is wrong.
    """
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise DamagedFile(f"{path.name} has a document type declaration in its OME-XML. Export it again.")
    if len(xml) > LIMITS.json_bytes:
        raise DamagedFile(f"{path.name} has {len(xml) / 1e6:.0f} MB of OME-XML. Export it again.")
    try:
        root = ElementTree.fromstring(xml)
    except (ElementTree.ParseError, ValueError):
        return  # what is no XML is no OME-XML; the pages are read without it
    others = {name for element in _named(root, "UUID") if (name := element.get("FileName"))} - {path.name}
    for name in others:
        _check_beside(path, name)
    most = MOST_OF_A_SET if others else SPARE_FACTOR * pages + SPARE_PLANES
    for pixels in _named(root, "Pixels"):
        planes = 1
        for axis in "ZCT":
            planes *= max(_whole(pixels.get(f"Size{axis}", "1")), 1)
        asked = [planes]
        for block in _named(pixels, "TiffData"):
            asked += [_whole(block.get("PlaneCount", "0")), _whole(block.get("IFD", "0"))]
        if max(asked) > most:
            raise DamagedFile(
                f"{path.name} announces {max(asked)} planes in its OME-XML and has {pages} pages. "
                "Export it again."
            )


def _check_beside(path: Path, name: str) -> None:
    """Refuse a further file that is not a regular one beside it; what is missing is said later."""
    place = Path(name)
    if place.is_absolute() or ".." in place.parts or "\0" in name or "\\" in name:
        raise DamagedFile(
            f"{path.name} names {name[:200]!r} as a part of it, which does not lie beside it. Put all files "
            "of a set into one folder."
        )
    other = path.parent / place
    try:
        there = other.exists()
    except OSError:
        there = False
    if there:
        regular_file(other)


def _named(element: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (found for found in element.iter() if found.tag.rsplit("}", 1)[-1] == name)


def _whole(text: str) -> int:
    """Read a whole number; 0 where it is none, and much where it has too many digits."""
    digits = text.strip().lstrip("+")
    if not digits.isdigit():
        return 0
    return int(digits) if len(digits) < 19 else 10**18
