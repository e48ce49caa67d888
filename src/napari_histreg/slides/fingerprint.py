"""A cheap identity of what a slide shows, to recognise it again."""

import hashlib

import numpy as np

from napari_histreg.slides.slide import Slide

__all__ = ["fingerprint"]


def fingerprint(slide: Slide) -> str:
    """Return a short text that is the same whenever the same pixels are opened.

    It covers the size, the number of channels, the dtype and the pixels of the overview, but
    neither the file's name nor its pixel size: a renamed copy is the same slide.

    Parameters
    ----------
    slide : Slide
        Its overview (at most 1024 px a side) is read.

    Returns
    -------
    str
        "sha256:" and 32 hexadecimal digits.

    Examples
    --------
    >>> from napari_histreg.slides.opening import open_slide
    >>> fingerprint(open_slide(np.zeros((4, 4), np.uint8)))
    'sha256:61553e4b551864a3f85f43f81d40bcd8'
    """
    height, width = slide.shape
    digest = hashlib.sha256(f"{height} {width} {len(slide.channels)} {slide.dtype.name}".encode())
    pixels = slide.read_level(slide.level_for_size())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return f"sha256:{digest.hexdigest()[:32]}"
