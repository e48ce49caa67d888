"""Overview: a slide as one small picture whose channels can be compared with another slide's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import NoTissue
from napari_histreg.matching.picture import Picture
from napari_histreg.preprocess import (
    Modality,
    find_nuclear_name,
    guess_modality,
    read_planes,
    valid_field,
    working_spacing,
)
from napari_histreg.slides import Slide
from napari_histreg.slides.remembered import recall

__all__ = ["Overview", "comparable_channels", "look_at", "structure_shares", "with_channels"]

OVERVIEW_SIDE = 768
"""Longest side of an overview in pixels; the affine gains little from more."""

MOST_CHANNELS = 4
"""Channels that take part together; more add noise and time before they add edges."""

LEAST_SIDE = 16
"""Fewest pixels along a side that hold structure to compare."""

LEAST_STRUCTURE = 0.02
"""Share of a channel's variation that two neighbours must have in common; pure noise has about 0.005."""

SAMPLE = 4
"""Every so many pixels, in y and x, serve to estimate percentiles."""


@dataclass(frozen=True, eq=False)
class Overview:
    """What the automatic alignment sees of a slide.

    Parameters
    ----------
    name : str
        The slide's name.
    picture : Picture
        The channels that take part, comparable, in the slide's frame.
    modality : "brightfield" or "fluorescence"
        How light becomes signal.
    scales : (C, 2) ndarray
        For each channel, the two intensities that became 0 and 1.
    channels : tuple of int
        Which channels of the slide these are.
    others : tuple of tuple of int
        Further choices of channels, to be tried where this one fails.
    knows_size : bool
        Whether world units are µm.
    spare : mapping of int to (ndarray, ndarray)
        Signal and scales of each channel that takes part or is among the others.
    """

    name: str
    picture: Picture
    modality: Modality
    scales: NDArray[np.float64]
    channels: tuple[int, ...]
    others: tuple[tuple[int, ...], ...]
    knows_size: bool
    spare: Mapping[int, tuple[NDArray[np.float32], NDArray[np.float64]]] = field(default_factory=dict)


def look_at(
    slide: Slide, *, channel: int | str | None = None, channels: Sequence[int] | None = None
) -> Overview:
    """Read a slide's overview and make its channels comparable.

    Brightfield becomes optical density, fluorescence the square root of intensity; each channel is
    scaled by its percentiles. Borders that are no image are masked.

    Parameters
    ----------
    slide : Slide
        The slide; only its coarse levels are read.
    channel : int or str, optional
        Use this channel only.
    channels : sequence of int, optional
        Use these channels; chosen by their structure by default, a channel named after a nuclear stain
        always among them.

    Returns
    -------
    Overview

    Raises
    ------
    NoTissue
        The slide is too small, blank, or has no valid pixel.
    ValueError
        There is no such channel.

    Examples
    --------
    >>> from napari_histreg.slides import open_slide
    >>> y, x = np.mgrid[:64, :64]
    >>> empty, stripes = np.full((64, 64), 7.0), np.sin(x / 3) * y
    >>> look_at(open_slide(np.stack([empty, stripes]))).channels
    (1,)
    """
    wanted = channel, None if channels is None else tuple(channels)
    return recall(slide, ("overview", *wanted), lambda: _looked_at(slide, *wanted))


def _looked_at(slide: Slide, channel: int | str | None, channels: Sequence[int] | None) -> Overview:
    if min(slide.shape) < LEAST_SIDE:
        raise NoTissue(
            f"{slide.name} is {slide.shape[0]} x {slide.shape[1]} pixels; at least {LEAST_SIDE} x "
            f"{LEAST_SIDE} are needed to align it."
        )
    planes = read_planes(slide, working_spacing(slide, OVERVIEW_SIDE))
    if min(planes.pixels.shape[1:]) < LEAST_SIDE // 2:
        raise NoTissue(
            f"{slide.name} is {slide.shape[0]} x {slide.shape[1]} pixels: too narrow to be aligned."
        )
    usable = np.isfinite(planes.pixels).any(axis=(1, 2))
    mask = valid_field(planes.pixels[usable]) if usable.any() else np.zeros(planes.pixels.shape[1:], bool)
    if mask.sum() < LEAST_SIDE**2 // 2:
        raise NoTissue(f"{slide.name} has no valid pixels to align: they are NaN, infinite or border.")
    modality = guess_modality(planes.pixels[usable], mask, is_rgb=slide.is_rgb)
    signals, scales = comparable_channels(planes.pixels, mask, modality)
    chosen, others = _choose(slide, signals, mask, channel, channels)
    if structure_shares(signals[list(chosen)], mask).max() < LEAST_STRUCTURE:
        raise NoTissue(f"{slide.name} holds nothing to align: it shows noise only.")
    frame = planes.frame
    return Overview(
        slide.name,
        Picture(signals[list(chosen)], frame, mask),
        modality,
        scales[list(chosen)],
        chosen,
        others,
        slide.pixel_size_um is not None,
        {k: (signals[k], scales[k]) for k in {*chosen, *(k for other in others for k in other)}},
    )


