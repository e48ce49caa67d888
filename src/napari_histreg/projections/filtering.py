"""Filters of frames before back-projection and comparison, and sub-pixel shifts of them."""

import numpy as np

from napari_histreg.projections.arrays import Floats

__all__ = ["band_pass", "moved", "ramp_filtered"]


def ramp_filtered(frame: Floats) -> Floats:
    """Filter a frame along x by a ramp with a Hann window, for back-projection.

    Parameters
    ----------
    frame : (Y, X) ndarray
        Line integrals. Where the body leaves the field the last value is faded out beyond the border.

    Returns
    -------
    (Y, X) ndarray of float32
    """
    from scipy import fft

    width = frame.shape[1]
    size = fft.next_fast_len(2 * width, real=True)
    pad = size - width
    padded = np.zeros((frame.shape[0], size), np.float32)
    padded[:, :width] = frame
    # Cut bodies: a step at the border would ring through the whole slice.
    fade = 0.5 * (1 + np.cos(np.pi * np.linspace(0, 1, pad // 2, dtype=np.float32)))
    padded[:, width : width + pad // 2] = frame[:, -1:] * fade
    padded[:, size - pad // 2 :] = frame[:, :1] * fade[::-1]
    frequency = fft.rfftfreq(size)
    response = (frequency * 0.5 * (1 + np.cos(2 * np.pi * frequency))).astype(np.float32)
    # The ramp sampled in frequency loses the mean; its first value is that of the ramp sampled in space.
    response[0] = 1 / (4 * size)
    filtered = fft.irfft(fft.rfft(padded, axis=1) * response, size, axis=1)
    return np.asarray(filtered[:, :width], np.float32)


def band_pass(shape: tuple[int, ...], *, longest_px: float, shortest_px: float) -> Floats:
    """Return the response, on ``rfft2`` frequencies, that passes waves between two lengths.

    Parameters
    ----------
    shape : (int, int)
        Of the planes.
    longest_px, shortest_px : float
        Lengths at which the response has fallen to about 0.6 on either side.

    Returns
    -------
    (Y, X // 2 + 1) ndarray of float32
    """
    from scipy import fft

    square = fft.fftfreq(shape[0])[:, None] ** 2 + fft.rfftfreq(shape[1])[None] ** 2
    low, high = 1 / longest_px**2, 1 / shortest_px**2
    return np.asarray((1 - np.exp(-square / low)) * np.exp(-0.5 * square / high), np.float32)


def moved(frame: Floats, shift: Floats, turn_rad: float = 0.0) -> Floats:
    """Sample a frame so that what lies off by `shift` comes to its place.

    Parameters
    ----------
    frame : (Y, X) ndarray
        The frame.
    shift : (2,) array-like
        How far it lies off, (y, x) in pixels: ``out[y, x] = frame[y + shift_y, x + shift_x]``.
    turn_rad : float
        Lean of the rotation axis, taken out about the frame's middle.

    Returns
    -------
    (Y, X) ndarray of float32
        Cubic spline; beyond the border its nearest value goes on.
    """
    from scipy import ndimage

    source = np.asarray(frame, np.float32)
    if turn_rad == 0:
        return np.asarray(ndimage.shift(source, -np.asarray(shift, float), order=3, mode="nearest"))
    c, s = np.cos(turn_rad), np.sin(turn_rad)
    matrix = np.array([[c, -s], [s, c]])
    middle = (np.array(source.shape) - 1) / 2
    offset = middle + np.asarray(shift, float) - matrix @ middle
    return np.asarray(ndimage.affine_transform(source, matrix, offset, order=3, mode="nearest"))
