"""Intensities made comparable: percentile scaling, equalisation, Gaussian and local normalisation.

Every function takes one plane and a mask of valid pixels, leaves its input alone, and counts NaN and
infinite pixels as invalid. Invalid pixels come out as 0.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["equalise", "gaussian_normalise", "local_normalise", "masked_blur", "scale_percentiles"]

FloatImage = NDArray[np.float32]
Mask = NDArray[np.bool_]


def valid_plane(plane: ArrayLike, mask: ArrayLike | None = None) -> tuple[FloatImage, Mask]:
    """Return a plane as float32 with invalid pixels set to 0, and the mask of those that are valid."""
    pixels = np.asarray(plane, np.float32)
    if pixels.ndim != 2:
        raise ValueError(f"Expected one plane (Y, X), not an array of shape {pixels.shape}.")
    valid = np.isfinite(pixels)
    if mask is not None:
        given = np.asarray(mask, bool)
        if given.shape != pixels.shape:
            raise ValueError(f"The mask is {given.shape} and the plane is {pixels.shape}; they must match.")
        valid &= given
    return np.where(valid, pixels, np.float32(0)), valid


def masked_blur(plane: ArrayLike, sigma: float, mask: ArrayLike | None = None) -> FloatImage:
    """Blur with a Gaussian that only sees valid pixels.

    Parameters
    ----------
    plane : (Y, X) array_like
        Any numbers.
    sigma : float
        Width in pixels; 0 returns the plane.
    mask : (Y, X) array_like of bool, optional
        True where valid.

    Returns
    -------
    (Y, X) ndarray of float32
        The weighted mean of the valid neighbours; 0 where there is none.

    Examples
    --------
    >>> masked_blur([[1.0, np.nan, 1.0]], 1.0).round(3).tolist()
    [[1.0, 1.0, 1.0]]
    """
    from scipy.ndimage import gaussian_filter

    pixels, valid = valid_plane(plane, mask)
    if sigma <= 0:
        return pixels
    weight = gaussian_filter(valid.astype(np.float32), sigma, mode="constant")
    total = gaussian_filter(pixels, sigma, mode="constant")
    return np.where(weight > 1e-4, total / np.maximum(weight, 1e-4), 0).astype(np.float32)


def scale_percentiles(
    plane: ArrayLike, mask: ArrayLike | None = None, *, low: float = 0.5, high: float = 99.8
) -> FloatImage:
    """Map two percentiles to 0 and 1 and cut off what lies beyond.

    Parameters
    ----------
    plane : (Y, X) array_like
        Any numbers.
    mask : (Y, X) array_like of bool, optional
        True where valid; percentiles are taken there.
    low, high : float
        Percentiles, 0 to 100.

    Returns
    -------
    (Y, X) ndarray of float32
        From 0 to 1; all 0 where the plane is constant.

    Examples
    --------
    >>> scale_percentiles([[0, 5, 10]], low=0, high=100).tolist()
    [[0.0, 0.5, 1.0]]
    """
    if not 0 <= low < high <= 100:
        raise ValueError(f"Percentiles must rise from 0 to 100, not {low} and {high}.")
    pixels, valid = valid_plane(plane, mask)
    if not valid.any():
        return np.zeros_like(pixels)
    bottom, top = np.percentile(pixels[valid], [low, high])
    if top <= bottom:
        # Sparse signal: more than `high` percent of the pixels share one value.
        top = pixels[valid].max()
    if top <= bottom:
        return np.zeros_like(pixels)
    scaled = np.clip((pixels - bottom) / (top - bottom), 0, 1)
    return np.where(valid, scaled, 0).astype(np.float32)


def equalise(plane: ArrayLike, mask: ArrayLike | None = None, *, bins: int = 1024) -> FloatImage:
    """Equalise the histogram of the valid pixels.

    Parameters
    ----------
    plane : (Y, X) array_like
        Any numbers.
    mask : (Y, X) array_like of bool, optional
        True where valid.
    bins : int
        Number of grey levels told apart.

    Returns
    -------
    (Y, X) ndarray of float32
        From 0 to 1, about evenly spread over the valid pixels.

    Examples
    --------
    >>> flat = equalise(np.arange(100.0).reshape(10, 10) ** 3)
    >>> bool(abs(np.median(flat) - 0.5) < 0.1)
    True
    """
    pixels = scale_percentiles(plane, mask, low=0, high=100)
    _, valid = valid_plane(plane, mask)
    if not pixels.any():
        return pixels
    counts, edges = np.histogram(pixels[valid], bins=bins, range=(0, 1))
    share = np.concatenate([[0], np.cumsum(counts)]) / counts.sum()
    return np.where(valid, np.interp(pixels, edges, share), 0).astype(np.float32)


def gaussian_normalise(plane: ArrayLike, mask: ArrayLike | None = None) -> FloatImage:
    """Give the valid pixels the mean 0 and the standard deviation 1.

    Parameters
    ----------
    plane : (Y, X) array_like
        Any numbers.
    mask : (Y, X) array_like of bool, optional
        True where valid.

    Returns
    -------
    (Y, X) ndarray of float32
        0 where invalid or where the plane is constant.

    Examples
    --------
    >>> gaussian_normalise([[1, 3]]).tolist()
    [[-1.0, 1.0]]
    """
    pixels, valid = valid_plane(plane, mask)
    if not valid.any():
        return pixels
    values = pixels[valid].astype(np.float64)
    deviation = values.std()
    if deviation <= 1e-7 * max(1.0, float(np.abs(values).max())):
        return np.zeros_like(pixels)
    return np.where(valid, (pixels - values.mean()) / deviation, 0).astype(np.float32)


def local_normalise(
    plane: ArrayLike, sigma: float, mask: ArrayLike | None = None, *, floor: float = 0.1
) -> FloatImage:
    """Remove the local mean and divide by the local standard deviation.

    Parameters
    ----------
    plane : (Y, X) array_like
        Any numbers.
    sigma : float
        Width in pixels of the Gaussian neighbourhood.
    mask : (Y, X) array_like of bool, optional
        True where valid.
    floor : float
        Added to the local deviation as a share of the largest one, so that empty areas stay calm.

    Returns
    -------
    (Y, X) ndarray of float32
        About -3 to 3; 0 where invalid.

    Examples
    --------
    >>> ramp = np.add.outer(np.arange(32.0), np.arange(32.0) % 2)
    >>> bool(abs(local_normalise(ramp, 4)[10:20].mean()) < 0.1)
    True
    """
    pixels, valid = valid_plane(plane, mask)
    if not valid.any():
        return pixels
    # Centring first keeps the difference of squares exact for large offsets.
    centred = np.where(valid, pixels - pixels[valid].mean(), 0).astype(np.float32)
    mean = masked_blur(centred, sigma, valid)
    variance = masked_blur((centred - mean) ** 2, sigma, valid)
    deviation = np.sqrt(np.maximum(variance, 0))
    largest = float(np.percentile(deviation[valid], 99))
    if largest <= 1e-7 * max(1.0, float(np.abs(pixels).max())):
        return np.zeros_like(pixels)
    return np.where(valid, (centred - mean) / (deviation + floor * largest), 0).astype(np.float32)
