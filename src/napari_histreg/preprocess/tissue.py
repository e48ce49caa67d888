"""Where the tissue is."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.preprocess.field import valid_field
from napari_histreg.preprocess.intensity import masked_blur, scale_percentiles
from napari_histreg.preprocess.modality import Modality, guess_modality
from napari_histreg.preprocess.stain import optical_density

__all__ = ["tissue_fraction", "tissue_mask"]

THINNEST = 0.04
"""Optical density that dust-free glass never reaches, and that pale tissue does."""

SURE = 0.10
"""Optical density that is tissue whatever the histogram says: a picture full of tissue has no glass."""


def tissue_mask(
    planes: ArrayLike,
    mask: NDArray[np.bool_] | None = None,
    *,
    modality: Modality | None = None,
    is_rgb: bool | None = None,
) -> NDArray[np.bool_]:
    """Find the tissue in an overview.

    Brightfield is judged by optical density against the glass, fluorescence by its brightness above
    the dark background; both after smoothing, with specks removed and small gaps closed.

    Parameters
    ----------
    planes : (C, Y, X) array_like
        All channels, or the colours, of an overview (about 500 to 2000 px).
    mask : (Y, X) ndarray of bool, optional
        True where valid; found by default, so that white or black borders do not count.
    modality : {"brightfield", "fluorescence"}, optional
        Told apart by the pixels by default.
    is_rgb : bool, optional
        Hint for telling the modality.

    Returns
    -------
    (Y, X) ndarray of bool
        True on tissue; nowhere True where the picture is blank.

    Examples
    --------
    >>> picture = np.full((3, 100, 100), 235.0)
    >>> picture[:, 30:70, 30:70] = np.array([150, 70, 160])[:, None, None]
    >>> mask = tissue_mask(picture)
    >>> bool(mask[50, 50]), bool(mask[5, 5])
    (True, False)
    """
    array = np.asarray(planes, np.float32)
    valid = valid_field(array) if mask is None else np.asarray(mask, bool) & np.isfinite(array).all(0)
    if not valid.any():
        return valid
    kind = modality or guess_modality(array, valid, is_rgb=is_rgb)
    found = _stained(array, valid) if kind == "brightfield" else _glowing(array, _with_darkness(array, valid))
    return _tidy(found & valid) & valid


def tissue_fraction(mask: NDArray[np.bool_], valid: NDArray[np.bool_] | None = None) -> float:
    """Return the share of the valid pixels that is tissue, 0 to 1.

    Examples
    --------
    >>> tissue_fraction(np.array([[True, False]]))
    0.5
    """
    base = np.ones(mask.shape, bool) if valid is None else valid
    return float((mask & base).sum() / max(int(base.sum()), 1))


def _sigma(shape: tuple[int, int]) -> float:
    """Width of the smoothing: joins neighbouring nuclei in an overview, keeps outlines."""
    return max(1.0, 0.004 * max(shape))


def _stained(array: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    density = masked_blur(optical_density(array, mask=valid).mean(0), _sigma(valid.shape), valid)
    values = density[valid]
    if np.percentile(values, 99.5) < THINNEST:
        return np.zeros_like(valid)
    return np.asarray(density > np.clip(_otsu(values), THINNEST, SURE), bool)


def _glowing(array: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy.stats import median_abs_deviation

    summed = np.zeros(valid.shape, np.float32)
    for plane in array:
        # The root evens out the brightness of strong and weak signals; noise of counts becomes equal.
        summed += np.sqrt(scale_percentiles(plane, valid, low=1, high=99.8))
    smooth = masked_blur(summed, _sigma(valid.shape), valid)
    values = smooth[valid]
    spread = float(values.max() - values.min())
    noise = float(median_abs_deviation((summed - smooth)[valid], scale="normal"))
    # Blurring white noise over 4 pi sigma^2 pixels leaves this much; a blank frame has no more.
    left = noise / np.sqrt(4 * np.pi * _sigma(valid.shape) ** 2)
    if spread <= 0 or np.percentile(values, 99.5) - np.percentile(values, 0.5) < 6.5 * left:
        return np.zeros_like(valid)
    return np.asarray(smooth > _above_darkness(values), bool)


def _above_darkness(values: NDArray[np.float32]) -> float:
    """Return a threshold just above the background: Otsu's alone loses dim tissue beside bright."""
    otsu = _otsu(values)
    dark = values[values <= otsu]
    counts, edges = np.histogram(dark, bins=128)
    mode = float(edges[int(np.argmax(counts))] + edges[1] - edges[0])
    below = dark[dark <= mode]
    spread = float(np.sqrt(np.mean((below - mode) ** 2))) if below.size else 0.0
    # A quarter of the way keeps the blurred rim of bright tissue out where the background is flat.
    return min(otsu, max(mode + 5 * spread, mode + 0.25 * (otsu - mode)))


def _with_darkness(array: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add the border to the valid pixels where it is as dark as the background of fluorescence."""
    finite = np.asarray(np.isfinite(array).all(axis=0), bool)
    border = finite & ~valid
    grey = array.mean(0)
    if border.any() and np.median(grey[border]) <= np.percentile(grey[valid], 5):
        return finite
    return valid


def _otsu(values: NDArray[np.float32]) -> float:
    from skimage.filters import threshold_otsu

    lowest, highest = float(values.min()), float(values.max())
    if highest - lowest <= 1e-5 * max(abs(highest), 1.0):
        return highest
    return float(threshold_otsu(values.astype(np.float64)))


def _tidy(found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Close gaps between nuclei, fill small holes and remove specks."""
    import cv2

    size = 2 * round(1.5 * _sigma(found.shape)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    closed = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, disc)
    smallest = max(9, int(2e-4 * found.size))
    kept = _without_small(closed, smallest)
    return np.asarray(_without_small(1 - kept, smallest) == 0, bool)


def _without_small(mask: NDArray[np.uint8], smallest: int) -> NDArray[np.uint8]:
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= smallest
    keep[0] = False
    return np.asarray(keep[labels], np.uint8)
