"""Stains told apart: optical density, stain vectors and deconvolution."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.errors import NoTissue
from napari_histreg.geometry import FloatArray

__all__ = [
    "Stains",
    "estimate_stains",
    "estimate_white",
    "optical_density",
    "ruifrok_stains",
    "separate_stains",
]

HAEMATOXYLIN = (0.65, 0.70, 0.29)
EOSIN = (0.07, 0.99, 0.11)
DAB = (0.27, 0.57, 0.78)

SAMPLE_PX = 200_000
"""Pixels that colours are estimated from; more change the third digit only."""

NO_GLASS = 0.85
"""A valid part whose brightest pixels are below this share of its surroundings is all tissue."""


@dataclass(frozen=True, eq=False)
class Stains:
    """Colours of two stains as directions in optical density, and what is left.

    Parameters
    ----------
    vectors : (3, 3) ndarray of float64
        Unit rows: first stain, second stain, residual; columns red, green, blue.
    names : (str, str, str)
        What the rows are called.
    """

    vectors: FloatArray
    names: tuple[str, str, str]

    @classmethod
    def of(cls, first: ArrayLike, second: ArrayLike, names: tuple[str, str]) -> "Stains":
        """Complete two stain directions by the residual that is perpendicular to both.

        Raises
        ------
        ValueError
            The two directions are the same or zero.

        Examples
        --------
        >>> Stains.of([1, 0, 0], [0, 1, 0], ("a", "b")).vectors[2].tolist()
        [0.0, 0.0, 1.0]
        """
        rows = [np.asarray(first, float), np.asarray(second, float)]
        lengths = [float(np.linalg.norm(row)) for row in rows]
        if min(lengths) == 0:
            raise ValueError("A stain needs a direction other than (0, 0, 0).")
        rows = [row / length for row, length in zip(rows, lengths, strict=True)]
        residual = np.cross(rows[0], rows[1])
        length = float(np.linalg.norm(residual))
        if length < 1e-3:
            raise ValueError("The two stains have the same colour and cannot be told apart.")
        return cls(np.stack([*rows, residual / length]), (*names, "residual"))


def ruifrok_stains(second: str = "eosin") -> Stains:
    """Return the published vectors of haematoxylin with eosin or with DAB [1]_.

    Parameters
    ----------
    second : {"eosin", "dab"}
        The stain beside haematoxylin.

    References
    ----------
    .. [1] A. C. Ruifrok, D. A. Johnston, Anal. Quant. Cytol. Histol. 23, 291-299, 2001 (no DOI; PMID
       11531144). See also A. C. Ruifrok et al., 2003. doi:10.1097/00129039-200303000-00014

    Examples
    --------
    >>> ruifrok_stains("dab").names
    ('haematoxylin', 'dab', 'residual')
    """
    table = {"eosin": EOSIN, "dab": DAB}
    if second not in table:
        raise ValueError(f'The second stain must be "eosin" or "dab", not {second!r}.')
    return Stains.of(HAEMATOXYLIN, table[second], ("haematoxylin", second))


def estimate_white(rgb: ArrayLike, mask: ArrayLike | None = None) -> FloatArray:
    """Estimate what unstained glass looks like.

    Parameters
    ----------
    rgb : (C, Y, X) array_like
        Transmitted light, any scale.
    mask : (Y, X) array_like of bool, optional
        True where valid.

    Returns
    -------
    (C,) ndarray of float64
        The 99.5th percentile of each channel, at least a tiny positive number. Where all of the valid
        part is much darker than what surrounds it, it holds no glass, and the surroundings count.

    Examples
    --------
    >>> estimate_white(np.full((3, 4, 4), 240)).tolist()
    [240.0, 240.0, 240.0]
    """
    planes = np.asarray(rgb, np.float32)
    finite = np.isfinite(planes).all(0)
    valid = finite if mask is None else finite & np.asarray(mask, bool)
    if not valid.any():
        return np.ones(planes.shape[0])
    brightest = _brightest(planes[:, valid])
    border = finite & ~valid
    if border.any():
        around = _brightest(planes[:, border])
        if (brightest < NO_GLASS * around).all():
            brightest = around
    return np.maximum(brightest, 1e-6)


def _brightest(light: NDArray[np.float32]) -> FloatArray:
    step = max(1, light.shape[1] // SAMPLE_PX)
    return np.percentile(light[:, ::step], 99.5, axis=1).astype(np.float64)


def optical_density(
    rgb: ArrayLike, white: ArrayLike | None = None, mask: ArrayLike | None = None
) -> NDArray[np.float32]:
    """Turn transmitted light into optical density, which is proportional to the amount of stain.

    Parameters
    ----------
    rgb : (C, Y, X) array_like
        Transmitted light, any scale.
    white : (C,) array_like, optional
        What unstained glass looks like; estimated by default.
    mask : (Y, X) array_like of bool, optional
        True where valid.

    Returns
    -------
    (C, Y, X) ndarray of float32
        -log10(light / white), from 0 to 2.4; 0 where invalid.

    Examples
    --------
    >>> optical_density(np.array([[[240.0, 24.0]]]), white=[240.0]).round(3).tolist()
    [[[0.0, 1.0]]]
    """
    planes = np.asarray(rgb, np.float32)
    if planes.ndim != 3:
        raise ValueError(f"Expected channels first, (C, Y, X), not an array of shape {planes.shape}.")
    valid = np.isfinite(planes).all(0)
    if mask is not None:
        valid &= np.asarray(mask, bool)
    light = estimate_white(planes, valid) if white is None else np.asarray(white, float)
    # 1/255 of the white is the least that 8-bit cameras tell from black.
    share = np.where(valid, planes, 0) / light.astype(np.float32)[:, None, None]
    density = np.abs(np.log10(np.clip(share, 1 / 255, 1)))
    return np.where(valid, density, 0).astype(np.float32)


def estimate_stains(
    density: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    threshold: float = 0.15,
    percentile: float = 1.0,
) -> Stains:
    """Estimate the two stain directions of a picture by Macenko's method [1]_.

    The densities of stained pixels span a plane (singular value decomposition); its extreme angles
    are the stains. The one that is more like haematoxylin comes first.

    Parameters
    ----------
    density : (3, Y, X) array_like
        Optical density, see `optical_density`.
    mask : (Y, X) array_like of bool, optional
        True where valid.
    threshold : float
        Pixels with less than this density in any channel's mean are glass and are left out.
    percentile : float
        How far from the extremes the angles are taken, for robustness against outliers.

    Returns
    -------
    Stains

    Raises
    ------
    NoTissue
        Fewer than 100 stained pixels, or only one colour.

    References
    ----------
    .. [1] M. Macenko et al., IEEE ISBI 2009, 1107-1110. doi:10.1109/ISBI.2009.5193250

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> amounts = rng.gamma(1.0, 0.4, (2, 200, 200))
    >>> truth = ruifrok_stains("dab").vectors[:2]
    >>> found = estimate_stains(np.einsum("syx,sc->cyx", amounts, truth)).vectors[:2]
    >>> bool((np.sum(found * truth, axis=1) > 0.99).all())
    True
    """
    planes = np.asarray(density, np.float32)
    valid = np.isfinite(planes).all(0) & (planes.mean(0) > threshold)
    if mask is not None:
        valid &= np.asarray(mask, bool)
    pixels = planes[:, valid].T.astype(np.float64)
    if len(pixels) < 100:
        raise NoTissue("Too few stained pixels to estimate the colours of the stains from.")
    pixels = pixels[:: max(1, len(pixels) // SAMPLE_PX)]
    # Directions through the origin (no mean removed): zero stain is zero density.
    _, axes = np.linalg.eigh(pixels.T @ pixels)
    plane = axes[:, [2, 1]]
    plane = plane * np.where(plane.sum(0) < 0, -1, 1)
    along = pixels @ plane
    angles = np.percentile(np.arctan2(along[:, 1], along[:, 0]), [percentile, 100 - percentile])
    ends = [np.clip(plane @ [np.cos(a), np.sin(a)], 0, None) for a in angles]
    haematoxylin = np.asarray(HAEMATOXYLIN)
    ends.sort(key=lambda end: -float(end @ haematoxylin) / max(float(np.linalg.norm(end)), 1e-9))
    try:
        return Stains.of(ends[0], ends[1], ("haematoxylin", "second stain"))
    except ValueError as error:
        raise NoTissue(
            "The picture holds one colour only, so that no two stains can be told apart."
        ) from error


def separate_stains(density: ArrayLike, stains: Stains) -> NDArray[np.float32]:
    """Unmix optical density into amounts of stain (colour deconvolution [1]_).

    Parameters
    ----------
    density : (3, Y, X) array_like
        Optical density of red, green and blue.
    stains : Stains
        The directions to unmix.

    Returns
    -------
    (3, Y, X) ndarray of float32
        First stain, second stain, residual; negative where the pixel has the opposite colour.

    References
    ----------
    .. [1] A. C. Ruifrok, D. A. Johnston, Anal. Quant. Cytol. Histol. 23, 291-299, 2001. PMID 11531144

    Examples
    --------
    >>> stains = ruifrok_stains("dab")
    >>> density = 0.5 * stains.vectors[1][:, None, None]
    >>> np.abs(separate_stains(density, stains).round(3)).ravel().tolist()
    [0.0, 0.5, 0.0]
    """
    planes = np.asarray(density, np.float32)
    if planes.ndim != 3 or planes.shape[0] != 3:
        raise ValueError(f"Stains are told apart by red, green and blue (3, Y, X), not {planes.shape}.")
    unmix = np.linalg.inv(stains.vectors.T).astype(np.float32)
    return np.tensordot(unmix, planes, axes=1).astype(np.float32)
