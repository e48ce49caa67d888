"""Mass: the vertical profile that every view shares, and the horizontal centre that runs on a sinusoid."""

import numpy as np

from napari_histreg.projections.arrays import Floats, Mask
from napari_histreg.projections.gauge import harmonics
from napari_histreg.projections.work import WorkStack

__all__ = ["centres", "profile_shifts", "second_moment_misfit", "sinusoid_shifts"]

ROUNDS = 12
BANDS = 12
MARGIN = 0.06
LEAST_MASS = 0.2


def centres(stack: WorkStack) -> Floats:
    """Return each frame's centre of mass.

    Returns
    -------
    (A, 2) ndarray
        (y, x) in pixels of the stack; weighted within the rows and columns that hold the body.
    """
    frames = stack.frames
    out = np.empty((stack.count, 2))
    for axis in (0, 1):
        lines = frames.sum(2 - axis, dtype=np.float64)
        low, high = _extent(lines[stack.used])
        inner = lines[:, low:high]
        mass = np.where(np.abs(inner.sum(1)) > 1e-9, inner.sum(1), 1e-9)
        out[:, axis] = inner @ np.arange(low, high) / mass
    return out


def profile_shifts(stack: WorkStack) -> tuple[Floats, Floats]:
    """Bring the vertical profiles of all views onto one another.

    Each ray of a view stays in its slice, so that the sum along x is the same from every side.

    Returns
    -------
    (A,) ndarray
        How far each frame lies off along y, mean 0.
    (A,) ndarray
        Correlation of each profile with the median of all, -1 to 1.
    """
    from scipy import fft, ndimage

    lines = ndimage.gaussian_filter1d(stack.frames.sum(2, dtype=np.float64), 1.0, axis=1, order=1)
    rows = lines.shape[1]
    size = fft.next_fast_len(2 * rows, real=True)
    spectra = fft.rfft(lines * _taper(rows), size, axis=1)
    frequency = fft.rfftfreq(size)
    norms = np.linalg.norm(lines, axis=1) + 1e-12
    shifts = np.zeros(len(lines))
    likeness = np.zeros(len(lines))
    reference = np.median(lines[stack.used], 0)
    for step in range(ROUNDS):
        target = np.conj(fft.rfft(reference * _taper(rows), size))
        aligned = spectra * np.exp(2j * np.pi * frequency * shifts[:, None])
        surface = fft.irfft(aligned * target, size, axis=1)
        limit = rows // 2 if step == 0 else max(4, rows // 8)
        surface[:, limit : size - limit] = -np.inf
        places, heights = _peaks(surface)
        shifts = shifts + places
        likeness = heights / (norms * (np.linalg.norm(reference) + 1e-12))
        shifts -= np.median(shifts[stack.used])
        back = fft.irfft(spectra * np.exp(2j * np.pi * frequency * shifts[:, None]), size, axis=1)[:, :rows]
        good = stack.used & (likeness >= np.median(likeness[stack.used]) - 0.2)
        reference = back[good].mean(0)
        if np.abs(places[stack.used]).max(initial=0) < 2e-3:
            break
    return shifts - shifts[stack.used].mean(), likeness


def sinusoid_shifts(stack: WorkStack, y_shifts: Floats) -> tuple[Floats, float]:
    """Find x shifts that put the centre of mass of every band of rows on a sinusoid.

    Of the conditions of Helgason and Ludwig [1]_ the first two hold shifts: the mass of a band is the same
    in all views, and its first moment is ``a cos + b sin``. All bands shift together [2]_.

    Parameters
    ----------
    stack : WorkStack
        Line integrals of a body that keeps inside the field.
    y_shifts : (A,) ndarray
        How far each frame lies off along y.

    Returns
    -------
    (A,) ndarray
        Where the axis lies in each frame, along x, in pixels of the stack, without cosine and sine.
    float
        Root mean square distance of the bands from their sinusoids, in pixels.

    References
    ----------
    .. [1] S. Helgason, The Radon transform on Euclidean spaces, compact two-point homogeneous spaces and
       Grassmann manifolds, Acta Mathematica 113, 1965. doi:10.1007/BF02391776
    .. [2] T. Sanders et al., Physically motivated global alignment method for electron tomography, Advanced
       Structural and Chemical Imaging 1, 4, 2015. doi:10.1186/s40679-015-0005-7
    """
    bands = _bands(stack, y_shifts)
    columns = np.arange(bands.shape[2])
    place: Floats = np.zeros(stack.count)
    misfit = np.inf
    basis = harmonics(stack.angles_rad)
    # The body's extent is told after a first round: what lies outside it is noise only.
    for width in (None, MARGIN):
        window = (
            np.ones((stack.count, len(columns))) if width is None else _window(bands, place, stack, width)
        )
        inside = bands * window[:, None]
        mass = inside.sum(2)
        typical = np.median(mass[stack.used], 0)
        weight = np.where(typical > 0.1 * typical.max(initial=0), typical, 0) ** 2
        if weight.sum() <= 0:
            return place, misfit
        # A view that holds next to nothing of a band says nothing about it.
        told = (mass > LEAST_MASS * typical) & (typical > 0)
        middle = (inside @ columns) / np.where(told, mass, np.inf)
        place, misfit = _solve(middle, weight / weight.sum() * told, basis, stack.used)
    return place, misfit


