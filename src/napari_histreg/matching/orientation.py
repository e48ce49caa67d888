"""The squared gradient as a picture of edges that no stain and no contrast reversal can change."""

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_histreg.matching.picture import Picture

__all__ = ["orientation_field"]

ComplexField = NDArray[np.complex64]


def orientation_field(
    picture: Picture, *, sigma_px: float = 1.0, soft: float = 0.2, local: float = 0.1
) -> ComplexField:
    """Describe a picture by the orientation of its edges.

    Each channel's gradient, as a complex number gx + i gy, is squared: the angle doubles, so an edge and
    its contrast-reversed twin become the same number [1]_, and channels of any stain add up. Lengths are
    compressed, so that faint and strong edges count nearly alike, and the local mean is taken away, so
    that outlines and a common fibre direction do not hide the detail.

    Parameters
    ----------
    picture : Picture
        Channels and mask.
    sigma_px : float
        Gaussian smoothing before the gradient, in pixels of the picture.
    soft : float
        Lengths are divided by (length + `soft` times the mean length); 0 keeps the direction alone.
    local : float
        Standard deviation of the Gaussian of the local mean, as a share of the longest side.

    Returns
    -------
    (Y, X) ndarray of complex64
        Squared gradients; 0 outside the mask and close to its border.

    References
    ----------
    .. [1] G. H. Granlund and H. Knutsson, Signal Processing for Computer Vision, Kluwer, 1995.
       doi:10.1007/978-1-4757-2377-9
    .. [2] E. Haber and J. Modersitzki, Intensity gradient based registration and fusion of multi-modal
       images, MICCAI 2006. doi:10.1007/11866763_89

    Examples
    --------
    >>> from napari_histreg.geometry import Frame
    >>> pixels = np.random.default_rng(0).random((1, 40, 40), dtype=np.float32)
    >>> frame = Frame((40, 40), (1.0, 1.0), (0.0, 0.0))
    >>> dark, light = Picture(pixels, frame), Picture(1 - pixels, frame)
    >>> bool(np.allclose(orientation_field(dark), orientation_field(light), atol=1e-4))
    True
    """
    mask = picture.mask.astype(np.uint8)
    # The gradient reaches 3 sigma beyond its pixel, but masked pixels hold their nearest neighbour's
    # value, so two pixels are enough to keep the mask's own outline out.
    mask = cv2.erode(mask, np.ones((5, 5), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    valid = mask.astype(np.float32)
    area = float(valid.sum())
    total = np.zeros(picture.frame.shape, np.complex64)
    if area < 1:
        return total
    for channel in picture.channels:
        z = _squared_gradient(channel, sigma_px) * valid
        mean = float(np.abs(z).sum()) / area
        if mean > 1e-12:
            total += z / np.float32(mean)
    length = np.abs(total)
    mean = float(length.sum()) / area
    if mean <= 1e-12:
        return total
    total /= length + np.float32(soft * mean)
    total -= _local_mean(total, valid, max(local * max(picture.frame.shape), 1.0))
    return np.asarray(total * valid, np.complex64)


def _squared_gradient(channel: NDArray[np.float32], sigma_px: float) -> ComplexField:
    """Give (gx + i gy)^2 of one channel."""
    smooth = cv2.GaussianBlur(channel, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
    z = np.empty(channel.shape, np.complex64)
    z.real = cv2.Scharr(smooth, cv2.CV_32F, 1, 0)
    z.imag = cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    z *= z
    return z


def _local_mean(field: ComplexField, valid: NDArray[np.float32], sigma_px: float) -> ComplexField:
    """Average a field over the valid pixels round each pixel."""
    # A wide Gaussian of a coarse copy is the same and many times cheaper.
    step = max(1, int(sigma_px / 3))
    h, w = valid.shape
    size = (max(1, w // step), max(1, h // step))

    def blur(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        small = cv2.resize(np.ascontiguousarray(plane), size, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), sigma_px / step, borderType=cv2.BORDER_CONSTANT)
        return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR))

    weight = np.maximum(blur(valid), np.float32(1e-3))
    mean = np.empty(field.shape, np.complex64)
    mean.real, mean.imag = blur(field.real) / weight, blur(field.imag) / weight
    return mean
