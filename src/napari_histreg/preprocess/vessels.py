"""Photographs of the retina: their round field, and their vessels bright on dark."""

from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.errors import NoTissue
from napari_histreg.preprocess.intensity import masked_blur, scale_percentiles
from napari_histreg.slides.opening import open_slide
from napari_histreg.slides.slide import Slide

__all__ = ["Enhancement", "enhanced_vessels", "enhancement", "is_retina", "retina_field", "vessel_slide"]

Enhancement = Literal["vessels", "frangi"]

DARK = 0.12
"""Share of the bright parts' light below which a pixel lies outside the field."""

CLIP, TILES = 2.0, 8
FRANGI_SHARES = (0.002, 0.004, 0.006, 0.008)
"""Half widths of vessels as shares of the picture's longer side."""

MOST_PX = 64_000_000
GREEN = 1
LEAST_AREA, MOST_AREA = 0.3, 0.97
ROUND = 0.02
"""How far the rim may lie off a circle, as a share of its radius."""

REDDER = 1.1
"""How much more red than green the light is that a retina sends back."""


def enhancement(signal: str | None) -> Enhancement | None:
    """Return the way of enhancing vessels that a signal names; None where it is another signal."""
    ways: tuple[Enhancement, ...] = get_args(Enhancement)
    return next((way for way in ways if way == signal), None)


