"""A pair of slides of any size whose truth is known, computed only where it is read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, Region, tiles
from napari_histreg.landmarks import Landmarks
from napari_histreg.preprocess.stain import ruifrok_stains
from napari_histreg.samples.texture import FloatImage, View
from napari_histreg.samples.tissue import Layers, Tissue
from napari_histreg.slides.slide import Channel, Level, Slide
from napari_histreg.transforms import Similarity

__all__ = ["PhantomPair", "phantom_pair"]

BLOCK = 1024
SMALLEST_LEVEL_PX = 512
NOISE_PX = 512

FLUORESCENT = (
    Channel("DAPI", (0.2, 0.4, 1.0)),
    Channel("PanCK", (0.1, 1.0, 0.3)),
    Channel("SMA", (1.0, 0.3, 0.2)),
)
COLOURS = (
    Channel("red", (1.0, 0.0, 0.0)),
    Channel("green", (0.0, 1.0, 0.0)),
    Channel("blue", (0.0, 0.0, 1.0)),
)


@dataclass(frozen=True, eq=False)
class PhantomPair:
    """Two slides of one tissue that does not exist, and how they lie to each other.

    Parameters
    ----------
    fixed : Slide
        Brightfield, as H&E.
    moving : Slide
        Fluorescence, three channels.
    fixed_to_moving : Similarity
        The truth, in µm.
    """

    fixed: Slide
    moving: Slide
    fixed_to_moving: Similarity

    def landmarks(self, count: int = 25) -> Landmarks:
        """Return true landmarks at nuclei of the fixed slide, spread over the tissue.

        Parameters
        ----------
        count : int
            How many at most.
        """
        source = self.fixed.source
        if not isinstance(source, PhantomSource):
            raise TypeError("Landmarks of a phantom need the slides that phantom_pair made.")
        points = source.nuclei(count)
        return Landmarks.of(points, self.fixed_to_moving(points))


def phantom_pair(
    size_px: int = 2048,
    *,
    pixel_size_um: float = 0.25,
    moving_pixel_size_um: float | None = None,
    angle_deg: float = 35.0,
    mirrored: bool = True,
    scale: float = 1.03,
    seed: int = 0,
) -> PhantomPair:
    """Make a brightfield and a fluorescence slide of one tissue, of any size.

    Nothing is computed or stored before it is read, and then only what is read.

    Parameters
    ----------
    size_px : int
        Side of the fixed slide in pixels, at least 64; 100 000 is fine.
    pixel_size_um : float
        Of the fixed slide.
    moving_pixel_size_um : float, optional
        Of the moving slide; 1.3 times the fixed slide's by default.
    angle_deg : float
        Turn of the moving slide against the fixed one, counter-clockwise on screen.
    mirrored : bool
        Whether the moving slide lies face down.
    scale : float
        How much the moving tissue has swollen, in µm per µm.
    seed : int
        Another seed, another tissue.

    Returns
    -------
    PhantomPair

    Examples
    --------
    >>> pair = phantom_pair(20_000)
    >>> pair.fixed.shape, pair.moving.channels[0].name, pair.fixed_to_moving.mirrored
    ((20000, 20000), 'DAPI', True)
    >>> pair.fixed.read(0, Region(9000, 9000, 64, 64)).shape
    (3, 64, 64)
    """
    if size_px < 64:
        raise ValueError(f"A phantom needs at least 64 pixels along a side, not {size_px}.")
    size_um = size_px * pixel_size_um
    moving_pixel = moving_pixel_size_um or 1.3 * pixel_size_um
    moving_px = math.ceil(1.04 * scale * size_um / moving_pixel)
    centre = np.full(2, (size_um - pixel_size_um) / 2)
    away = (moving_px - 1) * moving_pixel / 2 - centre + np.array([0.012, -0.008]) * size_um
    truth = Similarity.of(
        scale=scale, angle_deg=angle_deg, mirrored=mirrored, translation=away, centre=centre
    )
    tissue = Tissue(size_um, seed)
    fixed = _slide("phantom H&E", tissue, size_px, pixel_size_um, Similarity.identity(), "brightfield")
    moving = _slide("phantom IF", tissue, moving_px, moving_pixel, truth.inverse(), "fluorescence")
    return PhantomPair(fixed, moving, truth)


def _slide(
    name: str, tissue: Tissue, size_px: int, pixel_size: float, to_tissue: Similarity, stain: "Stain"
) -> Slide:
    levels = [Level((size_px, size_px), (1.0, 1.0))]
    while max(levels[-1].shape) > SMALLEST_LEVEL_PX:
        factor = 2 ** len(levels)
        side = -(-size_px // factor)
        levels.append(Level((side, side), (float(factor), float(factor))))
    bright = stain == "brightfield"
    return Slide(
        name=name,
        levels=tuple(levels),
        channels=COLOURS if bright else FLUORESCENT,
        dtype=np.dtype(np.uint8 if bright else np.uint16),
        source=PhantomSource(tissue, pixel_size, to_tissue, stain),
        pixel_size_um=(pixel_size, pixel_size),
        is_rgb=bright,
        background=255.0 if bright else 0.0,
    )


Stain = Literal["brightfield", "fluorescence"]


@dataclass(frozen=True, eq=False)
class PhantomSource:
    """The pixels of a phantom slide; holds no state, so any number of threads may read.

    Parameters
    ----------
    tissue : Tissue
        What is looked at.
    pixel_size : float
        Of level 0 in µm.
    to_tissue : Similarity
        From the slide's µm to the tissue's.
    stain : {"brightfield", "fluorescence"}
        How it is looked at.
    """

    tissue: Tissue
    pixel_size: float
    to_tissue: Similarity
    stain: Stain
    noise: FloatImage = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng((self.tissue.seed, self.stain == "brightfield"))
        object.__setattr__(self, "noise", rng.standard_normal((3, NOISE_PX, NOISE_PX), np.float32))

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Compute the pixels of a region, block by block."""
        wanted = list(range(3)) if channels is None else list(channels)
        out = np.empty((len(wanted), *region.shape), np.uint8 if self.stain == "brightfield" else np.uint16)
        view = self._view(level)
        for tile in tiles(region.shape, BLOCK):
            block = Region(region.y + tile.y, region.x + tile.x, tile.height, tile.width)
            layers = self.tissue.layers(view, block)
            render = _brightfield if self.stain == "brightfield" else _fluorescence
            grain = self._grain(level, block)
            for k, channel in enumerate(wanted):
                out[(k, *tile.slices)] = render(layers, channel, grain[channel])
        return out

    def close(self) -> None:
        """Nothing is held."""

    def nuclei(self, count: int) -> FloatArray:
        """Return the centres (N, 2) of up to `count` nuclei in the slide's µm, spread evenly."""
        # About a third of the slide is tissue.
        side = max(1, math.ceil(math.sqrt(5 * count)))
        found = []
        for index in range(side * side):
            centre = (np.array(divmod(index, side)) + 0.5) / side * self.tissue.size_um
            table = self.tissue.nuclei_between(centre - 20, centre + 20)
            if len(table.y):
                points = np.stack([table.y, table.x], -1)
                found.append(points[np.argmin(((points - centre) ** 2).sum(1))])
        keep = np.unique(np.linspace(0, len(found) - 1, min(count, len(found))).astype(int))
        return self.to_tissue.inverse()(np.array(found).reshape(-1, 2)[keep])

    def _view(self, level: int) -> View:
        factor = 2.0**level
        linear = np.asarray(self.to_tissue.linear) * factor * self.pixel_size
        first = np.full((1, 2), (0.5 * factor - 0.5) * self.pixel_size)
        return View(linear, self.to_tissue(first)[0])

    def _grain(self, level: int, block: Region) -> FloatImage:
        """Cut this block's noise out of an endless repetition of one patch, another for each level."""
        rows = (np.arange(block.y, block.y + block.height) + 131 * level) % NOISE_PX
        columns = (np.arange(block.x, block.x + block.width) + 177 * level) % NOISE_PX
        # Averaging to a coarser level takes half of the noise away each time, to what 8 bits leave.
        return np.asarray(self.noise[:, rows[:, None], columns[None, :]] * np.float32(max(0.5**level, 0.2)))


