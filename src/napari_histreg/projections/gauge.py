"""What the shifts of a series can never tell, and the convention that fixes it.

A body that stands elsewhere on the stage gives the same projections, each shifted along x by
``a cos(angle) + b sin(angle)``, and one that stands higher gives them all shifted by a constant along y.
No series can tell the two apart. So, by convention, the y shifts have the mean 0, and the x shifts hold
no constant, cosine or sine: their constant is the place of the rotation axis, which can be known and is
stated beside them.
"""

import numpy as np

from napari_histreg.projections.arrays import Floats, Mask

__all__ = ["fix_gauge", "harmonics", "rms_without_gauge", "without_harmonics"]


def harmonics(angles_rad: Floats) -> Floats:
    """Return the columns 1, cosine and sine.

    Parameters
    ----------
    angles_rad : (A,) ndarray
        Angles.

    Returns
    -------
    (A, 3) ndarray
    """
    return np.stack([np.ones_like(angles_rad), np.cos(angles_rad), np.sin(angles_rad)], 1)


def without_harmonics(values: Floats, angles_rad: Floats, used: Mask | None = None) -> tuple[Floats, Floats]:
    """Take the constant, the cosine and the sine out of values.

    Parameters
    ----------
    values, angles_rad : (A,) ndarray
        One value for each angle.
    used : (A,) ndarray of bool, optional
        Those to fit; all by default. Taken out of all.

    Returns
    -------
    (A,) ndarray
        What is left.
    (3,) ndarray
        The factors of 1, cosine and sine.
    """
    basis = harmonics(angles_rad)
    weight = np.ones(len(values)) if used is None else np.asarray(used, float)
    factors = np.linalg.lstsq(basis * weight[:, None], values * weight, rcond=None)[0]
    return values - basis @ factors, factors


def fix_gauge(shifts: Floats, angles_rad: Floats, used: Mask | None = None) -> tuple[Floats, float]:
    """Bring shifts to the convention.

    Parameters
    ----------
    shifts : (A, 2) ndarray
        (y, x) of each frame.
    angles_rad : (A,) ndarray
        Angles.
    used : (A,) ndarray of bool, optional
        Frames that count; all by default.

    Returns
    -------
    (A, 2) ndarray
        The same shifts for another place of the body.
    float
        The constant that was taken out of x: the place of the axis, where the x shifts were places.

    Examples
    --------
    >>> angles = np.radians(np.arange(0, 180, 5.0))
    >>> shifts = np.stack([np.full(36, 2.0), 3 + np.cos(angles)], 1)
    >>> fixed, constant = fix_gauge(shifts, angles)
    >>> bool(np.allclose(fixed, 0)), round(constant, 6)
    (True, 3.0)
    """
    weight = np.ones(len(shifts)) if used is None else np.asarray(used, float)
    left, factors = without_harmonics(shifts[:, 1], angles_rad, used)
    y = shifts[:, 0] - np.average(shifts[:, 0], weights=weight)
    return np.stack([y, left], 1), float(factors[0])


def rms_without_gauge(
    shifts: Floats, truth: Floats, angles_rad: Floats, used: Mask | None = None
) -> tuple[float, float]:
    """Return the root mean square error of shifts along y and x, what cannot be known taken out.

    Parameters
    ----------
    shifts, truth : (A, 2) ndarray
        Found and true.
    angles_rad : (A,) ndarray
        Angles.
    used : (A,) ndarray of bool, optional
        Frames that count; all by default.

    Returns
    -------
    (float, float)
        In the unit of the shifts.
    """
    error, _ = fix_gauge(shifts - truth, angles_rad, used)
    counted = error if used is None else error[np.asarray(used, bool)]
    y, x = np.sqrt((counted**2).mean(0))
    return float(y), float(x)
