"""Both slides on one frame, as signal or in their own colours; read from pyramid levels only."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import Frame
from napari_histreg.preprocess.intensity import scale_percentiles
from napari_histreg.preprocess.planes import read_planes, working_spacing
from napari_histreg.preprocess.signal import Signal, extract_signal
from napari_histreg.raster import Raster
from napari_histreg.slides.slide import Slide
from napari_histreg.transforms import Similarity, Transform, resample

__all__ = ["ColourRaster", "centred", "colours", "colours_on", "matching_spacing", "signal_raster"]

Picture = NDArray[np.uint8]

FALLBACK_COLOURS = ((0.3, 0.5, 1.0), (0.2, 1.0, 0.3), (1.0, 0.3, 0.2), (1.0, 0.9, 0.2), (1.0, 0.2, 0.9))


@dataclass(frozen=True, eq=False)
class ColourRaster:
    """A picture in colours that knows where it lies.

    Parameters
    ----------
    planes : tuple of Raster
        Red, green and blue, 0 to 255.
    background : float
        Value outside.
    """

    planes: tuple[Raster, Raster, Raster]
    background: float

    @property
    def picture(self) -> Picture:
        """The colours as (Y, X, 3) uint8."""
        stacked = np.stack([np.where(p.mask, p.pixels, self.background) for p in self.planes], -1)
        return np.clip(np.round(stacked), 0, 255).astype(np.uint8)


def signal_raster(
    slide: Slide, spacing: float, signal: Signal = "nuclear", channel: int | str | None = None
) -> Raster:
    """Read a slide's signal from 0 to 1 for looking at; a blank slide gives zeros rather than an error."""
    planes, plane, valid = extract_signal(slide, spacing, signal, channel=channel)
    return Raster.on(planes.frame, scale_percentiles(plane, valid, low=10), valid)


def centred(fixed: Slide, moving: Slide) -> Similarity:
    """Return fixed to moving as the files come: centre on centre, at true size where that is known.

    Where one pixel size is unknown, the longer sides are made equal.
    """
    centres = [
        np.asarray(s.to_world([[(s.shape[0] - 1) / 2, (s.shape[1] - 1) / 2]])[0]) for s in (fixed, moving)
    ]
    known = fixed.pixel_size_um is not None and moving.pixel_size_um is not None
    scale = 1.0 if known else max(moving.size) / max(fixed.size)
    return Similarity.of(scale=scale, translation=centres[1] - centres[0], centre=centres[0])


def matching_spacing(moving: Slide, fixed_to_moving: Transform, frame: Frame, max_px: int) -> float:
    """Return the spacing at which the moving slide has the frame's detail and at most `max_px` pixels."""
    height, width = frame.shape
    middle = frame.to_world([[height / 2, width / 2]])
    stretch = float(np.sqrt(abs(np.linalg.det(fixed_to_moving.jacobian(middle)[0]))))
    wanted = stretch * frame.spacing[0] if np.isfinite(stretch) and stretch > 0 else frame.spacing[0]
    return max(wanted, working_spacing(moving, max_px))


def colours(slide: Slide, spacing: float) -> ColourRaster:
    """Read a slide in its own colours: as it is for colour pictures, channels mixed for fluorescence."""
    planes = read_planes(slide, spacing, None if slide.is_rgb else _shown_channels(slide))
    valid = np.asarray(np.isfinite(planes.pixels).all(axis=0), bool)
    if slide.is_rgb:
        top = 255.0 if slide.dtype == np.uint8 else max(float(np.nanmax(planes.pixels, initial=1)), 1e-6)
        mixed = np.where(valid, planes.pixels, 0) * (255.0 / top)
        background = float(np.clip(slide.background * 255.0 / top, 0, 255))
    else:
        mixed = np.zeros((3, *valid.shape), np.float32)
        names = [slide.channels[k] for k in _shown_channels(slide)]
        for k, (plane, channel) in enumerate(zip(planes.pixels, names, strict=True)):
            default = (1.0, 1.0, 1.0) if len(names) == 1 else FALLBACK_COLOURS[k % len(FALLBACK_COLOURS)]
            colour = np.asarray(channel.colour or default, np.float32)
            mixed += colour[:, None, None] * (255 * scale_percentiles(plane, valid, low=2))
        mixed, background = np.minimum(mixed, 255), 0.0
    red, green, blue = (Raster.on(planes.frame, plane, valid) for plane in mixed)
    return ColourRaster((red, green, blue), background)


def _shown_channels(slide: Slide) -> list[int]:
    """Return the first few channels: more than five colours cannot be told apart."""
    return list(range(min(len(slide.channels), len(FALLBACK_COLOURS))))


def colours_on(moving: ColourRaster, fixed_to_moving: Transform, frame: Frame) -> ColourRaster:
    """Return a picture as it looks on the fixed frame."""
    red, green, blue = (resample(plane, fixed_to_moving, frame) for plane in moving.planes)
    return replace(moving, planes=(red, green, blue))
