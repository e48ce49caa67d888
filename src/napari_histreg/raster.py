"""One small plane in memory that knows where it lies."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.geometry import FloatArray, Frame

__all__ = ["Raster"]


@dataclass(frozen=True, eq=False)
class Raster:
    """A plane of signal in memory with its place in the slide's frame; what methods see.

    Parameters
    ----------
    pixels : (Y, X) ndarray of float32
        The signal.
    spacing : (float, float)
        Distance of neighbouring pixel centres (y, x) in world units (µm, or level-0 px where the
        pixel size is unknown).
    origin : (float, float)
        World coordinates (y, x) of the centre of pixel (0, 0).
    mask : (Y, X) ndarray of bool, optional
        True where the signal is valid; everywhere by default.

    Raises
    ------
    ValueError
        The arrays are not planes of one shape, or the spacing is not positive.

    Examples
    --------
    >>> raster = Raster(np.zeros((4, 6), np.float32), spacing=(2.0, 2.0), origin=(0.5, 0.5))
    >>> raster.to_world([[1, 1]]).tolist()
    [[2.5, 2.5]]
    """

    pixels: NDArray[np.float32]
    spacing: tuple[float, float] = (1.0, 1.0)
    origin: tuple[float, float] = (0.0, 0.0)
    mask: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))

    def __post_init__(self) -> None:
        pixels = np.asarray(self.pixels, np.float32)
        if pixels.ndim != 2:
            raise ValueError(f"A raster is one plane (Y, X), not an array of shape {pixels.shape}.")
        mask = np.asarray(self.mask, bool)
        if mask.ndim < 2 and mask.size <= 1:  # nothing given
            mask = np.ones(pixels.shape, bool)
        if mask.shape != pixels.shape:
            raise ValueError(f"The mask is {mask.shape} and the pixels are {pixels.shape}; they must match.")
        spacing = (float(self.spacing[0]), float(self.spacing[1]))
        if not min(spacing) > 0:
            raise ValueError(f"The spacing must be positive, not {spacing}.")
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "mask", mask)
        object.__setattr__(self, "spacing", spacing)
        object.__setattr__(self, "origin", (float(self.origin[0]), float(self.origin[1])))

    @classmethod
    def on(cls, frame: Frame, pixels: ArrayLike, mask: ArrayLike | None = None) -> "Raster":
        """Return the raster whose pixels lie on a frame; `mask` is True everywhere by default."""
        plane = np.asarray(pixels, np.float32)
        valid = np.ones(plane.shape, bool) if mask is None else np.asarray(mask, bool)
        return cls(plane, frame.spacing, frame.origin, valid)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def frame(self) -> Frame:
        """Where the pixels lie."""
        return Frame(self.shape, self.spacing, self.origin)

    def to_world(self, points_px: ArrayLike) -> FloatArray:
        """Map (N, 2) pixel coordinates (y, x) of this raster to world units."""
        return self.frame.to_world(points_px)

    def to_pixel(self, points: ArrayLike) -> FloatArray:
        """Map (N, 2) world coordinates (y, x) to pixel coordinates of this raster."""
        return self.frame.to_pixel(points)
