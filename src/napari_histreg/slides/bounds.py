"""How much work the pixels of a file may ask for, measured by what the file holds."""

import os
from pathlib import Path

from napari_histreg.errors import UnsupportedFormat
from napari_histreg.files import LIMITS
from napari_histreg.slides.slide import Slide

__all__ = ["MOST_CHANNELS", "check_channels", "check_decoded", "check_scan"]

MOST_CHANNELS = 1000
# Pixels that one stored byte may become on average: slides stay below 100, empty ones below this.
PLAUSIBLE_RATIO = 300


def check_channels(name: str, count: int) -> None:
    """Refuse files with more channels than any slide has.

    Raises
    ------
    UnsupportedFormat
        There are too many.
    """
    if count > MOST_CHANNELS:
        raise UnsupportedFormat(
            f"{name} has {count} channels, more than the {MOST_CHANNELS} that are read. Export those needed."
        )


def check_decoded(name: str, what: str, size: int, way_out: str) -> None:
    """Refuse a picture or tile that can only be decoded in one piece, and is too large for that.

    Parameters
    ----------
    name : str
        The file.
    what : str
        What is decoded, as in "a picture of 900 x 700 px".
    size : int
        Bytes that decoding takes.
    way_out : str
        What else can be done, as in "Convert it".

    Raises
    ------
    UnsupportedFormat
        It takes more than is allowed; the message says how to allow more.
    """
    if size > LIMITS.decoded_bytes:
        raise UnsupportedFormat(
            f"{name} is {what}, which takes {size / 1e9:.1f} GB to decode in one piece. {way_out}, or "
            f"{LIMITS.how_to_allow(size)}."
        )


def check_scan(slide: Slide, channels: int) -> None:
    """Refuse to make the overview of a file that announces far more pixels than it can hold.

    Parameters
    ----------
    slide : Slide
        Its last level would be read whole.
    channels : int
        How many of its channels.

    Raises
    ------
    UnsupportedFormat
        Reading would take for ever; the message says how to allow it.
    """
    height, width = slide.levels[-1].shape
    size = height * width * channels * slide.dtype.itemsize
    if slide.path is None or size <= LIMITS.scanned_bytes:
        return
    if size > PLAUSIBLE_RATIO * _stored_bytes(Path(slide.path), enough=size // PLAUSIBLE_RATIO + 1):
        raise UnsupportedFormat(
            f"{slide.name} has no smaller level than {width} x {height} px, {size / 1e9:.0f} GB of which the "
            f"file holds next to nothing. Store it as a pyramid, or {LIMITS.how_to_allow(size, 2.0)}."
        )


def _stored_bytes(path: Path, enough: int) -> int:
    """Return the bytes of a file, or of a folder until there are enough."""
    if not path.is_dir():
        return path.stat().st_size
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            total += (Path(folder) / name).lstat().st_size
            if total >= enough:
                return total
    return total
