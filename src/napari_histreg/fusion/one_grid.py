"""What can be merged: slides that lie on one grid."""

from collections.abc import Sequence

from napari_histreg.slides import Slide

__all__ = ["check_one_grid"]


def check_one_grid(slides: Sequence[Slide]) -> None:
    """Refuse slides of different sizes.

    Parameters
    ----------
    slides : sequence of Slide
        One or more.

    Raises
    ------
    ValueError
        Two do not lie on one grid; the message names them.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_histreg.slides import open_slide
    >>> check_one_grid([open_slide(np.eye(4)), open_slide(np.ones((4, 4)))])
    """
    first = slides[0]
    for slide in slides[1:]:
        if slide.shape != first.shape:
            raise ValueError(
                f"{first.name} and {slide.name} do not lie on one grid ({first.shape} and {slide.shape}). "
                "Warp one onto the other first."
            )
