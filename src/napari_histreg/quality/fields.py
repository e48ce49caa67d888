"""What block correlation compares: directions of edges, or local contrast; both blind to brightness."""

import numpy as np
from numpy.typing import NDArray

from napari_histreg.matching.orientation import orientation_field
from napari_histreg.matching.picture import Picture
from napari_histreg.preprocess.intensity import local_normalise, masked_blur
from napari_histreg.raster import Raster

__all__ = ["contrast_field", "direction_field"]

Field = NDArray[np.complex64]

RIM_PX = 3
"""Pixels along the rim of the valid part whose gradients belong to the rim."""


def direction_field(raster: Raster) -> Field:
    """Return the directions of edges; see `orientation_field`.

    Parameters
    ----------
    raster : Raster
        Any signal.

    Returns
    -------
    (Y, X) ndarray of complex64
        0 where invalid.
    """
    return orientation_field(Picture(raster.pixels[None], raster.frame, _inner(raster.mask)))


def contrast_field(raster: Raster, sigma_px: float | None = None) -> Field:
    """Return the local contrast: local mean taken away, divided by the local deviation.

    Parameters
    ----------
    raster : Raster
        Any signal.
    sigma_px : float, optional
        Width of the neighbourhood; 3 % of the longer side by default.

    Returns
    -------
    (Y, X) ndarray of complex64
        Real; 0 where invalid.
    """
    inner = _inner(raster.mask)
    smooth = masked_blur(raster.pixels, 0.7, raster.mask)
    contrast = local_normalise(smooth, sigma_px or 0.03 * max(raster.shape), inner)
    return np.clip(contrast, -3, 3).astype(np.complex64)


def _inner(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    import cv2

    kernel = np.ones((2 * RIM_PX + 1, 2 * RIM_PX + 1), np.uint8)
    return np.asarray(
        cv2.erode(mask.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0), bool
    )
