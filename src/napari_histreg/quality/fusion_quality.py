"""How much of two pictures a fused one keeps."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.preprocess.intensity import scale_percentiles
from napari_histreg.preprocess.planes import read_planes, working_spacing
from napari_histreg.quality.similarity import entropy, measure_similarity
from napari_histreg.slides.slide import Slide

__all__ = [
    "FusionQuality",
    "edge_preservation",
    "measure_fused_slide",
    "measure_fusion",
    "spatial_frequency",
]

OVERVIEW_PX = 1024
"""Longer side of what a fused slide is measured on: whole slides are looked at, not read."""

# Strength and orientation: height, slope and middle of the curves in reference 1 of `edge_preservation`.
_STRENGTH = (0.9994, -15.0, 0.5)
_ORIENTATION = (0.9879, -22.0, 0.8)


@dataclass(frozen=True)
class FusionQuality:
    """Figures of a fused picture.

    Parameters
    ----------
    entropy : float
        EN, bits per pixel.
    ssim_first, ssim_second : float
        Structural similarity to each source.
    mi_first, mi_second : float
        Mutual information with each source, bits.
    spatial_frequency : float
        SF, activity along rows and columns, in units of the pixels.
    edge_preservation : float
        Q^AB/F, 0 to about 0.975.
    """

    entropy: float
    ssim_first: float
    ssim_second: float
    mi_first: float
    mi_second: float
    spatial_frequency: float
    edge_preservation: float

    def to_dict(self) -> dict[str, float]:
        """Return the figures by name."""
        return asdict(self)


def measure_fusion(
    first: ArrayLike, second: ArrayLike, fused: ArrayLike, *, data_range: float = 1.0
) -> FusionQuality:
    """Measure a fused picture against its two sources.

    Parameters
    ----------
    first, second, fused : (Y, X) array_like
        Pictures on one frame.
    data_range : float
        Distance of the lowest and the highest possible value, for SSIM.

    Returns
    -------
    FusionQuality

    Raises
    ------
    ValueError
        The shapes differ.

    Examples
    --------
    >>> picture = np.random.default_rng(0).random((32, 32))
    >>> round(measure_fusion(picture, picture, picture).ssim_first, 6)
    1.0
    """
    to_first = measure_similarity(first, fused, data_range=data_range)
    to_second = measure_similarity(second, fused, data_range=data_range)
    return FusionQuality(
        entropy=entropy(np.asarray(fused, float)),
        ssim_first=to_first.ssim,
        ssim_second=to_second.ssim,
        mi_first=to_first.mi,
        mi_second=to_second.mi,
        spatial_frequency=spatial_frequency(fused),
        edge_preservation=edge_preservation(first, second, fused),
    )


def measure_fused_slide(
    fixed: Slide, moving: Slide, fused: Slide, *, max_px: int = OVERVIEW_PX
) -> FusionQuality:
    """Measure a fused slide against the two slides it was made from.

    Channels are averaged; the two sources are brought to 0 to 1 by percentiles, as for fusing, and the
    fused picture is taken as it is.

    Parameters
    ----------
    fixed, moving : Slide
        On one grid: the moving one as warped.
    fused : Slide
        8 bit, as `fuse_slides` makes it.
    max_px : int
        Longer side of the picture that is measured.

    Returns
    -------
    FusionQuality

    Raises
    ------
    ValueError
        The slides do not lie on one grid.

    Examples
    --------
    >>> from napari_histreg.slides import open_slide
    >>> slide = open_slide((np.random.default_rng(0).random((64, 64)) * 255).astype(np.uint8))
    >>> round(measure_fused_slide(slide, slide, slide).ssim_second, 3)
    1.0
    """
    for slide in (moving, fused):
        if slide.shape != fixed.shape:
            raise ValueError(
                f"{slide.name} and {fixed.name} do not lie on one grid ({slide.shape} and {fixed.shape})."
            )
    spacing = working_spacing(fixed, max_px)
    first, second = (scale_percentiles(*_grey(slide, spacing)) for slide in (fixed, moving))
    return measure_fusion(first, second, _grey(fused, spacing)[0] / 255)


def _grey(slide: Slide, spacing: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the mean of all channels, 0 where there is nothing, and where there is something."""
    pixels = read_planes(slide, spacing).pixels
    valid = np.asarray(np.isfinite(pixels).all(axis=0), bool)
    return np.where(valid, pixels, 0).mean(axis=0, dtype=np.float32), valid


def spatial_frequency(picture: ArrayLike) -> float:
    """Return the root mean square step between neighbours, along rows and columns [1]_.

    References
    ----------
    .. [1] A. M. Eskicioglu, P. S. Fisher, IEEE Trans. Communications 43(12), 2959-2965, 1995.
           doi:10.1109/26.477498

    Examples
    --------
    >>> spatial_frequency([[0, 1], [0, 1]])
    1.0
    """
    values = np.asarray(picture, float)
    rows, columns = np.diff(values, axis=1), np.diff(values, axis=0)
    return float(np.sqrt((rows**2).mean() + (columns**2).mean()))


def edge_preservation(first: ArrayLike, second: ArrayLike, fused: ArrayLike) -> float:
    """Return Q^AB/F: how much of the edges of both sources the fused picture has [1]_.

    Parameters
    ----------
    first, second, fused : (Y, X) array_like
        Pictures on one frame.

    Returns
    -------
    float
        0 where nothing is kept; 0.9748 where all is; NaN where no source has an edge.

    References
    ----------
    .. [1] C. S. Xydeas, V. Petrovic, Electronics Letters 36(4), 308-309, 2000. doi:10.1049/el:20000267

    Examples
    --------
    >>> picture = np.random.default_rng(0).random((32, 32))
    >>> round(edge_preservation(picture, picture, picture), 4)
    0.9748
    """
    strength, angle = _edges(fused)
    total, weight = 0.0, 0.0
    for source in (first, second):
        own, own_angle = _edges(source)
        kept = np.divide(
            np.minimum(own, strength),
            np.maximum(own, strength),
            out=np.zeros_like(own),
            where=np.maximum(own, strength) > 0,
        )
        turned = np.abs(own_angle - angle)
        aligned = np.abs(turned - np.pi / 2) / (np.pi / 2)
        quality = _curve(kept, *_STRENGTH) * _curve(aligned, *_ORIENTATION)
        total += float((quality * own).sum())
        weight += float(own.sum())
    return total / weight if weight > 0 else float("nan")


def _edges(picture: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return strength and direction (-pi/2 to pi/2) of the edges, by Sobel's operator."""
    from scipy.ndimage import sobel

    values = np.asarray(picture, float)
    x, y = sobel(values, axis=1), sobel(values, axis=0)
    direction = np.arctan(np.divide(y, x, out=np.full_like(x, np.inf), where=x != 0))
    return np.hypot(x, y), direction


def _curve(value: FloatArray, height: float, slope: float, middle: float) -> FloatArray:
    return np.asarray(height / (1 + np.exp(slope * (value - middle))))