def second_moment_misfit(stack: WorkStack, shifts: Floats) -> float:
    """Check the second condition of Helgason and Ludwig, which no shift can satisfy on its own.

    Parameters
    ----------
    stack : WorkStack
        Line integrals.
    shifts : (A, 2) ndarray
        Of each frame.

    Returns
    -------
    float
        What of the width's square is no harmonic of twice the angle, as a share of its mean; small for one
        rigid body that keeps inside the field.
    """
    line = _bands(stack, shifts[:, 0]).sum(1)
    columns = np.arange(line.shape[1])
    mass = np.where(np.abs(line.sum(1)) > 1e-9, line.sum(1), 1e-9)
    middle = line @ columns / mass
    spread = (line * (columns - middle[:, None]) ** 2).sum(1) / mass
    angle = 2 * stack.angles_rad
    used = stack.used
    basis = harmonics(angle)
    factors = np.linalg.lstsq(basis[used], spread[used], rcond=None)[0]
    left = spread[used] - basis[used] @ factors
    return float(1.4826 * np.median(np.abs(left)) / max(abs(float(spread[used].mean())), 1e-9))


def _bands(stack: WorkStack, y_shifts: Floats) -> Floats:
    """Return frames of a few rows each, of the rows that all views share, (A, bands, X)."""
    frames, rows = stack.frames, stack.frames.shape[1]
    usual = y_shifts[stack.used]
    low = int(np.ceil(max(0.0, -float(np.percentile(usual, 1)))))
    high = rows - int(np.ceil(max(0.0, float(np.percentile(usual, 99)))))
    if high - low < 4:
        low, high = 0, rows
    edges = np.linspace(low, high, min(BANDS, high - low) + 1)
    out = np.empty((len(frames), len(edges) - 1, frames.shape[2]))
    for i, shift in enumerate(y_shifts):
        sums = np.zeros((rows + 1, frames.shape[2]))
        np.cumsum(frames[i], axis=0, out=sums[1:])
        place = np.clip(edges + shift, 0, rows)
        floor = np.minimum(place.astype(int), rows - 1)
        part = (place - floor)[:, None]
        out[i] = np.diff(sums[floor] * (1 - part) + sums[floor + 1] * part, axis=0)
    return out


def _window(bands: Floats, place: Floats, stack: WorkStack, margin: float) -> Floats:
    """Mask the columns outside the body, as seen from all sides."""
    columns = np.arange(bands.shape[2])
    lines = np.stack(
        [
            np.interp(columns + p - place[stack.used].mean(), columns, line)
            for p, line in zip(place, bands.sum(1), strict=True)
        ]
    )
    low, high = _extent(lines[stack.used], margin)
    off = (place - place[stack.used].mean())[:, None]
    return np.asarray((columns >= low + off) & (columns < high + off), float)


def _solve(middle: Floats, even: Floats, basis: Floats, used: Mask) -> tuple[Floats, float]:
    """Find each view's place so that all bands run on sinusoids, bad bands and bad views counting less."""
    share, mean = even, even[used].mean(0)
    fit = np.zeros_like(middle)
    for _ in range(8):
        place = (share * (middle - fit)).sum(1) / np.maximum(share.sum(1), 1e-12)
        factors = np.zeros((3, middle.shape[1]))
        for band in np.flatnonzero(mean):
            root = np.sqrt(share[:, band] * used)
            left_side = basis * root[:, None]
            factors[:, band] = np.linalg.lstsq(left_side, (middle[:, band] - place) * root, rcond=None)[0]
        # A tilted axis gives each band a constant of its own; their mean belongs to the place.
        factors[0] -= mean @ factors[0] / max(float(mean.sum()), 1e-12)
        fit = basis @ factors
        left = middle - fit - place[:, None]
        spread = 1.4826 * float(np.median(np.abs(left[used][even[used] > 0]))) + 1e-6
        share = even / (1 + (left / (3 * spread)) ** 2) ** 2
    smooth = np.linalg.lstsq(basis[used], place[used], rcond=None)[0]
    misfit = float(np.sqrt((even * left**2)[used].sum(1).mean()))
    return place - basis[:, 1:] @ smooth[1:], misfit


def _extent(lines: Floats, margin: float = MARGIN) -> tuple[int, int]:
    """Return the range of a profile that holds the body, with a margin."""
    mean = np.abs(lines).mean(0) if len(lines) else np.ones(lines.shape[1])
    low, high = float(np.percentile(mean, 5)), float(mean.max())
    inside = np.flatnonzero(mean > low + 0.03 * (high - low))
    if not inside.size:
        return 0, lines.shape[1]
    extra = round(margin * lines.shape[1])
    return max(0, int(inside[0]) - extra), min(lines.shape[1], int(inside[-1]) + 1 + extra)


def _taper(size: int) -> Floats:
    """Return a window that falls to 0 at both ends."""
    from scipy.signal import windows

    return np.asarray(windows.tukey(size, 0.15))


def _peaks(surface: Floats) -> tuple[Floats, Floats]:
    """Return the place, to a fraction, and the height of the peak of each row, indexed modulo its length."""
    size = surface.shape[1]
    best = surface.argmax(1)
    at = np.arange(len(surface))
    left, top, right = surface[at, best - 1], surface[at, best], surface[at, (best + 1) % size]
    with np.errstate(invalid="ignore", divide="ignore"):
        bend = left - 2 * top + right
        fine = np.where(np.isfinite(bend) & (bend < 0), 0.5 * (left - right) / bend, 0)
    whole = np.where(best > size // 2, best - size, best)
    return whole + np.clip(fine, -0.5, 0.5), top
