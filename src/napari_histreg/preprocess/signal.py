"""One comparable signal out of a slide's channels."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_histreg.preprocess.field import valid_field
from napari_histreg.preprocess.intensity import scale_percentiles
from napari_histreg.preprocess.modality import Modality, guess_modality
from napari_histreg.preprocess.nuclear import (
    choose_stains,
    find_nuclear_name,
    nuclear_density,
    pick_nuclear_channel,
)
from napari_histreg.preprocess.planes import Planes, read_planes
from napari_histreg.preprocess.stain import optical_density, separate_stains
from napari_histreg.raster import Raster
from napari_histreg.slides.slide import Slide

__all__ = ["Signal", "blank_reason", "extract_signal", "extract_signals"]

Signal = Literal["nuclear", "other", "density", "grey"]
FloatImage = NDArray[np.float32]
Mask = NDArray[np.bool_]

LAGS = (2, 3, 4, 6)
"""Distances in pixels at which noise has nothing in common, also when averaged, and tissue has."""

FEW_CHANNELS = 4
"""Up to so many channels the pixels decide about the modality; stacks of more are fluorescence."""


def extract_signal(
    slide: Slide,
    spacing: float,
    signal: Signal,
    *,
    channel: int | str | None = None,
    modality: Modality | None = None,
) -> tuple[Planes, FloatImage, Mask]:
    """Read a slide and reduce it to one plane of signal.

    Parameters
    ----------
    slide : Slide
        What to read.
    spacing : float
        Distance of pixel centres in world units.
    signal : {"nuclear", "other", "density", "grey"}
        See `Recipe`.
    channel : int or str, optional
        Take it from this channel only.
    modality : {"brightfield", "fluorescence"}, optional
        Told apart by the pixels by default.

    Returns
    -------
    planes : Planes
        The channels that were used, with their place.
    plane : (Y, X) ndarray of float32
        The signal, not normalised.
    valid : (Y, X) ndarray of bool
        Where the picture is.
    """
    picked = _channels_to_read(slide, signal, channel, modality)
    planes = read_planes(slide, spacing, picked)
    valid = valid_field(planes.pixels)
    kind = modality or _modality(slide, planes.pixels, valid)
    names = [c.name for c in slide.channels]
    if picked is not None:
        names = [names[k] for k in picked]
    clean = np.where(valid, planes.pixels, 0).astype(np.float32)
    return planes, _one_signal(clean, valid, kind, signal, names), valid


def extract_signals(
    slide: Slide, spacing: float, signals: Sequence[Signal] = ("nuclear", "other", "density")
) -> dict[Signal, Raster]:
    """Read a slide once and reduce it to several signals, each from 0 to 1 by percentiles.

    Parameters
    ----------
    slide : Slide
        What to read.
    spacing : float
        Distance of pixel centres in world units.
    signals : sequence of {"nuclear", "other", "density", "grey"}
        See `Recipe`.

    Returns
    -------
    dict of str to Raster
        A blank slide gives zeros.
    """
    planes = read_planes(slide, spacing)
    valid = valid_field(planes.pixels)
    kind = _modality(slide, planes.pixels, valid)
    clean = np.where(valid, planes.pixels, 0).astype(np.float32)
    names = [c.name for c in slide.channels]
    found = {}
    for signal in signals:
        plane = _one_signal(clean, valid, kind, signal, names)
        found[signal] = Raster.on(planes.frame, scale_percentiles(plane, valid), valid)
    return found


def _one_signal(
    clean: FloatImage, valid: Mask, kind: Modality, signal: Signal, names: list[str]
) -> FloatImage:
    if signal == "grey":
        return _mean(clean, valid, kind)
    if kind == "brightfield":
        return _from_brightfield(clean, valid, signal)
    return _from_fluorescence(clean, valid, signal, names)


def _channels_to_read(
    slide: Slide, signal: Signal, channel: int | str | None, modality: Modality | None
) -> list[int] | None:
    """Return the channels that are needed; None for all. A channel that is named DAPI needs no other."""
    if channel is not None:
        return [slide.channel_index(channel)]
    if signal == "nuclear" and not slide.is_rgb and modality != "brightfield":
        named = find_nuclear_name([c.name for c in slide.channels])
        if named is not None:
            return [named]
    return None


def _modality(slide: Slide, pixels: FloatImage, valid: Mask) -> Modality:
    if len(slide.channels) > FEW_CHANNELS:
        return "fluorescence"
    hint = True if slide.is_rgb else (False if len(slide.channels) > 1 else None)
    return guess_modality(pixels, valid, is_rgb=hint)


def _from_brightfield(clean: FloatImage, valid: Mask, signal: Signal) -> FloatImage:
    if signal == "nuclear":
        return nuclear_density(clean, valid)
    density = optical_density(clean, mask=valid)
    if signal == "density" or density.shape[0] != 3:
        return np.asarray(density.mean(0), np.float32)
    return np.asarray(np.maximum(separate_stains(density, choose_stains(density, valid))[1], 0), np.float32)


def _from_fluorescence(clean: FloatImage, valid: Mask, signal: Signal, names: list[str]) -> FloatImage:
    if signal == "density" or len(clean) == 1 or not clean.any():
        return _mean(clean, valid, "fluorescence")
    nuclear = pick_nuclear_channel(names, list(clean), valid)
    if signal == "nuclear":
        return np.asarray(clean[nuclear], np.float32)
    return _mean(np.delete(clean, nuclear, axis=0), valid, "fluorescence")


def _mean(clean: FloatImage, valid: Mask, kind: Modality) -> FloatImage:
    """Average the channels; fluorescence channels first on one scale, as their gains mean nothing."""
    if kind == "brightfield" or len(clean) == 1:
        return np.asarray(clean.mean(0), np.float32)
    total = np.zeros(valid.shape, np.float32)
    for plane in clean:
        total += scale_percentiles(plane, valid)
    return np.asarray(total / len(clean), np.float32)


def blank_reason(plane: FloatImage, valid: Mask) -> str | None:
    """Say why a plane holds nothing to align, or return None.

    Parameters
    ----------
    plane : (Y, X) ndarray of float32
        A signal.
    valid : (Y, X) ndarray of bool
        Where the picture is.

    Examples
    --------
    >>> blank_reason(np.ones((9, 9), np.float32), np.ones((9, 9), bool))
    'every pixel has the same value'
    """
    if not valid.any():
        return "no pixel of it is valid"
    values = plane[valid]
    if not values.max() > values.min():
        return "every pixel has the same value"
    scaled = scale_percentiles(plane, valid, low=0.1, high=99.9)
    if not scaled[valid].std() > 0:
        return "every pixel has the same value"
    if min(plane.shape) <= max(LAGS):
        return f"it is smaller than {max(LAGS) + 1} pixels"
    centred = np.where(valid, scaled - scaled[valid].mean(), 0)
    variance = float(centred[valid].var())
    links = [_link(centred, valid, lag, axis) / variance for lag in LAGS for axis in (0, 1)]
    chance = 4 / np.sqrt(valid.sum())
    return "it is noise without structure" if max(np.abs(links)) < 0.03 + chance else None


def _link(centred: FloatImage, valid: Mask, lag: int, axis: int) -> float:
    """Return the covariance of pixels that lie `lag` apart."""
    near, far = (slice(None, -lag), slice(lag, None)) if axis == 0 else (np.s_[:, :-lag], np.s_[:, lag:])
    both = valid[near] & valid[far]
    return float((centred[near] * centred[far])[both].mean()) if both.any() else 0.0
