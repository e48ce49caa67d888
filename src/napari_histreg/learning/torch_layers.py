"""The operations that networks are made of, in PyTorch: what training needs."""

from typing import Any

from napari_histreg.learning.layers import SLOPE, Tensor
from napari_histreg.optional import require

__all__ = ["TorchLayers", "torch"]


def torch() -> Any:
    """Import PyTorch, or say how to install it.

    Raises
    ------
    MissingDependency
        It is not installed.
    """
    return require("torch", extra="learned")


class TorchLayers:
    """Layers on tensors; each does what `ArrayLayers` does.

    Parameters
    ----------
    weights : dict of str to torch.Tensor
        By name.
    """

    def __init__(self, weights: dict[str, Any]) -> None:
        self.weights = weights
        self._torch = torch()
        self._do = self._torch.nn.functional

    def conv(
        self, x: Tensor, name: str, channels: int, *, stride: int = 1, kernel: int = 3, last: bool = False
    ) -> Tensor:
        """See `Layers`."""
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        out = self._do.conv2d(x, weight, bias, stride=stride, padding=kernel // 2)
        return out if last else self._do.leaky_relu(out, SLOPE)

    def linear(self, x: Tensor, name: str, channels: int, *, last: bool = False) -> Tensor:
        """See `Layers`."""
        out = self._do.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])
        return out if last else self._do.leaky_relu(out, SLOPE)

    def join(self, *parts: Tensor) -> Tensor:
        """See `Layers`."""
        return self._torch.cat(parts, 1)

    def halved(self, x: Tensor) -> Tensor:
        """See `Layers`."""
        return self._do.avg_pool2d(x, 2)

    def repeated(self, x: Tensor) -> Tensor:
        """See `Layers`."""
        return self._do.interpolate(x, scale_factor=2, mode="nearest")

    def doubled(self, field: Tensor) -> Tensor:
        """See `Layers`."""
        return 2 * self._do.interpolate(field, scale_factor=2, mode="bilinear", align_corners=False)

    def warped(self, x: Tensor, field: Tensor) -> Tensor:
        """See `Layers`."""
        h, w = field.shape[2:]
        rows = self._torch.arange(h, device=field.device, dtype=field.dtype)
        columns = self._torch.arange(w, device=field.device, dtype=field.dtype)
        y = 2 * (rows[:, None] + field[:, 0]) / max(h - 1, 1) - 1
        x_place = 2 * (columns[None, :] + field[:, 1]) / max(w - 1, 1) - 1
        place = self._torch.stack([x_place, y], -1)
        return self._do.grid_sample(x, place, mode="bilinear", padding_mode="border", align_corners=True)

    def cells(self, x: Tensor, count: int) -> Tensor:
        """See `Layers`."""
        return self._do.adaptive_avg_pool2d(x, count).flatten(1)

    def affine_field(self, numbers: Tensor, like: Tensor) -> Tensor:
        """See `Layers`."""
        h, w = like.shape[2:]
        line = self._torch.linspace
        y, x = self._torch.meshgrid(
            line(-1, 1, h, device=like.device), line(-1, 1, w, device=like.device), indexing="ij"
        )
        basis = self._torch.stack([y, x, self._torch.ones_like(y)])
        half = self._torch.tensor([h / 2, w / 2], device=like.device)
        return self._torch.einsum("nkb,bhw->nkhw", numbers.reshape(-1, 2, 3) * half[:, None], basis)
