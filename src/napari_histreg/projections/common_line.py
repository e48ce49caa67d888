"""Common line: what the Fourier transforms of all views share, and its slope across."""

from typing import ClassVar

import numpy as np

from napari_histreg.progress import Progress, silent
from napari_histreg.projections.arrays import Floats, Mask
from napari_histreg.projections.gauge import fix_gauge, harmonics
from napari_histreg.projections.mass import cut_notes
from napari_histreg.projections.method import ProjectionMethod, ShiftEstimate
from napari_histreg.projections.work import WorkStack

__all__ = ["CommonLine"]

ROUNDS = 30


class CommonLine(ProjectionMethod):
    """Match the line along the rotation axis that all views' transforms share [1]_.

    About one axis the line is the same for all pairs: the transform of the vertical profile. Its phase
    differences give y. Across the line the transform starts as a plane whose slope is the first moment of
    each vertical wave, which runs on a sinusoid: that gives x.

    References
    ----------
    .. [1] R. A. Crowther, Procedures for three-dimensional reconstruction of spherical viruses by Fourier
       synthesis from electron micrographs, Phil. Trans. R. Soc. B 261, 1971. doi:10.1098/rstb.1971.0054
    """

    name: ClassVar[str] = "common_line"

    def estimate(self, stack: WorkStack, *, progress: Progress = silent) -> ShiftEstimate:
        """Find the shifts; see `ProjectionMethod.estimate`."""
        from scipy import fft
        from scipy.signal import windows

        rows, width = stack.frames.shape[1:]
        frames = stack.frames * windows.tukey(rows, 0.15)[:, None].astype(np.float32)
        size = fft.next_fast_len(2 * rows, real=True)
        line = fft.rfft(frames.sum(2, dtype=np.float64), size, axis=1)
        slope = fft.rfft(frames @ (np.arange(width) - (width - 1) / 2), size, axis=1)
        progress(0.3, "matching common lines")
        frequency = 2 * np.pi * fft.rfftfreq(size)
        y = _common_phase(line, frequency, stack.used)
        turn = np.exp(1j * frequency * y[:, None])
        progress(0.8, "matching slopes")
        x = _common_slope(line * turn, slope * turn, stack.angles_rad, stack.used)
        places = np.stack([y, x + (width - 1) / 2], 1)
        shifts, axis = fix_gauge(places, stack.angles_rad, stack.used)
        return ShiftEstimate(shifts, axis, notes=cut_notes(stack))


def _common_phase(line: Floats, frequency: Floats, used: Mask) -> Floats:
    """Find the shift of each transform against the line common to all, coarse waves first."""
    y = np.zeros(len(line))
    step = frequency[1]
    for last in np.geomspace(4, len(frequency) // 2, ROUNDS).astype(int):
        shifted = line[:, 1:last] * np.exp(1j * frequency[1:last] * y[:, None])
        common = shifted[used].mean(0)
        cross = shifted * np.conj(common)
        # Weighted by its power, each wave's phase is a measurement of the same shift.
        waves = frequency[1:last]
        weight = np.abs(cross)
        y -= (weight * np.angle(cross) * waves).sum(1) / np.maximum((weight * waves**2).sum(1), step**2)
        y -= y[used].mean()
    return y


def _common_slope(line: Floats, slope: Floats, angles_rad: Floats, used: Mask) -> Floats:
    """Find x so that the slope of every wave, less x times its value, runs on a sinusoid."""
    basis = harmonics(angles_rad)[:, 1:]
    common = line[used].mean(0)
    solver = np.linalg.pinv(basis[used])
    moving = slope - basis @ (solver @ slope[used])
    top = (np.conj(common) * moving).real.sum(1)
    return np.asarray(top / max(float((np.abs(common) ** 2).sum()), 1e-30))
