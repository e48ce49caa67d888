"""What a training minimises: unlikeness, roughness, folds, disagreement of directions, masks, points."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from napari_histreg.learning.layers import Layers, Tensor
from napari_histreg.learning.torch_layers import torch

__all__ = [
    "SIMILARITIES",
    "bending",
    "dice",
    "folds",
    "inverse_consistency",
    "landmarks",
    "local_correlation",
    "mind",
    "mutual_information",
    "roughness",
    "squared_difference",
]

BINS = 32
RANGE = 3.0  # standard deviations of a plane that the bins span
LEAST_VARIANCE = 1e-2  # of planes whose standard deviation is about 1


def local_correlation(fixed: Tensor, moving: Tensor, window: int) -> Tensor:
    """Return the negative mean squared correlation in square windows.

    References
    ----------
    .. [1] B. B. Avants et al., Medical Image Analysis 12(1), 2008. doi:10.1016/j.media.2007.06.004
    """
    pool = torch().nn.functional.avg_pool2d

    def local(x: Tensor) -> Tensor:
        return pool(x, window, stride=1, padding=window // 2)

    mean_f, mean_m = local(fixed), local(moving)
    cross = local(fixed * moving) - mean_f * mean_m
    spread_f = (local(fixed * fixed) - mean_f**2).clamp(min=0) + LEAST_VARIANCE
    spread_m = (local(moving * moving) - mean_m**2).clamp(min=0) + LEAST_VARIANCE
    return -(cross**2 / (spread_f * spread_m)).mean()


def squared_difference(fixed: Tensor, moving: Tensor, window: int) -> Tensor:
    """Return the mean squared difference; the window plays no part."""
    return ((fixed - moving) ** 2).mean()


def mind(fixed: Tensor, moving: Tensor, window: int) -> Tensor:
    """Return the mean squared difference of MIND-SSC: how unlike neighbouring patches are.

    References
    ----------
    .. [1] M. P. Heinrich et al., MICCAI 2013. doi:10.1007/978-3-642-40811-3_24
    """
    return ((_descriptor(fixed) - _descriptor(moving)) ** 2).mean()


def _descriptor(x: Tensor) -> Tensor:
    """Return four planes: the pairs of four neighbours that do not lie opposite."""
    do = torch().nn.functional
    h, w = x.shape[2:]
    wide = do.pad(x, (2, 2, 2, 2), mode="replicate")
    around = [
        wide[:, :, 2 + dy : 2 + dy + h, 2 + dx : 2 + dx + w] for dy, dx in ((-2, 0), (0, 2), (2, 0), (0, -2))
    ]
    unlike = torch().cat([(around[k] - around[k - 1]) ** 2 for k in range(4)], 1)
    unlike = do.avg_pool2d(unlike, 5, stride=1, padding=2)
    unlike = unlike - unlike.min(1, keepdim=True).values
    typical = unlike.mean(1, keepdim=True)
    middle = typical.detach().mean()
    return torch().exp(-unlike / typical.clamp(min=1e-3 * middle + 1e-6))


def mutual_information(fixed: Tensor, moving: Tensor, window: int) -> Tensor:
    """Return the negative mutual information in nats, by linear bins; the window plays no part.

    References
    ----------
    .. [1] F. Maes et al., IEEE TMI 16(2), 1997. doi:10.1109/42.563664
    """
    of_f, of_m = (_shares(x) for x in (fixed, moving))
    joint = of_f.T @ of_m / len(of_f)
    apart = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    return -(joint * torch().log(joint.clamp(min=1e-12) / apart.clamp(min=1e-12))).sum()


def _shares(x: Tensor) -> Tensor:
    """Return what each pixel gives to each bin, (pixels, bins)."""
    place = ((x.flatten() + RANGE) * (BINS - 1) / (2 * RANGE)).clamp(0, BINS - 1)
    middles = torch().arange(BINS, device=x.device, dtype=x.dtype)
    return (1 - (place[:, None] - middles).abs()).clamp(min=0)


def roughness(field: Tensor) -> Tensor:
    """Return the mean squared slope of a displacement."""
    return (field.diff(dim=2) ** 2).mean() + (field.diff(dim=3) ** 2).mean()


def bending(field: Tensor) -> Tensor:
    """Return the mean squared second difference of a displacement; what is affine costs nothing."""
    cross = field.diff(dim=2).diff(dim=3)
    return (field.diff(n=2, dim=2) ** 2).mean() + (field.diff(n=2, dim=3) ** 2).mean() + 2 * (cross**2).mean()


def folds(field: Tensor) -> Tensor:
    """Return how far Jacobian determinants fall below nothing, on average."""
    down, right = field.diff(dim=2)[..., :-1], field.diff(dim=3)[:, :, :-1]
    determinant = (1 + down[:, 0]) * (1 + right[:, 1]) - down[:, 1] * right[:, 0]
    return (-determinant).clamp(min=0).mean()


def inverse_consistency(layers: Layers, there: Tensor, back: Tensor) -> Tensor:
    """Return the mean squared distance from which a point returns that goes there and back."""
    return ((there + layers.warped(back, there)) ** 2).mean()


def dice(fixed: Tensor, moving: Tensor) -> Tensor:
    """Return one less the Dice overlap of masks from 0 to 1."""
    both = (fixed * moving).sum((1, 2, 3))
    return 1 - ((2 * both + 1e-3) / (fixed.sum((1, 2, 3)) + moving.sum((1, 2, 3)) + 1e-3)).mean()


def landmarks(layers: Layers, field: Tensor, fixed: Tensor, moving: Tensor) -> Tensor:
    """Return the mean distance of points, (K, 2) pixels (y, x), from where one displacement puts them."""
    h, w = field.shape[2:]
    size = torch().tensor([h - 1, w - 1], device=field.device, dtype=field.dtype)
    place = (2 * fixed / size - 1).flip(-1)[None, None]
    found = torch().nn.functional.grid_sample(field[:1], place, align_corners=True, padding_mode="border")
    return torch().linalg.vector_norm(fixed + found[0, :, 0].T - moving, dim=-1).mean()


SIMILARITIES: Mapping[str, Callable[[Any, Any, int], Any]] = MappingProxyType(
    {"lncc": local_correlation, "mind": mind, "mi": mutual_information, "mse": squared_difference}
)
"""From fixed, moving and window (px) to the loss; smaller is better."""
