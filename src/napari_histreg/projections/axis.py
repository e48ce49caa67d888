"""Where the rotation axis lies, by three ways that know nothing of one another, and how it leans."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from napari_histreg.projections.arrays import Floats
from napari_histreg.projections.filtering import ramp_filtered
from napari_histreg.projections.opposite import opposite_pairs, pair_shift
from napari_histreg.projections.projector import Projector, angular_weights
from napari_histreg.projections.work import WorkStack

__all__ = ["AxisEstimates", "by_entropy", "by_opposite_views", "by_sinogram", "find_axis"]

HALF_TURN_DEG = 170.0
SCAN_SHARE = 0.15
SLICES = 6
FINEST_STEP = 0.1


@dataclass(frozen=True)
class AxisEstimates:
    """Columns of the rotation axis by each way; None where a way cannot be gone.

    Parameters
    ----------
    opposite : float or None
        From views 180 degrees apart.
    vo : float or None
        From the transform of the sinogram over the full turn.
    entropy : float or None
        From the sharpest slices.
    mass : float or None
        From the centre of mass, where the body keeps inside the field.
    """

    opposite: float | None = None
    vo: float | None = None
    entropy: float | None = None
    mass: float | None = None

    @property
    def all(self) -> dict[str, float]:
        """Those there are, by name."""
        ways = {"opposite": self.opposite, "vo": self.vo, "entropy": self.entropy, "mass": self.mass}
        return {name: value for name, value in ways.items() if value is not None}

    @property
    def chosen(self) -> float | None:
        """The median of those there are."""
        return float(np.median(list(self.all.values()))) if self.all else None

    @property
    def spread(self) -> float:
        """Largest difference between two ways, in pixels; 0 for fewer than two."""
        values = list(self.all.values())
        return max(values) - min(values) if len(values) > 1 else 0.0


def find_axis(stack: WorkStack, aligned: Floats, *, mass: float | None = None) -> AxisEstimates:
    """Find the rotation axis by every way that can be gone.

    Parameters
    ----------
    stack : WorkStack
        Whose angles and frames in use count.
    aligned : (A, Y, X) ndarray
        Its frames, moved to their places.
    mass : float, optional
        What the centre of mass says.

    Returns
    -------
    AxisEstimates
        In columns of the stack.
    """
    opposite = by_opposite_views(stack, aligned)
    vo = by_sinogram(stack, aligned)
    near = [value for value in (opposite, vo, mass) if value is not None]
    entropy = by_entropy(stack, aligned, near=float(np.median(near)) if near else None)
    return AxisEstimates(opposite, vo, entropy, mass)


def by_opposite_views(stack: WorkStack, aligned: Floats) -> float | None:
    """Find the axis half way between a frame and the mirrored one from the other side.

    Returns
    -------
    float or None
        The median over the pairs; None where no two views lie 180 degrees apart.
    """
    middle = (aligned.shape[2] - 1) / 2
    found = [
        middle - float(pair_shift(aligned[last][:, ::-1], aligned[first], upsampling=50)[1]) / 2
        for first, last in opposite_pairs(stack.angles_rad, stack.used)[:8]
    ]
    return float(np.median(found)) if found else None


def by_sinogram(stack: WorkStack, aligned: Floats) -> float | None:
    """Find the axis for which the sinogram and its mirror make a full turn [1]_.

    The transform of a full turn is empty in a double wedge; a wrong axis puts something there.

    Returns
    -------
    float or None
        None for less than a half turn, or very uneven steps.

    References
    ----------
    .. [1] N. T. Vo, M. Drakopoulos, R. C. Atwood and C. Reinhard, Reliable method for calculating the center
       of rotation in parallel-beam tomography, Optics Express 22(16), 2014. doi:10.1364/OE.22.019078
    """
    views = _half_turn(stack)
    if views is None:
        return None
    width = aligned.shape[2]
    sinograms = [aligned[views, rows].mean(1) for rows in _bands(aligned.shape[1])]
    wedge = _empty_wedge(2 * len(views), width)

    def emptiness(axis: float) -> float:
        total = 0.0
        for sinogram in sinograms:
            turned = _mirrored_about(sinogram, axis)
            full = np.concatenate([sinogram, turned])
            inside = _overlap(width, axis)
            full = (full - full[:, inside].mean()) * _window_about(width, axis)
            total += float(np.abs(np.fft.fftshift(np.fft.fft2(full)))[wedge].mean())
        return total

    return _least(emptiness, width)


def by_entropy(stack: WorkStack, aligned: Floats, *, near: float | None = None) -> float | None:
    """Find the axis with the sharpest slices: the least entropy of their grey values [1]_.

    Parameters
    ----------
    stack : WorkStack
        Whose angles and frames in use count.
    aligned : (A, Y, X) ndarray
        Its frames, moved to their places.
    near : float, optional
        Where to look; the middle by default, and farther around it.

    Returns
    -------
    float or None
        None for less than a half turn: the missing range looks sharper than any axis.

    References
    ----------
    .. [1] T. Donath, F. Beckmann and A. Schreyer, Automated determination of the center of rotation in
       tomography data, J. Opt. Soc. Am. A 23(5), 2006. doi:10.1364/JOSAA.23.001048
    """
    weights = angular_weights(stack.angles_rad, stack.used)
    if np.degrees(weights.sum()) < HALF_TURN_DEG:
        return None
    width = aligned.shape[2]
    bands = [aligned[:, rows].mean(1) for rows in _bands(aligned.shape[1])]
    lines = np.stack(bands, 1)
    filtered = [ramp_filtered(lines[view]).T * np.float32(weights[view]) for view in range(len(lines))]
    step = max(1, width // 128)

    def entropy(axis: float) -> float:
        projector = Projector(stack.angles_rad, width, axis)
        volume = np.zeros((projector.count, len(bands)), np.float32)
        for view in np.flatnonzero(weights)[::step]:
            volume += projector.rays(view).T @ np.ascontiguousarray(filtered[view])
        total = 0.0
        for slice_values in volume.T:
            low, high = np.percentile(slice_values, (0.2, 99.8))
            counts, _ = np.histogram(slice_values, 256, (low - 0.2 * (high - low), high + 0.2 * (high - low)))
            share = counts[counts > 0] / counts.sum()
            total -= float((share * np.log(share)).sum())
        return total

    return _least(entropy, width, near=near)


def _least(cost: Callable[[float], float], width: int, *, near: float | None = None) -> float:
    """Find the column with the least cost: a scan, ever finer, and a parabola at its end."""
    best = (width - 1) / 2 if near is None else near
    reach, step = (SCAN_SHARE * width if near is None else 3.0), 1.0
    while True:
        places = np.arange(best - reach, best + reach + step / 2, step)
        costs = np.array([cost(float(place)) for place in places])
        k = int(costs.argmin())
        best = float(places[k])
        if step < FINEST_STEP:
            break
        reach, step = step, step / 4
    if 0 < k < len(places) - 1:
        bend = costs[k - 1] - 2 * costs[k] + costs[k + 1]
        if bend > 0:
            best += step * float(np.clip(0.5 * (costs[k - 1] - costs[k + 1]) / bend, -0.5, 0.5))
    return best


def _half_turn(stack: WorkStack) -> Floats | None:
    """Return the views of one half turn in order; None where there is none with steps that are even."""
    views = np.flatnonzero(stack.used)
    views = views[np.argsort(stack.angles_rad[views], kind="stable")]
    angles = stack.angles_rad[views]
    inside = angles < angles[0] + np.pi - 1e-6
    views, angles = views[inside], angles[inside]
    steps = np.diff(angles)
    if len(views) < 8 or np.degrees(angles[-1] - angles[0] + np.median(steps)) < HALF_TURN_DEG:
        return None
    return None if steps.max() > 4 * np.median(steps) + 1e-9 else views


def _bands(rows: int) -> list[slice]:
    """Return bands of rows between the borders."""
    edges = np.linspace(0.1 * rows, 0.9 * rows, SLICES + 1).astype(int)
    return [slice(int(a), max(int(b), int(a) + 1)) for a, b in itertools.pairwise(edges)]


def _mirrored_about(sinogram: Floats, axis: float) -> Floats:
    """Mirror a sinogram's columns about a column."""
    columns = np.arange(sinogram.shape[1])
    source = 2 * axis - columns
    return np.stack([np.interp(source, columns, line) for line in sinogram])


def _overlap(width: int, axis: float) -> Floats:
    """Tell which columns have a mirror inside the field."""
    columns = np.arange(width)
    mirror = 2 * axis - columns
    return np.asarray((mirror >= 0) & (mirror <= width - 1))


def _window_about(width: int, axis: float) -> Floats:
    """Return a window over the columns that have a mirror, falling to 0 at its ends."""
    from scipy.signal import windows

    inside = np.flatnonzero(_overlap(width, axis))
    out = np.zeros(width)
    out[inside] = windows.tukey(len(inside), 0.2)
    return out


def _empty_wedge(count: int, width: int) -> Floats:
    """Mask the part of a full turn's transform that a body inside the field leaves empty."""
    across = np.abs(np.arange(width) - width // 2) / width
    around = np.abs(np.arange(count) - count // 2)
    # A body of half the field's width has harmonics up to 2 pi f r; beyond is noise only.
    wedge = around[:, None] > 2 * np.pi * across[None] * (width / 2) + 2
    wedge &= (across < 0.25)[None] & (around > 1)[:, None]
    return np.asarray(wedge)