def _brightfield(layers: Layers, channel: int, grain: FloatImage) -> NDArray[np.uint8]:
    """Return one colour of haematoxylin and eosin on white glass."""
    stains = ruifrok_stains("eosin").vectors
    haematoxylin = np.float32(0.85) * layers.nuclei + np.float32(0.06) * layers.body
    eosin = layers.body * (np.float32(0.10) + np.float32(0.30) * layers.fibre)
    eosin += np.float32(0.12) * layers.gland
    density = np.float32(stains[0, channel]) * haematoxylin + np.float32(stains[1, channel]) * eosin
    light = np.float32(243 - 2 * channel) * np.exp(density * np.float32(-math.log(10)))
    return np.asarray(np.clip(light + np.float32(1.6) * grain + np.float32(0.5), 0, 255), np.uint8)


def _fluorescence(layers: Layers, channel: int, grain: FloatImage) -> NDArray[np.uint16]:
    """Return one channel: nuclei; glands without their nuclei; fibres of the stroma."""
    stroma = np.maximum(layers.body - layers.gland, 0)
    if channel == 0:
        signal = np.float32(5200) * layers.strange + np.float32(120) * layers.body
    elif channel == 1:
        signal = layers.gland * (np.float32(900) + np.float32(1500) * (1 - layers.fibre))
        signal = signal * np.maximum(1 - layers.nuclei, 0)
    else:
        signal = np.float32(2400) * stroma * layers.fibre
    signal = np.maximum(signal, 0) + np.float32(90)
    # Shot noise grows with the root of the signal; the camera adds its own.
    noisy = signal + np.sqrt(np.float32(4) * signal + np.float32(100)) * grain
    return np.asarray(np.clip(noisy + np.float32(0.5), 0, 65535), np.uint16)