def comparable_channels(
    pixels: NDArray[np.float32],
    mask: NDArray[np.bool_],
    modality: Modality,
    scales: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Scale channels to 0 to 1: optical density of brightfield, square root of fluorescence.

    Parameters
    ----------
    pixels : (C, Y, X) ndarray
        Intensities; NaN and infinities only where masked.
    mask : (Y, X) ndarray of bool
        True where valid.
    modality : "brightfield" or "fluorescence"
        Which of the two.
    scales : (C, 2) ndarray, optional
        The intensities that become 0 and 1, as returned for an overview; measured by default.

    Returns
    -------
    signals : (C, Y, X) ndarray of float32
        0 in a channel that is constant.
    scales : (C, 2) ndarray
        The intensities that became 0 and 1.
    """
    if scales is None:
        scales = np.array([_range(plane, mask, modality) for plane in pixels])
    signals = np.zeros(pixels.shape, np.float32)
    for out, plane, (empty, full) in zip(signals, pixels, scales, strict=True):
        if empty == full:
            continue
        clean = np.where(np.isfinite(plane), plane, np.float32(empty))
        if modality == "brightfield":
            # Logarithm of the transmitted share, so that full (the darkest) becomes 1.
            share = np.clip(clean / np.float32(empty), np.float32(full / empty), 1)
            out[:] = np.log(share) / np.float32(np.log(full / empty))
        else:
            out[:] = np.sqrt(np.clip((clean - np.float32(empty)) / np.float32(full - empty), 0, 1))
    return signals, scales


def _range(plane: NDArray[np.float32], mask: NDArray[np.bool_], modality: Modality) -> tuple[float, float]:
    """Return the intensities that become 0 and 1; equal where the plane is constant."""
    values = plane[::SAMPLE, ::SAMPLE][mask[::SAMPLE, ::SAMPLE]]
    values = values[np.isfinite(values)]
    whole = plane[mask & np.isfinite(plane)]
    if len(values) < 1000:
        values = whole
    if not len(values):
        return 0.0, 0.0
    low, high = (float(v) for v in np.percentile(values, [0.5, 99.8]))
    if high <= low:
        low, high = float(whole.min()), float(whole.max())
    # A plane that varies by no more than float32 rounds holds nothing.
    if high - low <= 1e-6 * max(abs(low), abs(high)):
        return low, low
    if modality == "fluorescence":
        return low, high
    # Where a brightfield picture is stored with an offset below zero, light is counted from its darkest.
    high = max(high, 1e-6)
    return high, max(low, high / 256)


def structure_shares(signals: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Measure how much of each channel's variation is structure rather than noise from pixel to pixel.

    Parameters
    ----------
    signals : (C, Y, X) ndarray of float32
        Channels.
    mask : (Y, X) ndarray of bool
        True where valid.

    Returns
    -------
    (C,) ndarray
        0 for white noise or a constant, towards 1 for smooth tissue.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(1, 80, 80)).astype(np.float32)
    >>> bool(structure_shares(noise, np.ones((80, 80), bool))[0] < 0.05)
    True
    """
    shares = []
    both = mask[2:] & mask[:-2]
    for plane in signals:
        values = plane - plane[mask].mean()
        variance = float((values[mask] ** 2).mean())
        # Noise of neighbouring pixels is unrelated: two pixels apart, only structure is left.
        link = float((values[2:] * values[:-2])[both].mean()) if both.any() else 0.0
        shares.append(max(link / variance, 0.0) if variance > 1e-12 else 0.0)
    return np.array(shares)


def _choose(
    slide: Slide,
    signals: NDArray[np.float32],
    mask: NDArray[np.bool_],
    channel: int | str | None,
    channels: Sequence[int] | None,
) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Return the channels to use, and further choices."""
    filled = [k for k, plane in enumerate(signals) if float(np.ptp(plane[mask])) > 0]
    if channel is not None:
        filled = [k for k in filled if k == slide.channel_index(channel)]
    if channels is not None:
        filled = [k for k in filled if k in channels]
    if not filled:
        which = f"Channel {channel} of {slide.name}" if channel is not None else slide.name
        raise NoTissue(f"{which} is blank: every pixel has the same value.")
    if channel is not None or channels is not None or slide.is_rgb or len(filled) == 1:
        return tuple(filled), ()
    shares = structure_shares(signals[filled], mask)
    order = [filled[k] for k in np.argsort(-shares, kind="stable")]
    good = [k for k in order if shares[filled.index(k)] > 0.1 * shares.max()] or order[:1]
    nuclear = find_nuclear_name([c.name for c in slide.channels])
    if nuclear in filled:
        good = [nuclear, *(k for k in good if k != nuclear)]
    chosen = tuple(sorted(good[:MOST_CHANNELS]))
    others = [(good[0],)] if len(chosen) > 1 else []
    rest = tuple(sorted(k for k in order if k not in chosen))[:MOST_CHANNELS]
    if rest:
        others.append(rest)
    return chosen, tuple(others)


def with_channels(overview: Overview, channels: Sequence[int]) -> Overview:
    """Return an overview through other channels, which are among those that it offers.

    Raises
    ------
    NoTissue
        They show noise only.
    """
    if tuple(channels) == overview.channels:
        return overview
    picture = overview.picture
    signals = np.stack([overview.spare[k][0] for k in channels])
    if structure_shares(signals, picture.mask).max() < LEAST_STRUCTURE:
        raise NoTissue(f"{overview.name} holds nothing to align: it shows noise only.")
    return replace(
        overview,
        picture=Picture(signals, picture.frame, picture.mask),
        scales=np.stack([overview.spare[k][1] for k in channels]),
        channels=tuple(channels),
        others=(),
    )
