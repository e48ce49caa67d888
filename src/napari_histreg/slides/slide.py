"""Slide: a pyramid of pixels, on disk or computed, read region by region."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.errors import MissingPixelSize
from napari_histreg.geometry import FloatArray, Region, pixel_to_world, world_to_pixel

__all__ = ["Channel", "Level", "PixelSource", "Slide"]

OVERVIEW_PX = 1024


class PixelSource(Protocol):
    """What stands behind a slide; `read` may be called from several threads at once."""

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read pixels of one level as (C, H, W); `region` lies inside it, `channels` None means all."""

    def close(self) -> None:
        """Give back files and memory; reading afterwards is an error."""


@dataclass(frozen=True)
class Level:
    """One pyramid level.

    Parameters
    ----------
    shape : (int, int)
        Height and width in pixels.
    downsample : (float, float)
        How many level-0 pixels one of its pixels spans, (y, x); (1, 1) for level 0.
    """

    shape: tuple[int, int]
    downsample: tuple[float, float]


@dataclass(frozen=True)
class Channel:
    """One channel of a slide.

    Parameters
    ----------
    name : str
        As in the file, or "channel 0", "red" … where the file has no names.
    colour : (float, float, float) or None
        Display colour, red, green and blue from 0 to 1; None where the file names none.
    """

    name: str
    colour: tuple[float, float, float] | None = None


