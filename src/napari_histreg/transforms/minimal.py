"""Exact transforms through the fewest points that determine them, many samples at once."""

import numpy as np

from napari_histreg.geometry import FloatArray

__all__ = ["minimal_matrices"]


def minimal_matrices(model: str, fixed: FloatArray, moving: FloatArray, allow_mirror: bool) -> FloatArray:
    """Solve every sample of a robust fit for its transform.

    Parameters
    ----------
    model : str
        One of `napari_histreg.transforms.MODELS`.
    fixed, moving : (B, K, 2) ndarray of float64
        B samples of the K point pairs (y, x) that determine the model.
    allow_mirror : bool
        Whether a rigid transform or a similarity may turn the tissue over; then each sample gives two.

    Returns
    -------
    (M, 3, 3) ndarray of float64
        Matrices on (y, x, 1); samples that determine nothing are left out, so M may be 0.

    Examples
    --------
    >>> import numpy as np
    >>> minimal_matrices("translation", np.zeros((1, 1, 2)), np.full((1, 1, 2), 3.0), False).tolist()
    [[[1.0, 0.0, 3.0], [0.0, 1.0, 3.0], [0.0, 0.0, 1.0]]]
    """
    if model == "translation":
        matrices = _matrices(np.broadcast_to(np.eye(2), (len(fixed), 2, 2)), fixed.mean(1), moving.mean(1))
    elif model in ("rigid", "similarity"):
        matrices = _turns(fixed, moving, keep_lengths=model == "rigid", mirrored=False)
        if allow_mirror:
            matrices = np.concatenate(
                [matrices, _turns(fixed, moving, keep_lengths=model == "rigid", mirrored=True)]
            )
    elif model == "affine":
        matrices = _affine(fixed, moving)
    else:
        matrices = _projective(fixed, moving)
    return np.asarray(matrices[np.isfinite(matrices).all((1, 2))])


def _matrices(linear: FloatArray, fixed_centre: FloatArray, moving_centre: FloatArray) -> FloatArray:
    matrices = np.zeros((len(linear), 3, 3))
    matrices[:, :2, :2] = linear
    matrices[:, :2, 2] = moving_centre - np.einsum("bij,bj->bi", linear, fixed_centre)
    matrices[:, 2, 2] = 1
    return matrices


def _turns(fixed: FloatArray, moving: FloatArray, *, keep_lengths: bool, mirrored: bool) -> FloatArray:
    """Two pairs each: with y + ix as a complex number, a turn with scale is one complex factor."""
    a, b = fixed[:, 1] - fixed[:, 0], moving[:, 1] - moving[:, 0]
    z = a[:, 0] + 1j * a[:, 1] * (-1 if mirrored else 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = (b[:, 0] + 1j * b[:, 1]) / z
        if keep_lengths:
            factor = factor / np.abs(factor)
    sign = -1.0 if mirrored else 1.0
    # Nothing but the factor can be undefined here: NaN marks the sample, and the caller drops it.
    linear = np.stack(
        [
            np.stack([factor.real, -sign * factor.imag], -1),
            np.stack([factor.imag, sign * factor.real], -1),
        ],
        axis=1,
    )
    with np.errstate(invalid="ignore"):
        return _matrices(linear, fixed.mean(1), moving.mean(1))


def _affine(fixed: FloatArray, moving: FloatArray) -> FloatArray:
    """Three pairs each: the edges of one triangle onto those of the other."""
    a = np.stack([fixed[:, 1] - fixed[:, 0], fixed[:, 2] - fixed[:, 0]], -1)
    b = np.stack([moving[:, 1] - moving[:, 0], moving[:, 2] - moving[:, 0]], -1)
    area = a[:, 0, 0] * a[:, 1, 1] - a[:, 0, 1] * a[:, 1, 0]
    size = (a**2).sum((1, 2))
    keep = np.abs(area) > 1e-6 * size
    linear = b[keep] @ np.linalg.inv(a[keep])
    return _matrices(linear, fixed[keep].mean(1), moving[keep].mean(1))


def _projective(fixed: FloatArray, moving: FloatArray) -> FloatArray:
    """Four pairs each: eight equations for eight numbers, in coordinates about the sample's middle."""
    f_mean, m_mean = fixed.mean(1), moving.mean(1)
    f_size = np.sqrt(((fixed - f_mean[:, None]) ** 2).sum((1, 2)))
    m_size = np.sqrt(((moving - m_mean[:, None]) ** 2).sum((1, 2)))
    good = (f_size > 0) & (m_size > 0)
    f_mean, m_mean, f_size, m_size = f_mean[good], m_mean[good], f_size[good], m_size[good]
    f = (fixed[good] - f_mean[:, None]) / f_size[:, None, None]
    m = (moving[good] - m_mean[:, None]) / m_size[:, None, None]
    count = len(f)
    source = np.concatenate([f, np.ones((count, 4, 1))], -1)
    system = np.zeros((count, 8, 8))
    system[:, :4, :3], system[:, 4:, 3:6] = source, source
    system[:, :4, 6:] = -m[:, :, :1] * f
    system[:, 4:, 6:] = -m[:, :, 1:] * f
    right = np.concatenate([m[:, :, 0], m[:, :, 1]], -1)
    keep = np.abs(np.linalg.det(system)) > 1e-12
    numbers = np.linalg.solve(system[keep], right[keep][..., None])[..., 0]
    core = np.concatenate([numbers, np.ones((len(numbers), 1))], -1).reshape(-1, 3, 3)
    ahead = (np.einsum("bkj,bj->bk", source[keep], core[:, 2]) > 0).all(1)
    core, f_mean, f_size = core[ahead], f_mean[keep][ahead], f_size[keep][ahead]
    m_mean, m_size = m_mean[keep][ahead], m_size[keep][ahead]
    into, out = np.zeros((len(core), 3, 3)), np.zeros((len(core), 3, 3))
    into[:, 0, 0] = into[:, 1, 1] = 1 / f_size
    into[:, :2, 2] = -f_mean / f_size[:, None]
    out[:, 0, 0] = out[:, 1, 1] = m_size
    out[:, :2, 2] = m_mean
    into[:, 2, 2] = out[:, 2, 2] = 1
    return np.asarray(out @ core @ into)
