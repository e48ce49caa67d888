"""Recipe: everything that decides what a training comes to."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from napari_histreg.learning.networks import MULTIPLE, NETWORKS, Architecture

__all__ = ["Recipe"]


class Recipe(BaseModel):
    """What is trained, on what, and for how long.

    Parameters
    ----------
    network : str
        A name in the table of networks.
    cascade : int
        Networks in a row, each on what the last one left.
    shared : bool
        Whether the networks of a cascade have the same weights.
    similarity : {"lncc", "mind", "mi", "mse"}
        What makes planes alike.
    window_px : int
        Of local correlation.
    smoothness : {"gradient", "bending"}
        What roughness is.
    roughness, fold, inverse : float
        Weights of roughness, folds and disagreement of both directions.
    largest_px : float
        Largest random displacement of a tile.
    own : float
        Share of tiles that show one slide on both sides, one of them changed.
    tile_px, batch, tiles_per_pair : int
        Size of tiles, tiles in a step, tiles of each pair in an epoch.
    epochs, patience : int
        At most so many epochs, and so many without improvement.
    minutes : float or None
        After which no further epoch begins.
    rate : float
        Of Adam, dying away like a cosine.
    held_back : float
        Share of specimens to validate by.
    max_side_px : int
        Larger slides are reduced to this side, in training and when the model is applied.
    seed, threads : int
        Of all draws; of PyTorch.
    device : str
        Of PyTorch, such as "cpu" or "cuda".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: Literal["affine", "stn", "unet", "fcn", "pyramid"] = "unet"
    cascade: int = Field(1, ge=1, le=5)
    shared: bool = False
    similarity: Literal["lncc", "mind", "mi", "mse"] = "lncc"
    window_px: int = Field(9, ge=3, le=99)
    smoothness: Literal["gradient", "bending"] = "gradient"
    roughness: float = Field(1.0, ge=0, le=1000)
    fold: float = Field(10.0, ge=0, le=1000)
    inverse: float = Field(0.0, ge=0, le=1000)
    largest_px: float = Field(6.0, ge=0, le=64)
    own: float = Field(0.5, ge=0, le=1)
    tile_px: int = Field(128, ge=2 * MULTIPLE, le=1024)
    batch: int = Field(4, ge=1, le=256)
    tiles_per_pair: int = Field(8, ge=1, le=1000)
    epochs: int = Field(200, ge=1, le=100_000)
    patience: int = Field(40, ge=1, le=100_000)
    minutes: float | None = Field(None, gt=0)
    rate: float = Field(1e-3, gt=0, le=1)
    held_back: float = Field(0.2, gt=0, lt=1)
    max_side_px: int = Field(512, ge=64, le=4096)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    threads: int = Field(1, ge=1, le=256)
    device: str = "cpu"

    @property
    def architecture(self) -> Architecture:
        """The network as it is built."""
        return Architecture(NETWORKS[self.network].name, self.cascade, self.shared)

    @property
    def side(self) -> int:
        """Side of a tile, a multiple of what networks need."""
        return max(2, round(self.tile_px / MULTIPLE)) * MULTIPLE
