"""From counts to line integrals: dark and flat field, logarithm, pixels that are no measurements."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_histreg.projections.arrays import Floats, Mask

__all__ = ["Corrected", "Correction", "guess_kind"]

LEAST_TRANSMISSION = 1e-3
ZINGER_SIGMAS = 12.0
MOST_REPAIRED = 0.2
SIDE = 0.05


@dataclass(frozen=True, eq=False)
class Corrected:
    """A frame as line integrals.

    Parameters
    ----------
    pixels : (Y, X) ndarray of float32
        Finite everywhere.
    missing : int
        Pixels that were NaN, infinite or dead.
    zingers : int
        Pixels that stood out alone.
    usable : bool
        False where more than a fifth had to be replaced.
    """

    pixels: Floats
    missing: int
    zingers: int
    usable: bool


@dataclass(frozen=True, eq=False)
class Correction:
    """What turns a frame into line integrals.

    Parameters
    ----------
    kind : "intensity" or "absorption"
        Whether the frames hold what came through, or line integrals already.
    dark : (Y, X) ndarray or None
        Frame without beam.
    flat : (Y, X) ndarray or None
        Frame without body; without it the open beam at the sides of each frame is taken.
    """

    kind: Literal["intensity", "absorption"] = "intensity"
    dark: Floats | None = None
    flat: Floats | None = None

    def apply(self, frame: NDArray[Any]) -> Corrected:
        """Correct a frame.

        Parameters
        ----------
        frame : (Y, X) ndarray
            As it was taken.

        Returns
        -------
        Corrected

        Examples
        --------
        >>> counts = np.full((6, 6), 50.0)
        >>> counts[2, 3] = np.nan
        >>> done = Correction(flat=np.full((6, 6), 100.0)).apply(counts)
        >>> done.missing, round(float(done.pixels.max()), 3)
        (1, 0.693)
        """
        values = np.asarray(frame, np.float32)
        if self.kind == "intensity":
            values = self._logarithm(values)
        lost = ~np.isfinite(values)
        missing = int(lost.sum())
        if missing > MOST_REPAIRED * values.size:
            return Corrected(np.zeros(values.shape, np.float32), missing, 0, False)
        values = _filled(values, lost)
        stray = _zingers(values) & ~lost
        values = _filled(values, stray)
        return Corrected(values, missing, int(stray.sum()), True)

    def _logarithm(self, values: Floats) -> Floats:
        """Return the negative logarithm of the transmission, NaN where there was no measurement."""
        dark = np.float32(0) if self.dark is None else np.asarray(self.dark, np.float32)
        with np.errstate(invalid="ignore", divide="ignore"):
            through = values - dark
            if self.flat is None:
                open_beam = np.asarray(_open_beam(through), np.float32)
            else:
                open_beam = np.asarray(self.flat, np.float32) - dark
            share = through / np.where(open_beam > 0, open_beam, np.nan)
            # A pixel that counted nothing at all among others that did is dead, not opaque.
            dead = (values <= 0) & (np.nanmedian(values) > 0)
            out = -np.log(np.maximum(share, LEAST_TRANSMISSION))
        out[dead | ~np.isfinite(share)] = np.nan
        return np.asarray(out, np.float32)


def guess_kind(frame: NDArray[Any]) -> Literal["intensity", "absorption"]:
    """Tell whether a frame holds intensities: its sides, where the beam is open, are the brightest then.

    Examples
    --------
    >>> frame = np.ones((10, 100))
    >>> frame[:, 40:60] = 0.4
    >>> guess_kind(frame), guess_kind(1 - frame)
    ('intensity', 'absorption')
    """
    side = max(1, round(SIDE * frame.shape[1]))
    edges = np.concatenate([frame[:, :side], frame[:, -side:]], 1)
    middle = frame[:, frame.shape[1] // 4 : -(frame.shape[1] // 4) or None]
    brighter = np.nanmedian(edges) > np.nanmean(middle)
    return "intensity" if brighter and np.nanmin(frame) >= 0 else "absorption"


def _open_beam(through: Floats) -> float:
    """Return the typical value at the sides of a frame; NaN where there is no beam."""
    side = max(1, round(SIDE * through.shape[1]))
    edges = np.concatenate([through[:, :side], through[:, -side:]], 1)
    value = float(np.nanmedian(edges)) if np.isfinite(edges).any() else np.nan
    return value if value > 0 else float("nan")


def _filled(values: Floats, holes: Mask) -> Floats:
    """Put the mean of what lies around, near values counting more, into holes."""
    if not holes.any():
        return values
    import cv2

    out = np.where(holes, 0, values).astype(np.float32)
    known = (~holes).astype(np.float32)
    left = holes
    for size in (3, 5, 9, 17, 33, 65):
        total = cv2.blur(out * known, (size, size), borderType=cv2.BORDER_REFLECT)
        weight = cv2.blur(known, (size, size), borderType=cv2.BORDER_REFLECT)
        reached = left & (weight > 1e-6)
        out[reached] = total[reached] / weight[reached]
        left = left & ~reached
        if not left.any():
            return out
    out[left] = float(np.median(values[~holes])) if (~holes).any() else 0.0
    return out


def _zingers(values: Floats) -> Mask:
    """Tell which pixels stand out alone from the median of those around."""
    import cv2

    if min(values.shape) < 5:
        return np.zeros(values.shape, bool)
    off = np.abs(values - cv2.medianBlur(np.ascontiguousarray(values), 5))
    spread = 1.4826 * float(np.median(off))
    limit = max(ZINGER_SIGMAS * spread, 1e-3 * float(np.ptp(values)))
    far = (off > limit).astype(np.uint8)
    out = np.zeros(values.shape, bool)
    if not far.any():
        return out
    _, labels, stats, _ = cv2.connectedComponentsWithStats(far, connectivity=8)
    alone = far.astype(bool) & (stats[labels, cv2.CC_STAT_AREA] <= 2)
    padded = np.pad(values, 1, mode="reflect")
    for y, x in np.argwhere(alone):
        # Corners of what is large stand out from the median too, but not from their neighbours.
        around = np.sort(padded[y : y + 3, x : x + 3], axis=None)
        out[y, x] = values[y, x] - around[-3] > limit / 2 or around[2] - values[y, x] > limit / 2
    return out
