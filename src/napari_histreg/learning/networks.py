"""Networks from two planes to a displacement: each a few lines, written once for training and applying."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile
from napari_histreg.learning.layers import ArrayLayers, Layers, Tensor

__all__ = [
    "MULTIPLE",
    "NETWORKS",
    "Architecture",
    "NetworkSpec",
    "displacement",
    "drawn_weights",
    "integrated",
]

MULTIPLE = 16
"""Both sides of what a network sees are multiples of it."""

SQUARINGS = 6
WIDTHS = (16, 32, 32, 32)
Network = Callable[[Layers, Tensor, Tensor, str], Tensor]
"""From layers, fixed, moving (N, 1, Y, X) and a prefix of names to displacements (N, 2, Y, X) in pixels."""


@dataclass(frozen=True)
class NetworkSpec:
    """One row of the table of networks.

    Parameters
    ----------
    name, title : str
        By which it is called, and what it is.
    forward : callable
        The network.
    bends : bool
        Whether it bends, or only finds an affine map.
    doi : tuple of str
        Sources.
    """

    name: str
    title: str
    forward: Network
    bends: bool
    doi: tuple[str, ...]


@dataclass(frozen=True)
class Architecture:
    """A network and how often it is applied.

    Parameters
    ----------
    network : str
        Name in the table.
    cascade : int
        How many times in a row, each on what the last one left.
    shared : bool
        Whether the networks of a cascade have the same weights.
    """

    network: str = "unet"
    cascade: int = 1
    shared: bool = False


def affine(layers: Layers, fixed: Tensor, moving: Tensor, at: str) -> Tensor:
    """Regress an affine map from both planes."""
    x = layers.join(fixed, moving)
    for k, width in enumerate(WIDTHS):
        x = layers.conv(x, f"{at}down{k}", width, stride=2)
    x = layers.linear(layers.cells(x, 4), f"{at}mix", 32)
    return layers.affine_field(layers.linear(x, f"{at}numbers", 6, last=True), fixed)


def stn(layers: Layers, fixed: Tensor, moving: Tensor, at: str) -> Tensor:
    """Regress an affine map as the first spatial transformer did: wide kernels, pooling, two dense layers."""
    x = layers.halved(layers.conv(layers.join(fixed, moving), f"{at}conv0", 8, kernel=7))
    x = layers.halved(layers.conv(x, f"{at}conv1", 10, kernel=5))
    x = layers.linear(layers.cells(x, 4), f"{at}mix", 32)
    return layers.affine_field(layers.linear(x, f"{at}numbers", 6, last=True), fixed)


def unet(layers: Layers, fixed: Tensor, moving: Tensor, at: str) -> Tensor:
    """Give a stationary velocity at half resolution from a U-Net, and integrate it."""
    skips = []
    x = layers.join(fixed, moving)
    for k, width in enumerate(WIDTHS):
        x = layers.conv(x, f"{at}down{k}", width, stride=2)
        skips.append(x)
    for k in (2, 1, 0):
        x = layers.conv(layers.repeated(x), f"{at}up{k}", 32)
        x = layers.conv(layers.join(x, skips[k]), f"{at}joined{k}", 32)
    velocity = layers.conv(x, f"{at}velocity", 2, last=True)
    return layers.doubled(integrated(layers, velocity))


def fcn(layers: Layers, fixed: Tensor, moving: Tensor, at: str) -> Tensor:
    """Add up what a plain convolutional network says at three resolutions, coarse to fine."""
    x = layers.join(fixed, moving)
    for k, width in enumerate(WIDTHS[:3]):
        x = layers.conv(x, f"{at}down{k}", width, stride=2)
        x = layers.conv(x, f"{at}again{k}", width)
    velocity = layers.conv(x, f"{at}velocity2", 2, last=True)
    for k in (1, 0):
        x = layers.conv(layers.repeated(x), f"{at}up{k}", 32)
        velocity = layers.doubled(velocity) + layers.conv(x, f"{at}velocity{k}", 2, last=True)
    return layers.doubled(integrated(layers, velocity))


def pyramid(layers: Layers, fixed: Tensor, moving: Tensor, at: str) -> Tensor:
    """Describe both planes by the same weights; level by level warp one description and add what is left."""
    a, b = fixed, moving
    levels = []
    for k, width in enumerate(WIDTHS):
        a, b = (layers.conv(x, f"{at}down{k}", width, stride=2) for x in (a, b))
        levels.append((a, b))
    field = None
    for k in (3, 2, 1, 0):
        a, b = levels[k]
        if field is not None:
            field = layers.doubled(field)
            b = layers.warped(b, field)
        x = layers.conv(layers.join(a, b), f"{at}meet{k}", 32)
        x = layers.conv(x, f"{at}left{k}", 32)
        left = integrated(layers, layers.conv(x, f"{at}velocity{k}", 2, last=True))
        field = left if field is None else followed(layers, left, field)
    return layers.doubled(field)


def integrated(layers: Layers, velocity: Tensor) -> Tensor:
    """Follow a stationary velocity for one unit of time by scaling and squaring."""
    field = velocity * (1 / 2**SQUARINGS)
    for _ in range(SQUARINGS):
        field = followed(layers, field, field)
    return field


def followed(layers: Layers, first: Tensor, second: Tensor) -> Tensor:
    """Return one displacement followed by another."""
    return first + layers.warped(second, first)


NETWORKS: Mapping[str, NetworkSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            NetworkSpec("affine", "Affine regressor", affine, False, ("10.1016/j.media.2018.11.010",)),
            NetworkSpec("stn", "Spatial transformer", stn, False, ("10.48550/arXiv.1506.02025",)),
            NetworkSpec(
                "unet", "U-Net", unet, True, ("10.1109/TMI.2019.2897538", "10.1016/j.media.2019.07.006")
            ),
            NetworkSpec(
                "fcn", "Convolutions at several resolutions", fcn, True, ("10.1109/ISBI.2018.8363757",)
            ),
            NetworkSpec(
                "pyramid", "Pyramid of two streams", pyramid, True, ("10.1007/978-3-030-32245-8_43",)
            ),
        )
    }
)


def displacement(architecture: Architecture, layers: Layers, fixed: Tensor, moving: Tensor) -> Tensor:
    """Apply a network, or a recursive cascade of it [1]_.

    Returns
    -------
    (N, 2, Y, X) tensor
        Displacement (y, x) in pixels: the moving plane shows at p + u(p) what the fixed one shows at p.

    References
    ----------
    .. [1] S. Zhao et al., Recursive cascaded networks for unsupervised medical image registration, ICCV 2019.
       doi:10.1109/ICCV.2019.01070
    """
    forward = NETWORKS[architecture.network].forward
    field = forward(layers, fixed, moving, "0.")
    for k in range(1, architecture.cascade):
        left = forward(layers, fixed, layers.warped(moving, field), "0." if architecture.shared else f"{k}.")
        field = followed(layers, left, field)
    return field


def drawn_weights(architecture: Architecture, seed: int) -> dict[str, NDArray[np.float32]]:
    """Draw the weights that a training begins with.

    Examples
    --------
    >>> sum(array.size for array in drawn_weights(Architecture("unet"), 0).values())
    102546
    """
    layers = ArrayLayers({}, np.random.default_rng(seed))
    empty = np.zeros((1, 1, 2 * MULTIPLE, 2 * MULTIPLE), np.float32)
    displacement(architecture, layers, empty, empty)
    return layers.weights


def check_weights(architecture: Architecture, weights: Mapping[str, NDArray[np.float32]], name: str) -> None:
    """Check that weights are those of an architecture.

    Raises
    ------
    DamagedFile
        Some are missing, too many, of another shape or not finite.
    """
    wanted = {key: array.shape for key, array in drawn_weights(architecture, 0).items()}
    given = {key: array.shape for key, array in weights.items()}
    if wanted != given:
        wrong = sorted(key for key in wanted.keys() | given.keys() if wanted.get(key) != given.get(key))
        raise DamagedFile(
            f"{name} does not hold the weights of a network of kind {architecture.network!r}: "
            f"{wrong[0]!r} is missing or of another shape. Train the model again."
        )
    if not all(np.isfinite(array).all() for array in weights.values()):
        raise DamagedFile(f"{name} holds weights that are not finite. Train the model again.")
