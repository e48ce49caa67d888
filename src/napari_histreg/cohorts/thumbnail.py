"""A small picture of a case, before and after, for a page that shows a thousand of them."""

from pathlib import Path

import numpy as np

from napari_histreg.cohorts.layout import THUMBNAIL
from napari_histreg.errors import HistregError
from napari_histreg.files import written_whole
from napari_histreg.quality.drawing import Picture

__all__ = ["shrink", "write_thumbnail"]

WIDTH, HEIGHT = 224, 150
QUALITY = 62


def write_thumbnail(folder: Path) -> Path | None:
    """Shrink the picture that lies in a case's folder.

    Parameters
    ----------
    folder : Path
        Holds ``overlay.png`` with both views side by side, if there is anything to be seen.

    Returns
    -------
    Path or None
        The file written.
    """
    from PIL import Image

    picture = folder / "overlay.png"
    if not picture.is_file():
        return None
    try:
        with Image.open(picture) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, ValueError) as error:
        raise HistregError(f"{picture} cannot be read: {error}.") from error
    return shrink(pixels, folder)


def shrink(picture: Picture, folder: Path) -> Path:
    """Write a small version of a picture as the thumbnail of a case.

    Parameters
    ----------
    picture : (Y, X, 3) ndarray of uint8
    folder : Path
        Of the case.

    Returns
    -------
    Path
        The file written.
    """
    from PIL import Image

    small = Image.fromarray(picture)
    small.thumbnail((WIDTH, HEIGHT), reducing_gap=3.0)
    with written_whole(folder / THUMBNAIL) as temporary:
        small.save(temporary, "jpeg", quality=QUALITY, optimize=True)
    return folder / THUMBNAIL
