"""Mutual information from joint histograms, of one pose and of all shifts at once."""

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["ShiftMap", "bin_edges", "information", "quantised", "sorted_into"]

LEAST_OVERLAP = 0.45
"""Share of the smaller image, and of the smaller body, that both must show; small ones match by chance."""


def quantised(values: NDArray[np.float32], mask: NDArray[np.bool_], bins: int) -> NDArray[np.int8]:
    """Sort values into bins: air is 0, the body is parted into groups of equal size.

    Parameters
    ----------
    values : ndarray of float32
    mask : ndarray of bool
        The body.
    bins : int
        Air included.
    """
    return sorted_into(bin_edges(values, mask, bins), values, mask)


def bin_edges(values: NDArray[np.float32], mask: NDArray[np.bool_], bins: int) -> FloatArray:
    """Return the edges that part the body into groups of equal size, one less than there are groups."""
    return np.asarray(np.quantile(values[mask], np.linspace(0, 1, bins)[1:-1]))


def sorted_into(edges: FloatArray, values: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Sort values into bins between edges, which may come from other values; air is 0."""
    return np.where(mask, 1 + np.searchsorted(edges, values), 0).astype(np.int8)


def information(counts: FloatArray) -> FloatArray:
    """Return the normalised mutual information of joint histograms, 0 to 1 [1]_.

    Twice the mutual information over the sum of the two entropies: that of the overlap alone grows with
    anything that fills it half, such as the edge of the body against air.

    Parameters
    ----------
    counts : (A, B, ...) ndarray
        How often value a of one volume falls on value b of the other.

    Returns
    -------
    (...) ndarray
        0 where nothing was counted.

    References
    ----------
    .. [1] C. Studholme, D. L. G. Hill, D. J. Hawkes, An overlap invariant entropy measure of 3D medical image
       alignment, Pattern Recognition 32(1), 1999. doi:10.1016/S0031-3203(98)00091-0

    Examples
    --------
    >>> float(information(np.array([[5.0, 0.0], [0.0, 5.0]])))
    1.0
    """
    total = counts.sum(axis=(0, 1))
    share = counts / np.where(total > 0, total, 1)
    apart = _bits(share.sum(axis=1)) + _bits(share.sum(axis=0))
    together = _bits(share.reshape(-1, *share.shape[2:]))
    return np.asarray(2 * (apart - together) / np.where(apart > 1e-9, apart, 1))


def _bits(share: FloatArray) -> FloatArray:
    return np.asarray(-(share * np.log2(np.where(share > 1e-12, share, 1))).sum(axis=0))


class ShiftMap:
    """Mutual information of a fixed image with others, at every shift by whole pixels or voxels.

    A joint histogram over the overlap at every shift is a table of cross-correlations of indicator volumes,
    which the fast Fourier transform gives all together.

    Parameters
    ----------
    labels : (Y, X) or (Z, Y, X) ndarray of int8
        The fixed image in bins, 0 for air or background; -1 where it shows nothing.
    bins : int
        Of both images.
    moving_shape : tuple of int
        Of the others.

    Examples
    --------
    >>> image = np.pad(np.arange(1, 5, dtype=np.int8).reshape(2, 2), 3)
    >>> found, shifts = ShiftMap(image, 5, image.shape)(np.roll(image, 1, axis=1))
    >>> shifts[:, found == found.max()].ravel().tolist()
    [0, 1]
    """

    def __init__(self, labels: NDArray[np.int8], bins: int, moving_shape: tuple[int, ...]) -> None:
        from scipy.fft import next_fast_len, rfftn

        self.bins, self.moving_shape = bins, moving_shape
        self.size = tuple(
            next_fast_len(a + b - 1, real=True) for a, b in zip(labels.shape, moving_shape, strict=True)
        )
        self.valid, self.body = int((labels >= 0).sum()), int((labels > 0).sum())
        self._spectra = [np.conj(rfftn((labels == k).astype(np.float32), self.size)) for k in range(bins)]

    def __call__(self, labels: NDArray[np.int8]) -> tuple[FloatArray, NDArray[np.intp]]:
        """Return the information at all shifts, and these shifts: moving index less fixed index.

        Parameters
        ----------
        labels : ndarray of int8
            The moving image in bins; -1 where it shows nothing.

        Returns
        -------
        information : ndarray
            -inf where they overlap too little.
        shifts : (dimensions, ...) ndarray of int
        """
        from scipy.fft import irfftn, rfftn

        spectra = [rfftn((labels == k).astype(np.float32), self.size) for k in range(self.bins)]
        counts = np.stack(
            [
                np.stack([np.maximum(np.rint(irfftn(a * b, self.size)), 0) for b in spectra])
                for a in self._spectra
            ]
        )
        overlap = counts.sum(axis=(0, 1))
        least = LEAST_OVERLAP * min(self.valid, int((labels >= 0).sum()))
        # Bin 0 is air: of the bodies too so much must be seen.
        seen = counts[1:].sum(axis=(0, 1)), counts[:, 1:].sum(axis=(0, 1))
        bodies = self.body, int((labels > 0).sum())
        enough = (overlap >= least) & (np.minimum(*seen) >= LEAST_OVERLAP * min(bodies))
        found = np.full(overlap.shape, -np.inf)
        found[enough] = information(counts[:, :, enough].astype(float))
        axes = [
            np.where(np.arange(n) < m, np.arange(n), np.arange(n) - n)
            for n, m in zip(self.size, self.moving_shape, strict=True)
        ]
        return found, np.stack(np.meshgrid(*axes, indexing="ij"))
