"""What a block's whole correlation map says about its shift, given where it is expected."""

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["agreement_at", "soft_shifts"]

SHARPNESS = 0.5
"""How much of its likelihood a map is believed: overlapping blocks say the same thing more than once."""

PEAK_VARIANCE = 0.04  # pixels squared: no peak is read better than a fifth of a pixel
LEAST_INFORMATION = 1e-4


def soft_shifts(z: FloatArray, expected: FloatArray, spread: float) -> tuple[FloatArray, FloatArray]:
    """Turn correlation maps into measured shifts with their information.

    The profile likelihood of a shift is exp(z^2 / 2). Times a Gaussian round the expected shift it has a
    mean and a covariance; dividing the Gaussian out again leaves what the map itself adds, as in
    expectation propagation [1]_. A map that is flat there adds nothing; one with a far higher peak is
    drawn to it only as far as the spread allows: outliers need no other treatment.

    Parameters
    ----------
    z : (N, D, D) ndarray
        Score of each shift from -reach to reach, in standard deviations of chance.
    expected : (N, 2) ndarray
        Where each shift is expected, (y, x) in pixels.
    spread : float
        Standard deviation of that expectation in pixels.

    Returns
    -------
    shifts : (N, 2) ndarray
        In pixels.
    information : (N, 2, 2) ndarray
        Inverse covariance.

    References
    ----------
    .. [1] T. P. Minka, Expectation propagation for approximate Bayesian inference, UAI 2001.
       arXiv:1301.2294
    """
    reach = (z.shape[1] - 1) // 2
    grid = np.arange(-reach, reach + 1.0)
    expected = np.clip(expected, -reach, reach)
    off_y, off_x = grid - expected[:, :1], grid - expected[:, 1:]
    energy = SHARPNESS * z * np.abs(z) / 2
    energy -= (off_y**2 / (2 * spread**2))[:, :, None] + (off_x**2 / (2 * spread**2))[:, None, :]
    energy -= energy.max((1, 2), keepdims=True)
    share = np.exp(energy)
    share /= share.sum((1, 2), keepdims=True)
    along = np.stack([share.sum(2), share.sum(1)], 1)
    mean = along @ grid
    deviation = grid - mean[..., None]
    covariance = np.empty((len(z), 2, 2))
    covariance[:, 0, 0], covariance[:, 1, 1] = ((along * deviation**2).sum(-1) + PEAK_VARIANCE).T
    covariance[:, 0, 1] = np.einsum("nij,ni,nj->n", share, deviation[:, 0], deviation[:, 1])
    covariance[:, 1, 0] = covariance[:, 0, 1]
    both = np.linalg.inv(covariance)
    values, vectors = np.linalg.eigh(both - np.eye(2) / spread**2)
    values = np.maximum(values, LEAST_INFORMATION)
    information = np.einsum("nij,nj,nkj->nik", vectors, values, vectors)
    pull = np.einsum("nij,nj->ni", both, mean) - expected / spread**2
    shifts = np.linalg.solve(information, pull[..., None])[..., 0]
    return np.clip(shifts, -reach - 2, reach + 2), information


def agreement_at(z: FloatArray, shifts: FloatArray) -> FloatArray:
    """Read the maps at given shifts; 0, as by chance, beyond their reach.

    Parameters
    ----------
    z : (N, D, D) ndarray
        Score of each shift from -reach to reach.
    shifts : (N, 2) ndarray
        In pixels; between them the map is interpolated by cubic convolution [1]_.

    Returns
    -------
    (N,) ndarray

    References
    ----------
    .. [1] R. Keys, Cubic convolution interpolation for digital image processing, IEEE TASSP 29(6), 1981.
       doi:10.1109/TASSP.1981.1163711

    Examples
    --------
    >>> z = np.zeros((1, 5, 5))
    >>> z[0, 2, 3] = 4.0
    >>> agreement_at(z, np.array([[0.0, 1.0]])).tolist()
    [4.0]
    """
    size = z.shape[1]
    place = np.asarray(shifts) + (size - 1) / 2
    seen: NDArray[np.bool_] = ((place >= 0) & (place <= size - 1)).all(1)
    place = np.clip(place, 0, size - 1)
    cell = np.minimum(np.floor(place).astype(int), size - 2)
    taps_y, taps_x = _cubic_taps(place[:, 0] - cell[:, 0]), _cubic_taps(place[:, 1] - cell[:, 1])
    rows = np.arange(len(z))
    total = np.zeros(len(z))
    for i in range(4):
        for j in range(4):
            y, x = (np.clip(cell[:, k] + step - 1, 0, size - 1) for k, step in ((0, i), (1, j)))
            total += taps_y[i] * taps_x[j] * z[rows, y, x]
    return np.where(seen, total, 0.0)


def _cubic_taps(t: FloatArray) -> FloatArray:
    """Return the four weights of cubic convolution at `t` (0 to 1) into a cell, (4, N)."""
    return np.stack(
        [
            -0.5 * t + t**2 - 0.5 * t**3,
            1 - 2.5 * t**2 + 1.5 * t**3,
            0.5 * t + 2 * t**2 - 1.5 * t**3,
            -0.5 * t**2 + 0.5 * t**3,
        ]
    )
