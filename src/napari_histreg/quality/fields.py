"""What block correlation compares: directions of edges, or local contrast; both blind to brightness."""

import math

import numpy as np
from numpy.typing import NDArray

from napari_histreg.preprocess.intensity import local_normalise, masked_blur
from napari_histreg.raster import Raster

__all__ = ["contrast_field", "direction_field"]

Field = NDArray[np.complex64]

RIM_PX = 3
"""Pixels along the rim of the valid part whose gradients belong to the rim."""


def direction_field(raster: Raster) -> Field:
    """Return the directions of edges as doubled angles, so that dark on bright equals bright on dark.

    The squared complex gradient, divided by its own length so that strong and weak edges count alike,
    with its local mean taken away so that outlines and the run of fibres do not dominate.

    Parameters
    ----------
    raster : Raster
        Any signal.

    Returns
    -------
    (Y, X) ndarray of complex64
        0 where invalid.
    """
    import cv2

    smooth = masked_blur(raster.pixels, 1.0, raster.mask)
    gradient = cv2.Scharr(smooth, cv2.CV_32F, 1, 0) + 1j * cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    inner = _inner(raster.mask)
    doubled = np.where(inner, gradient.astype(np.complex64) ** 2, 0)
    length = np.abs(doubled)
    mean = float(length[inner].mean()) if inner.any() else 0.0
    if not mean > 0:
        return np.zeros(raster.shape, np.complex64)
    # The square root brings the squared gradient back to a length before strong edges are capped.
    field = doubled / np.sqrt(np.maximum(length, 1e-20) * (length + 0.2 * mean) + 1e-20)
    return _without_local_mean(field, inner, 0.1 * max(raster.shape))


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


def _without_local_mean(field: NDArray[np.generic], inner: NDArray[np.bool_], sigma: float) -> Field:
    # The mean varies slowly: a reduced picture gives it at a fraction of the cost.
    import cv2

    step = max(1, math.floor(sigma / 6))
    small = (max(1, field.shape[1] // step), max(1, field.shape[0] // step))
    weight = cv2.resize(inner.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    weight = cv2.GaussianBlur(weight, (0, 0), sigma / step)
    parts = []
    for part in (field.real, field.imag):
        reduced = cv2.resize(part.astype(np.float32), small, interpolation=cv2.INTER_AREA)
        mean = cv2.GaussianBlur(reduced, (0, 0), sigma / step) / np.maximum(weight, 1e-3)
        parts.append(cv2.resize(mean, field.shape[::-1], interpolation=cv2.INTER_LINEAR))
    return np.where(inner, field - (parts[0] + 1j * parts[1]), 0).astype(np.complex64)
