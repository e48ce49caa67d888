"""The operations that networks are made of, in NumPy: what a trained network needs to be applied."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["ArrayLayers", "Layers", "Tensor"]

Tensor = Any
"""(N, C, Y, X) float32: an ndarray here, a tensor in training."""

SLOPE = 0.2  # of a leaky rectifier below 0
SMALL = 1e-3  # standard deviation of the weights that begin a displacement
Weights = dict[str, NDArray[np.float32]]


class Layers(Protocol):
    """What a network is written in, so that one text serves training and applying."""

    def conv(
        self, x: Tensor, name: str, channels: int, *, stride: int = 1, kernel: int = 3, last: bool = False
    ) -> Tensor:
        """Convolve, padded with zeros; a leaky rectifier follows unless it is the last."""

    def linear(self, x: Tensor, name: str, channels: int, *, last: bool = False) -> Tensor:
        """Mix all values of (N, K) into (N, channels); a leaky rectifier follows unless it is the last."""

    def join(self, *parts: Tensor) -> Tensor:
        """Put channels behind one another."""

    def halved(self, x: Tensor) -> Tensor:
        """Average squares of 2 x 2."""

    def repeated(self, x: Tensor) -> Tensor:
        """Show every pixel as 2 x 2."""

    def doubled(self, field: Tensor) -> Tensor:
        """Bring a displacement to twice the pixels, linearly, its lengths with it."""

    def warped(self, x: Tensor, field: Tensor) -> Tensor:
        """Show what lies at p + u(p): linear, and beyond the border what lies on it."""

    def cells(self, x: Tensor, count: int) -> Tensor:
        """Average over count x count cells, as (N, C * count * count)."""

    def affine_field(self, numbers: Tensor, like: Tensor) -> Tensor:
        """Make a displacement of (N, 6): for y and for x the slopes along y and x, and the shift.

        Lengths are half the sides of `like`.
        """


class ArrayLayers:
    """Layers on ndarrays.

    Parameters
    ----------
    weights : dict of str to ndarray
        By name; new ones are put in where `rng` is given.
    rng : numpy.random.Generator, optional
        Draws weights that are not there yet.

    Examples
    --------
    >>> layers = ArrayLayers({}, np.random.default_rng(0))
    >>> layers.conv(np.ones((1, 2, 8, 8), np.float32), "first", 5, stride=2).shape
    (1, 5, 4, 4)
    >>> {name: array.shape for name, array in layers.weights.items()}
    {'first.weight': (5, 2, 3, 3), 'first.bias': (5,)}
    """

    def __init__(self, weights: Weights, rng: np.random.Generator | None = None) -> None:
        self.weights = weights
        self._rng = rng

    def conv(
        self, x: Tensor, name: str, channels: int, *, stride: int = 1, kernel: int = 3, last: bool = False
    ) -> Tensor:
        """See `Layers`."""
        weight, bias = self._drawn(name, (channels, x.shape[1], kernel, kernel), last)
        reach = kernel // 2
        wide = np.pad(x, ((0, 0), (0, 0), (reach, reach), (reach, reach)))
        h, w = (x.shape[2] - 1) // stride + 1, (x.shape[3] - 1) // stride + 1
        out = np.empty((len(x), channels, h * w), np.float32)
        out[:] = bias[:, None]
        for i in range(kernel):
            for j in range(kernel):
                seen = wide[
                    :, :, i : i + (h - 1) * stride + 1 : stride, j : j + (w - 1) * stride + 1 : stride
                ]
                out += weight[:, :, i, j] @ seen.reshape(len(x), x.shape[1], h * w)
        return _rectified(out.reshape(len(x), channels, h, w), last)

    def linear(self, x: Tensor, name: str, channels: int, *, last: bool = False) -> Tensor:
        """See `Layers`."""
        weight, bias = self._drawn(name, (channels, x.shape[1]), last)
        return _rectified(x @ weight.T + bias, last)

    def join(self, *parts: Tensor) -> Tensor:
        """See `Layers`."""
        return np.concatenate(parts, 1)

    def halved(self, x: Tensor) -> Tensor:
        """See `Layers`."""
        n, c, h, w = x.shape
        return x.reshape(n, c, h // 2, 2, w // 2, 2).mean((3, 5))

    def repeated(self, x: Tensor) -> Tensor:
        """See `Layers`."""
        return x.repeat(2, 2).repeat(2, 3)

    def doubled(self, field: Tensor) -> Tensor:
        """See `Layers`."""
        for axis in (2, 3):
            along = np.moveaxis(field, axis, 0)
            before, after = np.concatenate([along[:1], along[:-1]]), np.concatenate([along[1:], along[-1:]])
            both = np.stack([0.75 * along + 0.25 * before, 0.75 * along + 0.25 * after], 1)
            field = np.moveaxis(both.reshape(-1, *along.shape[1:]), 0, axis)
        return np.asarray(2 * field, np.float32)

    def warped(self, x: Tensor, field: Tensor) -> Tensor:
        """See `Layers`."""
        place = np.indices(field.shape[2:], np.float32) + field
        out = np.empty((len(x), x.shape[1], *field.shape[2:]), np.float32)
        for n in range(len(x)):
            for c in range(x.shape[1]):
                ndimage.map_coordinates(x[n, c], place[n], out[n, c], order=1, mode="nearest")
        return out

    def cells(self, x: Tensor, count: int) -> Tensor:
        """See `Layers`."""
        rows, columns = (_cuts(length, count) for length in x.shape[2:])
        parts = [[x[:, :, a:b, c:d].mean((2, 3)) for c, d in columns] for a, b in rows]
        return np.stack([np.stack(row, -1) for row in parts], -2).reshape(len(x), -1)

    def affine_field(self, numbers: Tensor, like: Tensor) -> Tensor:
        """See `Layers`."""
        h, w = like.shape[2:]
        y, x = np.meshgrid(np.linspace(-1, 1, h), np.linspace(-1, 1, w), indexing="ij")
        basis = np.stack([y, x, np.ones_like(y)]).astype(np.float32)
        half = np.array([h / 2, w / 2], np.float32)
        return np.einsum("nkb,bhw->nkhw", numbers.reshape(-1, 2, 3) * half[:, None], basis)

    def _drawn(self, name: str, shape: tuple[int, ...], last: bool) -> tuple[Tensor, Tensor]:
        if self._rng is not None and f"{name}.weight" not in self.weights:
            spread = SMALL if last else np.sqrt(2 / ((1 + SLOPE**2) * np.prod(shape[1:])))
            self.weights[f"{name}.weight"] = self._rng.normal(0, spread, shape).astype(np.float32)
            self.weights[f"{name}.bias"] = np.zeros(shape[0], np.float32)
        return self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]


def _rectified(x: Tensor, last: bool) -> Tensor:
    return x if last else np.where(x > 0, x, np.float32(SLOPE) * x)


def _cuts(length: int, count: int) -> list[tuple[int, int]]:
    """Return where cells begin and end, as `torch.nn.functional.adaptive_avg_pool2d` cuts them."""
    return [(k * length // count, -(-(k + 1) * length // count)) for k in range(count)]
