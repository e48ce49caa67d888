"""Brightfield or fluorescence, told apart by the pixels."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.preprocess.field import valid_field

__all__ = ["Modality", "guess_modality", "modality_score"]

Modality = Literal["brightfield", "fluorescence"]
"""How a slide was imaged: dyes that darken white light, or light in the dark."""

HINT = 0.15
"""Weight of the file's word that it is (not) a colour picture: it decides between near ties only."""

INSIDE = 1.3
"""How much more the inside of a border counts than the whole: borders are mostly borders."""


def guess_modality(
    planes: ArrayLike, mask: NDArray[np.bool_] | None = None, *, is_rgb: bool | None = None
) -> Modality:
    """Tell whether a picture shows transmitted light or fluorescence.

    Parameters
    ----------
    planes : (C, Y, X) array_like
        All channels, or the colours, of an overview.
    mask : (Y, X) ndarray of bool, optional
        True where valid; found by default, so that black or white borders do not count.
    is_rgb : bool, optional
        What the file says; a hint only, as grey brightfield and coloured fluorescence exist.

    Returns
    -------
    {"brightfield", "fluorescence"}

    Examples
    --------
    >>> glass = np.full((3, 50, 50), 240.0)
    >>> glass[:, 20:30, 20:30] = np.array([120, 60, 150])[:, None, None]
    >>> guess_modality(glass), guess_modality(255 - glass)
    ('brightfield', 'fluorescence')
    """
    return "brightfield" if modality_score(planes, mask, is_rgb=is_rgb) > 0 else "fluorescence"


def modality_score(
    planes: ArrayLike, mask: NDArray[np.bool_] | None = None, *, is_rgb: bool | None = None
) -> float:
    """Score how much a picture looks like transmitted light, about -1.5 (fluorescence) to 1.5.

    Two cues: transmitted light is mostly bright with dark tissue, fluorescence mostly dark with
    bright tissue; and in transmitted light the bright pixels are the colourless ones, while in
    coloured fluorescence they are the colourful ones.

    Parameters
    ----------
    planes, mask, is_rgb
        See `guess_modality`.

    Examples
    --------
    >>> modality_score(np.array([[[9.0, 9, 9, 9, 1]]])) > 0
    True
    """
    array = np.asarray(planes, np.float32)
    finite = np.asarray(np.isfinite(array).all(axis=0), bool)
    valid = valid_field(array) if mask is None else np.asarray(mask, bool) & finite
    hint = 0.0 if is_rgb is None else (HINT if is_rgb else -HINT)
    score = _score(array, valid)
    if valid.sum() < finite.sum():
        # What was taken for a border may be the glass or the dark around convex tissue.
        whole = _score(array, finite)
        score = score if abs(score) * INSIDE >= abs(whole) else whole
    return score + hint


def _score(array: NDArray[np.float32], valid: NDArray[np.bool_]) -> float:
    if valid.sum() < 2:
        return 0.0
    colours = array[:, valid]
    colours = colours[:, :: max(1, colours.shape[1] // 500_000)]
    grey = colours.mean(0)
    low, high = np.percentile(grey, [0.5, 99.5])
    if high <= low:
        low, high = float(grey.min()), float(grey.max())
    if high <= low:
        return 0.0
    score = 2 * (float(np.median(grey) - low) / float(high - low) - 0.5)
    if array.shape[0] == 3:
        chroma = colours.max(0) - colours.min(0)
        spread = float(chroma.std() * grey.std())
        if spread > 0:
            link = float(((chroma - chroma.mean()) * (grey - grey.mean())).mean()) / spread
            score -= 0.6 * link * min(1.0, float(chroma.mean()) / (0.1 * float(high - low)))
    return score
