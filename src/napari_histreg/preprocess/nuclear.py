"""The signal of cell nuclei: what an H&E and a fluorescence picture of one tissue share."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.errors import NoTissue
from napari_histreg.preprocess.intensity import masked_blur, scale_percentiles
from napari_histreg.preprocess.stain import (
    HAEMATOXYLIN,
    Stains,
    estimate_stains,
    optical_density,
    ruifrok_stains,
    separate_stains,
)

__all__ = ["choose_stains", "find_nuclear_name", "nuclear_density", "pick_nuclear_channel", "structure"]

NUCLEAR_NAMES = (
    r"dapi",
    r"hoechst",
    r"draq-?[57]",
    r"(ds)?dna",
    r"nuclei|nucleus|nuclear",
    r"ha?ematoxylin",
    r"syt(o|ox)",
    r"to-?pro|yoyo|7-?aad|propidium|histone|ir19[13]",
)
"""Names of nuclear dyes and channels, surest first; letters may not adjoin, digits may."""


def find_nuclear_name(names: Sequence[str]) -> int | None:
    """Find the channel whose name is that of a nuclear stain.

    Parameters
    ----------
    names : sequence of str
        Channel names, as in the file.

    Returns
    -------
    int or None
        Index of the first channel with the surest name; None if no name tells.

    Examples
    --------
    >>> find_nuclear_name(["CD8", "Hoechst33342", "mtDNA"])
    1
    >>> find_nuclear_name(["channel 0", "cDNA-probe"]) is None
    True
    """
    for pattern in NUCLEAR_NAMES:
        regex = re.compile(rf"(?<![a-z])(non-?|extra-?|cyto-?)?({pattern})(?![a-z])", re.IGNORECASE)
        for index, name in enumerate(names):
            match = regex.search(name)
            if match and not match.group(1):
                return index
    return None


def structure(plane: ArrayLike, mask: NDArray[np.bool_] | None = None) -> float:
    """Measure how much nucleus-like structure a plane holds: blobs of a few pixels above the noise.

    Parameters
    ----------
    plane : (Y, X) array_like
        One fluorescence channel of an overview.
    mask : (Y, X) ndarray of bool, optional
        True where valid.

    Returns
    -------
    float
        0 for a constant plane, below 1 for pure noise or smooth background, several for nuclei.

    Examples
    --------
    >>> structure(np.zeros((32, 32)))
    0.0
    """
    scaled = scale_percentiles(plane, mask)
    valid = np.ones(scaled.shape, bool) if mask is None else np.asarray(mask, bool)
    if not scaled.any():
        return 0.0
    fine, coarse = masked_blur(scaled, 1.0, valid), masked_blur(scaled, 6.0, valid)
    blobs = float((fine - coarse)[valid].std())
    noise = float((scaled - fine)[valid].std())
    # White noise leaves 0.28 of itself after the fine blur; what exceeds that is structure.
    return max(blobs - 0.3 * noise, 0.0) / (noise + 0.02)


def pick_nuclear_channel(
    names: Sequence[str], planes: Sequence[ArrayLike] | None = None, mask: NDArray[np.bool_] | None = None
) -> int:
    """Choose the channel that shows the nuclei: by its name, else by its structure.

    Parameters
    ----------
    names : sequence of str
        Channel names.
    planes : sequence of (Y, X) array_like, optional
        The channels' overviews; needed where no name tells.
    mask : (Y, X) ndarray of bool, optional
        True where valid.

    Returns
    -------
    int

    Raises
    ------
    NoTissue
        No name tells and all planes are empty.

    Examples
    --------
    >>> pick_nuclear_channel(["CD3", "DAPI"])
    1
    """
    named = find_nuclear_name(names)
    if named is not None:
        return named
    if len(names) == 1:
        return 0
    scores = [structure(plane, mask) for plane in planes or ()]
    if not scores or max(scores) == 0:
        raise NoTissue(
            "No channel is named after a nuclear stain and all channels are empty; name the channel."
        )
    return int(np.argmax(scores))


def choose_stains(density: ArrayLike, mask: NDArray[np.bool_] | None = None) -> Stains:
    """Choose the stain colours of a brightfield picture.

    Macenko's estimate where its first stain looks like haematoxylin and takes more of the red than the
    second, as blue beside pink or brown does; else
    the published vectors of whichever of eosin and DAB explains the picture better.

    Parameters
    ----------
    density : (3, Y, X) array_like
        Optical density.
    mask : (Y, X) ndarray of bool, optional
        True where valid.

    Examples
    --------
    >>> choose_stains(np.zeros((3, 8, 8))).names[0]
    'haematoxylin'
    """
    planes = np.asarray(density, np.float32)
    haematoxylin = np.asarray(HAEMATOXYLIN) / np.linalg.norm(HAEMATOXYLIN)
    try:
        found = estimate_stains(planes, mask)
    except NoTissue:
        found = None
    if found is not None:
        like = found.vectors[:2] @ haematoxylin
        apart = float(found.vectors[0] @ found.vectors[1])
        redder = float(found.vectors[0, 0] - found.vectors[1, 0])
        if like[0] > 0.93 and apart < 0.97 and redder > 0.05:
            return found
    known = [ruifrok_stains("eosin"), ruifrok_stains("dab")]
    left = [float(np.abs(separate_stains(planes, stains)[2]).sum()) for stains in known]
    return known[int(np.argmin(left))]


def nuclear_density(
    rgb: ArrayLike, mask: NDArray[np.bool_] | None = None, *, stains: Stains | None = None
) -> NDArray[np.float32]:
    """Return the haematoxylin of a brightfield picture, bright where the nuclei are.

    Parameters
    ----------
    rgb : (3, Y, X) or (1, Y, X) array_like
        Transmitted light. Grey pictures have no stains to tell apart: their density is returned.
    mask : (Y, X) ndarray of bool, optional
        True where valid.
    stains : Stains, optional
        The colours; chosen by `choose_stains` by default.

    Returns
    -------
    (Y, X) ndarray of float32
        Amount of stain in optical density, at least 0.

    Examples
    --------
    >>> picture = np.full((3, 16, 16), 240.0)
    >>> picture[:, 4:8, 4:8] = (240 * 10 ** -np.array([0.65, 0.70, 0.29]))[:, None, None]
    >>> signal = nuclear_density(picture)
    >>> bool(signal[5, 5] > 0.9), bool(signal[0, 0] < 0.01)
    (True, True)
    """
    density = optical_density(rgb, mask=mask)
    if density.shape[0] != 3:
        return np.asarray(density.mean(0), np.float32)
    colours = choose_stains(density, mask) if stains is None else stains
    return np.asarray(np.maximum(separate_stains(density, colours)[0], 0), np.float32)
