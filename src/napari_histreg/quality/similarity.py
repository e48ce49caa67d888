"""How alike two aligned pictures are, inside a mask: L1, RMSE, NCC, SSIM, mutual information, entropy."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["Likeness", "entropy", "measure_similarity", "mutual_information", "similarity_before_after"]

BINS = 100
"""Grey levels told apart by the mutual information, as in scikit-image."""

SSIM_WINDOW = 7


@dataclass(frozen=True)
class Likeness:
    """Likeness of two pictures inside a mask.

    Parameters
    ----------
    l1, rmse : float
        Mean absolute and root mean square difference, in the pictures' units; 0 is best.
    ncc : float
        Normalised cross-correlation, -1 to 1; NaN where one of the pictures is constant.
    ssim : float
        Mean structural similarity, up to 1; NaN where no window of 7 x 7 pixels lies inside.
    mi : float
        Mutual information in bits, 0 or more.
    nmi : float
        Normalised mutual information, 1 (unrelated) to 2 (the same).
    entropy_fixed, entropy_moving : float
        Entropy (EN) of each picture in bits.
    pixels : int
        How many pixels count.
    """

    l1: float
    rmse: float
    ncc: float
    ssim: float
    mi: float
    nmi: float
    entropy_fixed: float
    entropy_moving: float
    pixels: int

    def to_dict(self) -> dict[str, float]:
        """Return the figures by name."""
        return asdict(self)


def measure_similarity(
    fixed: ArrayLike, moving: ArrayLike, mask: ArrayLike | None = None, *, data_range: float = 1.0
) -> Likeness:
    """Measure how alike two pictures on one frame are.

    Different stains differ in brightness: L1, RMSE, NCC and SSIM mean little across stains unless both
    pictures show the same signal (`nuclear`, say). Mutual information [1]_ needs a relation only.

    Parameters
    ----------
    fixed, moving : (Y, X) array_like
        Signals on one frame, usually 0 to 1.
    mask : (Y, X) array_like of bool, optional
        What counts: the tissue that both have in common, say. Everything by default.
    data_range : float
        Distance of the lowest and the highest possible value, for SSIM [2]_.

    Returns
    -------
    Likeness

    Raises
    ------
    ValueError
        The shapes differ, or no pixel counts.

    References
    ----------
    .. [1] C. Studholme et al., Pattern Recognition 32(1), 71-86, 1999. doi:10.1016/S0031-3203(98)00091-0
    .. [2] Z. Wang et al., IEEE TIP 13(4), 600-612, 2004. doi:10.1109/TIP.2003.819861

    Examples
    --------
    >>> picture = np.random.default_rng(0).random((32, 32))
    >>> same = measure_similarity(picture, picture)
    >>> same.rmse, round(same.ncc, 6), round(same.ssim, 6), round(same.nmi, 6)
    (0.0, 1.0, 1.0, 2.0)
    """
    a, b = np.asarray(fixed, float), np.asarray(moving, float)
    if a.shape != b.shape or a.ndim != 2:
        raise ValueError(f"The pictures are {a.shape} and {b.shape}; lay them on one frame first.")
    valid = np.asarray(np.isfinite(a) & np.isfinite(b), bool)
    if mask is not None:
        valid &= np.asarray(mask, bool)
    if not valid.any():
        raise ValueError("No pixel counts: the pictures have no valid part in common.")
    x, y = a[valid], b[valid]
    joint, _, _ = np.histogram2d(x, y, bins=BINS)
    h_fixed, h_moving, h_joint = _bits(joint.sum(1)), _bits(joint.sum(0)), _bits(joint)
    difference = x - y
    return Likeness(
        l1=float(np.abs(difference).mean()),
        rmse=float(np.sqrt((difference**2).mean())),
        ncc=_correlation(x, y),
        ssim=_ssim(np.where(valid, a, 0), np.where(valid, b, 0), valid, data_range),
        mi=h_fixed + h_moving - h_joint,
        nmi=(h_fixed + h_moving) / h_joint if h_joint > 0 else float("nan"),
        entropy_fixed=entropy(x),
        entropy_moving=entropy(y),
        pixels=int(valid.sum()),
    )


def mutual_information(first: ArrayLike, second: ArrayLike, *, bins: int = BINS) -> float:
    """Return the mutual information of two sets of paired values in bits.

    Examples
    --------
    >>> mutual_information([0, 0, 1, 1], [5, 5, 9, 9], bins=2)
    1.0
    """
    joint, _, _ = np.histogram2d(np.ravel(first), np.ravel(second), bins=bins)
    return _bits(joint.sum(1)) + _bits(joint.sum(0)) - _bits(joint)


def entropy(values: ArrayLike, *, bins: int = 256) -> float:
    """Return the Shannon entropy of values in bits, their range cut into `bins` levels.

    Examples
    --------
    >>> entropy(np.arange(256.0))
    8.0
    """
    counts, _ = np.histogram(np.ravel(values), bins=bins)
    return _bits(counts)


def similarity_before_after(
    fixed: ArrayLike,
    before: ArrayLike,
    after: ArrayLike,
    *,
    tissue: ArrayLike,
) -> Mapping[str, Mapping[str, dict[str, float] | None]]:
    """Measure likeness before and after an alignment, inside the tissue and over everything.

    Parameters
    ----------
    fixed, before, after : (Y, X) array_like
        The fixed signal, and the moving one as it came and as aligned, on one frame.
    tissue : (Y, X) array_like of bool
        The tissue that the fixed and the aligned moving slide have in common.

    Returns
    -------
    mapping
        ``"tissue"`` and ``"everything"``, each with ``"before"`` and ``"after"``: the figures of
        `Likeness` by name, or None where nothing counts.
    """
    found: dict[str, dict[str, dict[str, float] | None]] = {}
    for name, mask in (("tissue", np.asarray(tissue, bool)), ("everything", None)):
        empty = mask is not None and not mask.any()
        found[name] = {
            time: None if empty else measure_similarity(fixed, picture, mask).to_dict()
            for time, picture in (("before", before), ("after", after))
        }
    return found


def _bits(counts: ArrayLike) -> float:
    share = np.asarray(counts, float).ravel()
    share = share[share > 0] / share.sum()
    return float(max(-(share * np.log2(share)).sum(), 0.0))


def _correlation(x: FloatArray, y: FloatArray) -> float:
    x, y = x - x.mean(), y - y.mean()
    length = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum()) / length if length > 0 else float("nan")


def _ssim(a: FloatArray, b: FloatArray, valid: NDArray[np.bool_], data_range: float) -> float:
    """Average the similarity of all windows that lie inside the mask."""
    if min(a.shape) < SSIM_WINDOW:
        return float("nan")
    from scipy.ndimage import binary_erosion
    from skimage.metrics import structural_similarity

    _, each = structural_similarity(a, b, win_size=SSIM_WINDOW, data_range=data_range, full=True)
    inside = binary_erosion(valid, np.ones((SSIM_WINDOW, SSIM_WINDOW), bool))
    return float(each[inside].mean()) if inside.any() else float("nan")
