"""Pictures of an alignment as arrays, (Y, X, 3) uint8, made from pyramid levels only."""

import numpy as np

from napari_histreg.preprocess.reading import working_spacing
from napari_histreg.quality.drawing import Picture, beside, caption, scale_bar
from napari_histreg.quality.views import centred, matching_spacing, signal_raster
from napari_histreg.raster import Raster
from napari_histreg.slides.slide import Slide
from napari_histreg.transforms import Transform, resample

__all__ = ["before_after", "overlay"]


def overlay(fixed: Raster, moving: Raster) -> Picture:
    """Lay two signals over each other: fixed magenta, moving green, white where both are.

    Parameters
    ----------
    fixed, moving : Raster
        On one frame, bright on dark, 0 to 1.

    Returns
    -------
    (Y, X, 3) ndarray of uint8

    Raises
    ------
    ValueError
        The two are not of one shape.

    Examples
    --------
    >>> dot = Raster(np.array([[1.0, 0.0]]))
    >>> overlay(dot, dot).tolist()
    [[[255, 255, 255], [0, 0, 0]]]
    """
    if fixed.shape != moving.shape:
        raise ValueError(f"The pictures are {fixed.shape} and {moving.shape}; lay them on one frame first.")
    first, second = (np.clip(r.pixels, 0, 1) * r.mask for r in (fixed, moving))
    # The root shows weak signal, too.
    mixed = np.sqrt(np.stack([first, second, first], -1))
    return np.round(255 * mixed).astype(np.uint8)


def before_after(
    fixed: Slide, moving: Slide, fixed_to_moving: Transform | None, max_px: int = 900
) -> Picture:
    """Show two slides over each other as the files come, and as aligned.

    Parameters
    ----------
    fixed, moving : Slide
        The two slides.
    fixed_to_moving : Transform or None
        In world units; None where no alignment was found, which leaves out the second picture.
    max_px : int
        Longer side of each of the two pictures.

    Returns
    -------
    (Y, X, 3) ndarray of uint8
        Nuclear signal, fixed magenta and moving green, with captions and scale bar.

    Examples
    --------
    >>> from napari_histreg.samples import phantom_pair
    >>> pair = phantom_pair(512)
    >>> before_after(pair.fixed, pair.moving, pair.fixed_to_moving, max_px=128).shape[1:]
    (264, 3)
    """
    spacing = working_spacing(fixed, max_px)
    one = signal_raster(fixed, spacing)
    start = centred(fixed, moving)
    panels = []
    views: list[tuple[str, Transform | None]] = [("Before", start), ("After", fixed_to_moving)]
    for title, transform in views:
        if transform is None:
            continue
        other = signal_raster(moving, matching_spacing(moving, transform, one, 2 * max_px))
        seen = resample(other, transform, one)
        picture = scale_bar(overlay(one, seen), one.spacing[0], fixed.unit)
        panels.append(caption(picture, f"{title}: {fixed.name} magenta, {moving.name} green"))
    return beside(panels)