@dataclass(frozen=True, eq=False)
class Slide:
    """An image pyramid that is read lazily.

    Arrays are (C, Y, X), with RGB as three channels. Points of a slide are (y, x) in world units: µm,
    or level-0 pixels where the pixel size is unknown (`unit` tells which).

    Parameters
    ----------
    name : str
        For people: the file's name, say.
    levels : tuple of Level
        From the finest (level 0) to the coarsest.
    channels : tuple of Channel
        One for each plane that `read` returns.
    dtype : numpy dtype
        Of the pixels.
    source : PixelSource
        Where the pixels come from.
    pixel_size_um : (float, float) or None
        Size of a level-0 pixel (y, x) in µm; None where it is unknown.
    is_rgb : bool
        Whether the three channels are the colours of one picture.
    background : float
        The value outside the slide: white for brightfield, 0 otherwise.
    path : str or None
        The file, where there is one.
    bounds_offset_px : (int, int) or None
        Where the slide begins in the file's own level-0 pixels, (y, x), where empty borders are cut off;
        None where the format knows no such thing.
    vendor : str
        The maker of the scanner, or what read the file; empty where unknown.
    metadata : mapping
        What the file told besides.

    Examples
    --------
    >>> from napari_histreg.slides.opening import open_slide
    >>> with open_slide(np.zeros((300, 400), np.uint16), pixel_size_um=0.5) as slide:
    ...     slide.shape, slide.unit, slide.read(0, Region(0, 0, 2, 3)).shape
    ((300, 400), 'um', (1, 2, 3))
    """

    name: str
    levels: tuple[Level, ...]
    channels: tuple[Channel, ...]
    dtype: np.dtype[Any]
    source: PixelSource
    pixel_size_um: tuple[float, float] | None = None
    is_rgb: bool = False
    background: float = 0.0
    path: str | None = None
    bounds_offset_px: tuple[int, int] | None = None
    vendor: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of level 0 in pixels."""
        return self.levels[0].shape

    @property
    def unit(self) -> str:
        """Name of the world unit: "um", or "px" where the pixel size is unknown."""
        return "px" if self.pixel_size_um is None else "um"

    @property
    def world_pixel_size(self) -> tuple[float, float]:
        """Size of a level-0 pixel (y, x) in world units: µm, or 1 px where unknown."""
        return self.pixel_size_um or (1.0, 1.0)

    @property
    def size(self) -> tuple[float, float]:
        """Height and width of the slide in world units."""
        return self.shape[0] * self.world_pixel_size[0], self.shape[1] * self.world_pixel_size[1]

    def spacing(self, level: int) -> tuple[float, float]:
        """Distance of pixel centres (y, x) on a level, in world units."""
        (fy, fx), (py, px) = self.levels[level].downsample, self.world_pixel_size
        return fy * py, fx * px

    def origin(self, level: int) -> tuple[float, float]:
        """World coordinates (y, x) of the centre of pixel (0, 0) of a level."""
        y, x = self.to_world([0.0, 0.0], level)
        return float(y), float(x)

    def to_world(self, points_px: ArrayLike, level: int = 0) -> FloatArray:
        """Map (N, 2) pixel coordinates (y, x) of a level to world units."""
        return pixel_to_world(points_px, self.levels[level].downsample, self.world_pixel_size)

    def to_pixel(self, points: ArrayLike, level: int = 0) -> FloatArray:
        """Map (N, 2) world coordinates (y, x) to pixel coordinates of a level."""
        return world_to_pixel(points, self.levels[level].downsample, self.world_pixel_size)

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region of one level.

        Parameters
        ----------
        level : int
            Index into `levels`.
        region : Region
            In pixels of that level; what lies outside is filled with `background`.
        channels : sequence of int, optional
            Which channels; all by default.

        Returns
        -------
        (C, H, W) ndarray
            In the slide's dtype.

        Raises
        ------
        IndexError
            There is no such level.
        DamagedFile
            The file cannot be decoded there.
        """
        if not 0 <= level < len(self.levels):
            raise IndexError(f"{self.name} has levels 0 to {len(self.levels) - 1}, not {level}.")
        inner = region.clipped(self.levels[level].shape)
        if inner == region and not inner.is_empty:
            return self.source.read(level, region, channels)
        count = len(self.channels) if channels is None else len(channels)
        out = np.full((count, *region.shape), self.background, self.dtype)
        if not inner.is_empty:
            y, x = inner.y - region.y, inner.x - region.x
            out[:, y : y + inner.height, x : x + inner.width] = self.source.read(level, inner, channels)
        return out

    def read_level(self, level: int, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a whole level as (C, Y, X); meant for coarse levels."""
        return self.read(level, Region.whole(self.levels[level].shape), channels)

    def level_for_spacing(self, spacing: float) -> int:
        """Return the coarsest level whose pixels are no larger than `spacing` world units; else 0."""
        fits = [k for k in range(len(self.levels)) if max(self.spacing(k)) <= spacing * (1 + 1e-6)]
        return fits[-1] if fits else 0

    def level_for_size(self, max_px: int = OVERVIEW_PX) -> int:
        """Return the finest level with no side longer than `max_px`; else the coarsest."""
        for k, level in enumerate(self.levels):
            if max(level.shape) <= max_px:
                return k
        return len(self.levels) - 1

    def require_pixel_size(self, argument: str = "pixel_size_um") -> tuple[float, float]:
        """Return the pixel size in µm.

        Parameters
        ----------
        argument : str
            What the user can pass to supply it; named in the error.

        Raises
        ------
        MissingPixelSize
            The slide does not know its pixel size.
        """
        if self.pixel_size_um is None:
            raise MissingPixelSize(
                f"{self.name} does not say how large its pixels are, and this needs µm. Pass {argument}."
            )
        return self.pixel_size_um

    def channel_index(self, channel: int | str) -> int:
        """Find a channel by number or by name (case does not matter).

        Raises
        ------
        ValueError
            There is no such channel; the message lists those that exist.
        """
        names = [c.name for c in self.channels]
        text = str(channel).strip()
        folded = [n.casefold() for n in names]
        if text.casefold() in folded:
            return folded.index(text.casefold())
        if text.lstrip("-").isdigit() and 0 <= int(text) < len(names):
            return int(text)
        listed = ", ".join(f"{k} {n}" for k, n in enumerate(names))
        raise ValueError(f"{self.name} has no channel {channel!r}. It has: {listed}.")

    def close(self) -> None:
        """Give back files and memory."""
        self.source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
