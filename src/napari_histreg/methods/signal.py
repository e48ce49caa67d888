"""What every method asks of its two images before it starts."""

import numpy as np

from napari_histreg.errors import NoTissue
from napari_histreg.matching.picture import Picture
from napari_histreg.raster import Raster

__all__ = ["LEAST_SIDE", "comparable", "comparable_pair"]

LEAST_SIDE = 16
"""Shortest side in pixels that holds structure to compare."""

LEAST_AREA = 100
"""Fewest valid pixels."""


def comparable(raster: Raster, name: str) -> Picture:
    """Check that a raster holds something to align, and scale its signal to 0 to 1.

    Pixels that are not finite count as masked. The scale runs from the 0.5 to the 99.8 percentile of the
    valid pixels, so that single hot pixels do not set it.

    Parameters
    ----------
    raster : Raster
        The prepared signal.
    name : str
        What to call it in an error, "fixed" or "moving".

    Returns
    -------
    Picture
        One channel, float32, 0 to 1; masked pixels hold their nearest valid value.

    Raises
    ------
    NoTissue
        The raster is too small, masked out or constant.

    Examples
    --------
    >>> picture = comparable(Raster(np.arange(400.0).reshape(20, 20)), "fixed")
    >>> float(picture.channels.min()), float(picture.channels.max())
    (0.0, 1.0)
    """
    if min(raster.shape) < LEAST_SIDE:
        raise NoTissue(
            f"The {name} image is {raster.shape[0]} x {raster.shape[1]} pixels; at least {LEAST_SIDE} x "
            f"{LEAST_SIDE} are needed. Choose a finer level."
        )
    mask = raster.mask & np.isfinite(raster.pixels)
    count = int(mask.sum())
    if count < LEAST_AREA:
        raise NoTissue(
            f"Only {count} pixels of the {name} image are valid: its mask or its NaN values exclude nearly "
            "everything. Check the mask."
        )
    low, high = np.percentile(raster.pixels[mask], [0.5, 99.8])
    if not high > low:
        low, high = float(raster.pixels[mask].min()), float(raster.pixels[mask].max())
    # A float32 plane that varies by less than its own rounding varies by nothing.
    if not high - low > 1e-6 * max(abs(low), abs(high)):
        raise NoTissue(
            f"The {name} image is constant (value {low:.4g}): there is nothing to align. "
            "Choose another channel or region."
        )
    pixels = np.where(mask, raster.pixels, np.float32(low))
    pixels = np.clip((pixels - low) / (high - low), 0, 1).astype(np.float32)
    return Picture(pixels[None], raster.frame, mask)


def comparable_pair(fixed: Raster, moving: Raster) -> tuple[Picture, Picture]:
    """Check both rasters; see `comparable`."""
    return comparable(fixed, "fixed"), comparable(moving, "moving")