def retina_field(pixels: ArrayLike) -> NDArray[np.bool_]:
    """Find the field of a photograph of the retina: what the round stop of the camera lets through.

    Parameters
    ----------
    pixels : (C, Y, X) array_like
        All channels.

    Returns
    -------
    (Y, X) ndarray of bool
        The largest bright area, its holes filled; all of a picture without a dark surround.

    Examples
    --------
    >>> y, x = np.mgrid[:60, :60]
    >>> disc = np.hypot(y - 30, x - 30) < 25
    >>> field = retina_field(np.where(disc, 90, 3)[None])
    >>> bool((field ^ disc).sum() < 0.02 * disc.sum())
    True
    """
    from scipy import ndimage

    light = np.nan_to_num(np.asarray(pixels, np.float32)).max(axis=0)
    bright = light > DARK * np.percentile(light, 98)
    # Blood in a corner of the field is dark too: strands of dark are closed, specks of light dropped.
    side = max(2, round(0.006 * max(light.shape)))
    padded = np.pad(bright, side, mode="edge")
    opened = ndimage.binary_opening(padded, iterations=side // 2)[side:-side, side:-side]
    labels, count = ndimage.label(opened)
    if not count:
        return np.ones(light.shape, bool)
    largest = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return np.asarray(ndimage.binary_fill_holes(largest), bool)


def is_retina(slide: Slide) -> bool:
    """Tell whether a slide is a colour photograph of the retina: reddish, and round on black.

    Parameters
    ----------
    slide : Slide
        Its overview is read.
    """
    if not slide.is_rgb or len(slide.channels) != 3 or slide.shape[0] * slide.shape[1] > MOST_PX:
        return False
    pixels = slide.read_level(slide.level_for_size()).astype(np.float32)
    field = retina_field(pixels)
    if min(field.shape) < 64 or not LEAST_AREA < field.mean() < MOST_AREA:
        return False
    red, green, blue = (float(np.median(plane[field])) for plane in pixels)
    return red > REDDER * green and green >= 0.8 * blue and _is_round(field)


def _is_round(field: NDArray[np.bool_]) -> bool:
    """Tell whether the rim, where the frame does not cut it, lies on one circle."""
    from scipy import ndimage

    rim = field & ~ndimage.binary_erosion(field, border_value=1)
    y, x = np.nonzero(rim)
    inside = (y > 2) & (x > 2) & (y < field.shape[0] - 3) & (x < field.shape[1] - 3)
    y, x = y[inside].astype(float), x[inside].astype(float)
    if len(y) < 0.8 * max(field.shape):
        return False
    # A circle is linear in its centre and its squared reach.
    middle = y.mean(), x.mean()
    v, u = y - middle[0], x - middle[1]
    (a, b, c), *_ = np.linalg.lstsq(np.stack([v, u, np.ones_like(v)], 1), v**2 + u**2, rcond=None)
    radius = np.sqrt(max(c + (a**2 + b**2) / 4, 1e-9))
    off = np.abs(np.hypot(v - a / 2, u - b / 2) - radius)
    return bool(np.percentile(off, 90) < ROUND * radius)


def enhanced_vessels(plane: ArrayLike, field: ArrayLike, how: Enhancement = "vessels") -> NDArray[np.uint8]:
    """Make vessels bright on dark.

    Parameters
    ----------
    plane : (Y, X) array_like
        Light: the green channel, in which blood is darkest.
    field : (Y, X) array_like of bool
        Where the picture is; nothing outside has any influence.
    how : {"vessels", "frangi"}
        "vessels": contrast-limited adaptive equalisation (CLAHE [1]_), turned round; it keeps all there is
        to see. "frangi": the vesselness of [2]_, which keeps tubes only.

    Returns
    -------
    (Y, X) ndarray of uint8
        0 outside the field and along its rim.

    Raises
    ------
    NoTissue
        There is no field.

    References
    ----------
    .. [1] K. Zuiderveld, Graphics Gems IV, 474-485, 1994. doi:10.1016/B978-0-12-336156-1.50061-6
    .. [2] A. F. Frangi et al., MICCAI 1998, 130-137. doi:10.1007/BFb0056195

    Examples
    --------
    >>> plane = np.full((64, 64), 100.0)
    >>> plane[:, 30:33] = 60
    >>> bright = enhanced_vessels(plane, np.ones((64, 64), bool), "frangi")
    >>> bool(bright[32, 31] > bright[32, 10] + 100)
    True
    """
    from scipy import ndimage

    inside = np.asarray(field, bool)
    longest = max(inside.shape)
    # The rim mixes the picture with its surround.
    inner = ndimage.binary_erosion(inside, iterations=max(1, round(0.006 * longest)), border_value=1)
    if not inner.any():
        raise NoTissue("The picture has no field in which vessels could be looked for.")
    values = np.nan_to_num(np.asarray(plane, np.float32))
    # Beyond the rim goes on what lies at it, so that the rim is no edge and no vessel.
    nearest = ndimage.distance_transform_edt(~inner, return_distances=False, return_indices=True)
    values = np.asarray(values[tuple(nearest)], np.float32)
    if how == "vessels":
        import cv2

        grey = np.rint(255 * scale_percentiles(values, inner, low=0.1, high=99.9)).astype(np.uint8)
        grey = np.asarray(grey[tuple(nearest)])
        bright = 255 - cv2.createCLAHE(CLIP, (TILES, TILES)).apply(grey)
    else:
        from skimage.filters import frangi

        level = masked_blur(values, 0.04 * longest, inner)
        tubes = frangi(values - level, sigmas=[max(share * longest, 0.8) for share in FRANGI_SHARES])
        # Vesselness spans powers of ten: its root lets thin vessels count beside wide ones.
        bright = np.rint(255 * scale_percentiles(np.sqrt(tubes), inner, low=0.0, high=99.5))
    return np.where(inner, bright, 0).astype(np.uint8)


def vessel_slide(slide: Slide, how: Enhancement = "vessels", channel: int | None = None) -> Slide:
    """See the vessels of a photograph of the retina, bright on dark, as a slide of one channel.

    Parameters
    ----------
    slide : Slide
        Read whole.
    how : {"vessels", "frangi"}
        See `enhanced_vessels`.
    channel : int, optional
        The light to look at; green of colours and the first of others by default.

    Returns
    -------
    Slide
        In memory, on the same pixels and with the same name, path and pixel size.

    Raises
    ------
    NoTissue
        It is no photograph, but many times larger.
    """
    if slide.shape[0] * slide.shape[1] > MOST_PX:
        raise NoTissue(
            f"{slide.name} is {slide.shape[1]} x {slide.shape[0]} px: vessels are looked for in photographs "
            f"of up to {MOST_PX // 10**6} million pixels. Leave the signal to the program."
        )
    pixels: NDArray[Any] = slide.read_level(0)
    chosen = channel if channel is not None else GREEN if slide.is_rgb else 0
    shown = enhanced_vessels(pixels[chosen], retina_field(pixels), how)
    made = open_slide(shown, pixel_size_um=slide.pixel_size_um, name=slide.name)
    return replace(made, path=slide.path)
