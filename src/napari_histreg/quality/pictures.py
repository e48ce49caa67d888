"""Pictures of an alignment as arrays, (Y, X, 3) uint8, made from pyramid levels only."""

import numpy as np

from napari_histreg.geometry import FloatArray, Frame
from napari_histreg.preprocess.planes import working_spacing
from napari_histreg.quality.drawing import Picture, beside, caption, scale_bar
from napari_histreg.quality.views import (
    ColourRaster,
    centred,
    colours,
    colours_on,
    matching_spacing,
    signal_raster,
)
from napari_histreg.raster import Raster
from napari_histreg.slides.slide import Slide
from napari_histreg.transforms import Transform, resample

__all__ = ["before_after", "checkerboard", "curtain", "in_colours", "overlay", "zoom"]

LARGEST_ENLARGEMENT = 8


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


def checkerboard(fixed: Picture, moving: Picture, *, fields: int = 8) -> Picture:
    """Show two pictures in alternate fields: structures must run on across the edges.

    Parameters
    ----------
    fixed, moving : (Y, X, 3) ndarray of uint8
        On one frame.
    fields : int
        Fields along the longer side.

    Returns
    -------
    (Y, X, 3) ndarray of uint8

    Examples
    --------
    >>> black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    >>> checkerboard(black, white, fields=2)[..., 0].tolist()
    [[0, 255], [255, 0]]
    """
    _check_alike(fixed, moving)
    side = max(1, -(-max(fixed.shape[:2]) // fields))
    y, x = np.indices(fixed.shape[:2]) // side
    return np.where(((y + x) % 2 == 0)[..., None], fixed, moving)


def curtain(fixed: Picture, moving: Picture, *, strips: int = 6) -> Picture:
    """Show two pictures in alternate vertical strips, with a thin line between.

    Parameters
    ----------
    fixed, moving : (Y, X, 3) ndarray of uint8
        On one frame.
    strips : int
        How many; 2 gives the fixed picture left and the moving one right.

    Returns
    -------
    (Y, X, 3) ndarray of uint8

    Examples
    --------
    >>> black, white = np.zeros((1, 40, 3), np.uint8), np.full((1, 40, 3), 255, np.uint8)
    >>> picture = curtain(black, white, strips=2)
    >>> int(picture[0, 5, 0]), int(picture[0, 35, 0])
    (0, 255)
    """
    _check_alike(fixed, moving)
    width = fixed.shape[1]
    edges = np.round(np.linspace(0, width, strips + 1)).astype(int)
    out = fixed.copy()
    for k in range(1, strips, 2):
        out[:, edges[k] : edges[k + 1]] = moving[:, edges[k] : edges[k + 1]]
    for x in edges[1:-1]:
        out[:, x] = (255, 210, 0)
    return out


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
    panels = []
    views: list[tuple[str, Transform | None]] = [
        ("Before", centred(fixed, moving)),
        ("After", fixed_to_moving),
    ]
    for title, transform in views:
        if transform is None:
            continue
        other = signal_raster(moving, matching_spacing(moving, transform, one.frame, 2 * max_px))
        seen = resample(other, transform, one)
        picture = scale_bar(overlay(one, seen), one.spacing[0], fixed.unit)
        panels.append(caption(picture, f"{title}: {fixed.name} magenta, {moving.name} green"))
    return beside(panels)


def in_colours(
    fixed: Slide, moving: Slide, fixed_to_moving: Transform, max_px: int = 900
) -> tuple[ColourRaster, ColourRaster]:
    """Show both slides in their own colours on the fixed slide's frame.

    Parameters
    ----------
    fixed, moving : Slide
        The two slides.
    fixed_to_moving : Transform
        In world units.
    max_px : int
        Longer side of the pictures.

    Returns
    -------
    (ColourRaster, ColourRaster)
        Fixed, and moving as aligned; ``.picture`` of each is (Y, X, 3) uint8.
    """
    one = colours(fixed, working_spacing(fixed, max_px))
    frame = one.planes[0].frame
    other = colours(moving, matching_spacing(moving, fixed_to_moving, frame, 2 * max_px))
    return one, colours_on(other, fixed_to_moving, frame)


def zoom(
    fixed: Slide,
    moving: Slide,
    fixed_to_moving: Transform,
    centre: FloatArray,
    width: float,
    *,
    side_px: int = 320,
) -> Picture:
    """Show a small place of both slides: fixed, aligned moving, and one over the other.

    Only the pixels around the place are read, from the level that has the detail.

    Parameters
    ----------
    fixed, moving : Slide
        The two slides.
    fixed_to_moving : Transform
        In world units.
    centre : (2,) ndarray
        The place (y, x) in the fixed slide, world units.
    width : float
        Side of the square to show, world units.
    side_px : int
        Side of each picture.

    Returns
    -------
    (Y, X, 3) ndarray of uint8
        Three pictures side by side, with a scale bar.
    """
    from napari_histreg.quality.cutouts import cutout

    # Small places are enlarged, but no further than shows single pixels.
    spacing = max(width / side_px, max(fixed.world_pixel_size) / LARGEST_ENLARGEMENT)
    side = round(width / spacing)
    frame = Frame.square((side, side), spacing, np.asarray(centre, float) - (side - 1) / 2 * spacing)
    ours = cutout(fixed, None, frame)
    theirs = cutout(moving, fixed_to_moving, frame)
    mixed = overlay(ours.signal, theirs.signal)
    panels = [scale_bar(ours.picture, spacing, fixed.unit), theirs.picture, mixed]
    return beside(panels, gap=4)


def _check_alike(fixed: Picture, moving: Picture) -> None:
    if fixed.shape != moving.shape:
        raise ValueError(f"The pictures are {fixed.shape} and {moving.shape}; lay them on one frame first.")
