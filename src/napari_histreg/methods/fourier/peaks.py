"""Correlation surfaces of two planes by Fourier transforms, and the peaks on them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["Peak", "Plane", "find_peak", "masked_correlation", "phase_surface"]

Plane = NDArray[Any]


@dataclass(frozen=True)
class Peak:
    """The highest place of a correlation surface.

    Parameters
    ----------
    shift : (float, float)
        Where the first plane's pixel (0, 0) lies in the second plane, (y, x) in pixels, to a fraction.
    height : float
        Value there.
    second : float
        Highest value of the surface away from it.
    """

    shift: tuple[float, float]
    height: float
    second: float

    @property
    def margin(self) -> float:
        """Height over the second distinct peak."""
        return self.height / max(self.second, 1e-12)


def find_peak(surface: Plane, *, apart: float) -> Peak:
    """Find the highest place, to a fraction of a pixel, and the second that is distinct from it.

    Parameters
    ----------
    surface : (Y, X) ndarray
        Indexed by shift modulo its shape; negative shifts lie at the far end. -inf where undefined.
    apart : float
        Nearer than this, in pixels, the second peak is part of the first.

    Returns
    -------
    Peak

    Examples
    --------
    >>> surface = np.zeros((16, 16))
    >>> surface[15, 3], surface[8, 8] = 1.0, 0.4
    >>> peak = find_peak(surface, apart=3)
    >>> peak.shift, peak.second
    ((-1.0, 3.0), 0.4)
    """
    h, w = surface.shape
    row, column = (int(k) for k in np.unravel_index(int(np.argmax(surface)), surface.shape))
    shift = []
    for axis, (k, n) in enumerate(((row, h), (column, w))):
        line = surface[:, column] if axis == 0 else surface[row]
        left, middle, right = line[(k - 1) % n], line[k], line[(k + 1) % n]
        bend = left - 2 * middle + right
        fine = 0.5 * (left - right) / bend if np.isfinite(bend) and bend < 0 else 0.0
        shift.append(k + float(np.clip(fine, -0.5, 0.5)) - (n if k > n // 2 else 0))
    dy, dx = np.abs(np.arange(h) - row), np.abs(np.arange(w) - column)
    distance = np.hypot(np.minimum(dy, h - dy)[:, None], np.minimum(dx, w - dx)[None])
    away = surface[distance > apart]
    second = float(away.max()) if away.size else 0.0
    return Peak((shift[0], shift[1]), float(surface[row, column]), second if np.isfinite(second) else 0.0)


def phase_surface(fixed: Plane, moving: Plane, shape: tuple[int, int], *, smoothing_px: float) -> FloatArray:
    """Correlate the phases of two planes [1]_.

    Parameters
    ----------
    fixed, moving : (Y, X) ndarray
        Planes of mean 0, tapered at their borders.
    shape : (int, int)
        To which both are filled up with zeros.
    smoothing_px : float
        Standard deviation of the Gaussian that keeps the noise of fine detail out.

    Returns
    -------
    (Y, X) ndarray of float64
        By shift modulo its shape; 1 would be perfect agreement. Its sign is that of the contrast.

    References
    ----------
    .. [1] C. D. Kuglin and D. C. Hines, The phase correlation image alignment method, Proc. IEEE Int.
       Conf. on Cybernetics and Society, 1975.
    """
    from scipy import fft

    a, b = fft.rfft2(fixed, shape), fft.rfft2(moving, shape)
    cross = np.conj(a) * b
    cross /= np.abs(cross) + 1e-3 * float(np.abs(cross).mean()) + 1e-30
    fy, fx = fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None]
    weight = np.exp(-2 * (np.pi * smoothing_px) ** 2 * (fy**2 + fx**2))
    surface = fft.irfft2(cross * weight, shape)
    return np.asarray(surface / max(float(fft.irfft2(weight + 0j, shape)[0, 0]), 1e-30))


def masked_correlation(
    fixed: Plane, moving: Plane, fixed_mask: Plane, moving_mask: Plane, *, least_overlap: float
) -> FloatArray:
    """Give the normalised correlation of two planes at every shift, over the pixels valid in both [1]_.

    Parameters
    ----------
    fixed, moving : (Y, X) ndarray
        The planes, of any two shapes.
    fixed_mask, moving_mask : (Y, X) ndarray of bool
        True where valid.
    least_overlap : float
        Shifts at which fewer than this share of the largest possible number of pixels meet are -inf.

    Returns
    -------
    (Y, X) ndarray of float64
        -1 to 1, by shift modulo its shape.

    References
    ----------
    .. [1] D. Padfield, Masked object registration in the Fourier domain, IEEE TIP 21(5), 2012.
       doi:10.1109/TIP.2011.2181402

    Examples
    --------
    >>> plane = np.random.default_rng(0).random((20, 20))
    >>> mask = np.ones((20, 20), bool)
    >>> surface = masked_correlation(plane, plane[3:, 4:], mask, mask[3:, 4:], least_overlap=0.3)
    >>> find_peak(surface, apart=3).height > 0.99
    True
    """
    from scipy import fft

    shape = tuple(
        fft.next_fast_len(a + b - 1, real=True) for a, b in zip(fixed.shape, moving.shape, strict=True)
    )

    def spectrum(plane: Plane) -> Any:
        return fft.rfft2(plane.astype(np.float64), shape)

    def correlate(a: Any, b: Any) -> FloatArray:
        return np.asarray(fft.irfft2(np.conj(a) * b, shape))

    a, b = (np.where(m, p - p[m].mean(), 0) for p, m in ((fixed, fixed_mask), (moving, moving_mask)))
    fa, fb, fm, gm = spectrum(a), spectrum(b), spectrum(fixed_mask), spectrum(moving_mask)
    count = np.maximum(correlate(fm, gm).round(), 1e-9)
    sum_a, sum_b = correlate(fa, gm), correlate(fm, fb)
    top = correlate(fa, fb) - sum_a * sum_b / count
    left = np.maximum(correlate(spectrum(a**2), gm) - sum_a**2 / count, 0)
    right = np.maximum(correlate(fm, spectrum(b**2)) - sum_b**2 / count, 0)
    below = np.sqrt(left * right)
    # Where one of the two is flat the quotient is rounding noise.
    sure = (count >= least_overlap * count.max()) & (below > 1e-6 * below.max())
    return np.where(sure, np.clip(top / np.maximum(below, 1e-30), -1, 1), -np.inf)
