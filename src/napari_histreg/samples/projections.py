"""A series of X-ray projections of a body that does not exist, with the jitter it was given."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["PhantomProjections", "phantom_projections"]

OVERSAMPLING = 2
INCLUSIONS = 40


@dataclass(frozen=True, eq=False)
class PhantomProjections:
    """Projections of a body, and what was done to them.

    Parameters
    ----------
    frames : (A, Y, X) ndarray of float32
        Line integrals of the attenuation, the largest near 1.
    angles_deg : (A,) ndarray
        One for each frame.
    shifts_px : (A, 2) ndarray
        How far each frame lies off, (y, x) in pixels.
    axis_px : float
        Column at which the rotation axis crosses the middle row of a frame that does not lie off.
    tilt_deg : float
        By which the rotation axis leans towards larger columns from row to row.
    """

    frames: NDArray[np.float32]
    angles_deg: FloatArray
    shifts_px: FloatArray
    axis_px: float
    tilt_deg: float


def phantom_projections(
    count: int = 180,
    shape: tuple[int, int] = (128, 128),
    *,
    jitter_px: float = 6.0,
    noise: float = 0.03,
    range_deg: float = 180.0,
    body: float = 0.34,
    axis_offset_px: float = 0.0,
    tilt_deg: float = 0.0,
    seed: int = 0,
) -> PhantomProjections:
    """Make projections of a cell-like body with inclusions; every line integral is exact.

    Parameters
    ----------
    count : int
        How many, at equal steps from 0 degrees; the last one is a step short of `range_deg`.
    shape : (int, int)
        Rows and columns of a frame.
    jitter_px : float
        Each frame is shifted by at most this much, evenly distributed, in y and in x.
    noise : float
        Standard deviation of the noise as a share of the largest value.
    range_deg : float
        The range of angles.
    body : float
        Half of the body's largest width as a share of the smaller side; above 0.5 it leaves the field.
    axis_offset_px : float
        How far the rotation axis lies from the middle of the frame.
    tilt_deg : float
        Lean of the rotation axis in the plane of the detector, towards larger columns from row to row.
    seed : int
        Of the body, the jitter and the noise.

    Returns
    -------
    PhantomProjections

    Examples
    --------
    >>> scan = phantom_projections(4, (16, 20), jitter_px=0, noise=0)
    >>> scan.frames.shape, float(scan.frames.max().round(2)), scan.axis_px
    ((4, 16, 20), 1.0, 9.5)
    """
    rng = np.random.default_rng(seed)
    bodies = _bodies(rng, body * min(shape))
    angles = np.arange(count, dtype=np.float64) * (range_deg / count)
    shifts = rng.uniform(-jitter_px, jitter_px, (count, 2))
    axis = (shape[1] - 1) / 2 + axis_offset_px
    frames = np.empty((count, *shape), np.float32)
    for i in range(count):
        frames[i] = _project(bodies, np.radians(angles[i]), shape, shifts[i], axis, np.radians(tilt_deg))
    frames /= max(float(frames.max()), 1e-12)
    frames += rng.normal(0, noise, frames.shape).astype(np.float32)
    return PhantomProjections(frames, angles, shifts, axis, tilt_deg)


@dataclass(frozen=True, eq=False)
class _Ellipsoid:
    """A body of even attenuation; places and lengths are (row, u, v), u across at angle 0."""

    at: FloatArray
    half: FloatArray
    turn: float
    value: float


def _bodies(rng: np.random.Generator, radius: float) -> list[_Ellipsoid]:
    """Return a cell, its nucleus, and inclusions inside it."""
    lengths = np.array([0.95, 1.0, 0.8]) * radius
    turn = float(rng.uniform(0, np.pi))
    nucleus = np.array([0.2, 0.25, -0.15]) * radius, np.array([0.3, 0.36, 0.28]) * radius
    found = [
        _Ellipsoid(np.zeros(3), lengths, turn, 1.0),
        _Ellipsoid(*nucleus, float(rng.uniform(0, np.pi)), 0.8),
    ]
    c, s = np.cos(turn), np.sin(turn)
    for _ in range(INCLUSIONS):
        direction = rng.normal(size=3)
        direction *= 0.75 * rng.random() ** (1 / 3) / np.linalg.norm(direction)
        row, u, v = direction * lengths
        half = rng.uniform(0.035, 0.12, 3) * radius
        at = np.array([row, u * c + v * s, v * c - u * s])
        found.append(_Ellipsoid(at, half, float(rng.uniform(0, np.pi)), float(rng.uniform(1.0, 4.0))))
    return found


def _project(
    bodies: list[_Ellipsoid],
    angle: float,
    shape: tuple[int, int],
    shift: FloatArray,
    axis: float,
    tilt: float,
) -> FloatArray:
    """Integrate along the rays of one view."""
    fine = (np.arange(shape[0] * OVERSAMPLING) + 0.5) / OVERSAMPLING - 0.5
    rows = fine - (shape[0] - 1) / 2 - shift[0]
    fine = (np.arange(shape[1] * OVERSAMPLING) + 0.5) / OVERSAMPLING - 0.5
    columns = fine - axis - shift[1]
    y = rows[:, None] * np.cos(tilt) + columns[None] * np.sin(tilt)
    x = columns[None] * np.cos(tilt) - rows[:, None] * np.sin(tilt)
    total = np.zeros(y.shape)
    for body in bodies:
        # Detector column of a point (u, v): u cos - v sin, as scikit-image's radon has it.
        centre = body.at[1] * np.cos(angle) - body.at[2] * np.sin(angle)
        relative = angle - body.turn
        width2 = (body.half[1] * np.cos(relative)) ** 2 + (body.half[2] * np.sin(relative)) ** 2
        section = 1 - ((y - body.at[0]) / body.half[0]) ** 2
        inside = np.maximum(section - (x - centre) ** 2 / width2, 0)
        total += body.value * 2 * body.half[1] * body.half[2] / np.sqrt(width2) * np.sqrt(inside)
    blocks = total.reshape(shape[0], OVERSAMPLING, shape[1], OVERSAMPLING)
    return np.asarray(blocks.mean((1, 3)))
