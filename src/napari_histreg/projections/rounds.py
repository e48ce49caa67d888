"""One round of re-projection: reconstruct, predict each view from all others, and measure what is left."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from napari_histreg.progress import Progress, silent
from napari_histreg.projections.arrays import Floats
from napari_histreg.projections.filtering import band_pass, moved, ramp_filtered
from napari_histreg.projections.projector import Projector, angular_weights
from napari_histreg.projections.work import WorkStack

__all__ = ["Round", "compare", "left_out_predictions", "run_round"]

TAPER = 0.08
SHORTEST_PX = 6.0
LIKENESS_PX = (3.0, 10.0)


@dataclass(frozen=True, eq=False)
class Round:
    """What one round measured.

    Parameters
    ----------
    remaining : (A, 2) ndarray
        How far each frame still lies off from its prediction, (y, x) in pixels of the stack.
    likeness : (A,) ndarray
        Correlation of each frame with its prediction there, -1 to 1.
    """

    remaining: Floats
    likeness: Floats


def run_round(
    stack: WorkStack,
    shifts: Floats,
    axis: float,
    *,
    reach_px: float = 8.0,
    progress: Progress = silent,
) -> Round:
    """Reconstruct from frames as they are shifted, and measure each against its prediction.

    Parameters
    ----------
    stack : WorkStack
        Line integrals.
    shifts : (A, 2) ndarray
        How far each frame lies off, as known so far.
    axis : float
        Column of the rotation axis.
    reach_px : float
        Farthest shift that is looked for.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    Round
    """
    remaining = np.zeros((stack.count, 2))
    likeness = np.zeros(stack.count)
    parts = left_out_predictions(stack, shifts, axis, progress=progress)
    for view, frame, predicted in parts:
        remaining[view], likeness[view] = compare(frame, predicted, reach_px=reach_px)
    return Round(remaining, likeness)


def left_out_predictions(
    stack: WorkStack,
    shifts: Floats,
    axis: float,
    *,
    progress: Progress = silent,
) -> Iterator[tuple[int, Floats, Floats]]:
    """Predict each view from the reconstruction of all others.

    Filtered back-projection is a sum over the views: what a view itself has added to its own prediction is
    taken off again exactly, so that one reconstruction serves all.

    Yields
    ------
    int
        Number of the view.
    (Y, X) ndarray
        The frame, shifted to its place.
    (Y, X) ndarray
        Its prediction.
    """
    rows, width = stack.frames.shape[1:]
    projector = Projector(stack.angles_rad, width, axis)
    weights = angular_weights(stack.angles_rad, stack.used).astype(np.float32)
    volume = np.zeros((projector.count, rows), np.float32)
    for view in np.flatnonzero(weights).tolist():
        progress(0.5 * view / stack.count, "reconstructing")
        rays = projector.rays(view)
        filtered = ramp_filtered(moved(stack.frames[view], shifts[view]))
        volume += rays.T @ np.ascontiguousarray(filtered.T * weights[view])
    for view in range(stack.count):
        progress(0.5 + 0.5 * view / stack.count, "projecting")
        rays = projector.rays(view)
        frame = moved(stack.frames[view], shifts[view])
        predicted = rays @ volume
        if weights[view]:
            predicted -= (rays @ rays.T) @ (ramp_filtered(frame).T * weights[view])
        yield view, frame, predicted.T


def compare(frame: Floats, predicted: Floats, *, reach_px: float) -> tuple[Floats, float]:
    """Measure how far a frame lies off from its prediction.

    Parameters
    ----------
    frame, predicted : (Y, X) ndarray
        Both.
    reach_px : float
        Farthest shift that is looked for.

    Returns
    -------
    (2,) ndarray
        (y, x) in pixels, to a fraction.
    float
        Correlation of their fine detail at that shift, -1 to 1: two bodies may share an outline.
    """
    from scipy import fft

    size = tuple(fft.next_fast_len(n + int(min(reach_px, n // 2)), real=True) for n in frame.shape)
    response = band_pass(size, longest_px=max(frame.shape) / 2, shortest_px=SHORTEST_PX)
    window = _window(frame.shape)
    a = fft.rfft2((frame - frame.mean()) * window, size)
    b = fft.rfft2((predicted - predicted.mean()) * window, size)
    surface = fft.irfft2(a * np.conj(b) * response**2, size)
    reach = [int(min(max(reach_px, 1), n // 2 - 1)) for n in size]
    near = np.roll(surface, reach, (0, 1))[: 2 * reach[0] + 1, : 2 * reach[1] + 1]
    row, column = (int(k) for k in np.unravel_index(int(near.argmax()), near.shape))
    place = np.array(
        [
            _refined(near[:, column], row) - reach[0],
            _refined(near[row], column) - reach[1],
        ]
    )
    return place, _likeness(a, b, place, size)


def _refined(line: Floats, k: int) -> float:
    """Return the top of a parabola through three values about the greatest."""
    if not 0 < k < len(line) - 1:
        return float(k)
    bend = line[k - 1] - 2 * line[k] + line[k + 1]
    return k + (float(np.clip(0.5 * (line[k - 1] - line[k + 1]) / bend, -0.5, 0.5)) if bend < 0 else 0.0)


def _likeness(a: Floats, b: Floats, place: Floats, size: tuple[int, ...]) -> float:
    """Correlate the fine detail of two half spectra at a shift."""
    from scipy import fft

    response = band_pass(size, longest_px=LIKENESS_PX[1], shortest_px=LIKENESS_PX[0])
    # Both halves of the spectrum are alike but for the columns that stand for themselves.
    response[:, 1 : (size[1] + 1) // 2] *= np.sqrt(2)
    fy, fx = fft.fftfreq(size[0])[:, None], fft.rfftfreq(size[1])[None]
    back = np.exp(2j * np.pi * (fy * place[0] + fx * place[1]))
    fine_a, fine_b = a * response, b * response
    power = float(np.linalg.norm(fine_a) * np.linalg.norm(fine_b))
    return float((fine_a * np.conj(fine_b) * back).real.sum()) / max(power, 1e-12)


def _window(shape: tuple[int, ...]) -> Floats:
    """Return a window that falls to 0 at all borders."""
    from scipy.signal import windows

    y, x = (windows.tukey(n, 2 * TAPER) for n in shape)
    return np.asarray(y[:, None] * x[None], np.float32)
