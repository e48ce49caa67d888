"""Keep the shape of a stack: take the smooth trend out of the places that were found.

Sections aligned to their neighbours straighten whatever is curved, and small errors add up to a drift. Where
sections lie on their images as they lay in the block, both show as a smooth trend of the found places over
the sections, while what cutting and mounting did changes from one section to the next.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from napari_histreg.errors import RegistrationError
from napari_histreg.geometry import FloatArray
from napari_histreg.groups.evidence import grid_over
from napari_histreg.records.record import SlideRecord
from napari_histreg.transforms import Affine

__all__ = ["smooth_trend", "without_trend"]


def smooth_trend(places: FloatArray, values: FloatArray, sections: float) -> FloatArray:
    """Smooth values over sections by local lines, weighted by a Gaussian.

    Parameters
    ----------
    places : (N,) ndarray
        Where the sections lie, in sections.
    values : (N, K) ndarray
        What is smoothed.
    sections : float
        Standard deviation of the Gaussian.

    Returns
    -------
    (N, K) ndarray
        A line comes out as it went in, at the ends too.

    Examples
    --------
    >>> z = np.arange(5.0)
    >>> smooth_trend(z, 2 * z[:, None], 1.5).ravel().round(6).tolist()
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    out = np.empty_like(values, float)
    for k, here in enumerate(places):
        weights = np.exp(-(((places - here) / sections) ** 2) / 2)
        design = np.stack([np.ones_like(places), places - here], 1)
        normal = design.T @ (weights[:, None] * design) + 1e-9 * np.eye(2)
        out[k] = np.linalg.solve(normal, design.T @ (weights[:, None] * values))[0]
    return out


def without_trend(
    to_frame: Mapping[int, FloatArray], slides: Sequence[SlideRecord], template: int, sections: float
) -> dict[int, FloatArray]:
    """Take the smooth trend out of transforms, so that only what jumps between sections is corrected.

    Parameters
    ----------
    to_frame : mapping of int to (3, 3) ndarray
        Slide to the template's frame.
    slides : sequence of SlideRecord
        Of the group, in order.
    template : int
        The slide that stays where it is.
    sections : float
        Over how many sections the trend is smooth, as the standard deviation of a Gaussian.

    Returns
    -------
    dict of int to (3, 3) ndarray

    Raises
    ------
    RegistrationError
        A section is mirrored or lies nearly upside down: then the images do not say how the sections lay.
    """
    order = sorted(to_frame)
    middles, numbers = [], []
    for k in order:
        found = Affine(to_frame[k])
        if found.mirrored or abs(found.angle_deg) > 90:
            raise RegistrationError(
                f"{slides[k].name} lies {'face down' if found.mirrored else 'turned over'}, so that the "
                "images do not say how the sections lay in the block. Turn it first, or do without "
                "keep_shape."
            )
        middle = grid_over(slides[k]).mean(0)
        middles.append(found(middle[None])[0])
        numbers.append([*(middles[-1] - middle), *_logarithm(found.linear).ravel()])
    trend = smooth_trend(np.array(order, float), np.array(numbers), sections)
    # Only what changes along the stack is a trend; the frame stays the template's.
    trend -= trend[order.index(template)]
    out = {}
    for k, middle, values in zip(order, middles, trend, strict=True):
        back = np.eye(3)
        back[:2, :2] = _exponential(-values[2:].reshape(2, 2))
        back[:2, 2] = middle - values[:2] - back[:2, :2] @ middle
        out[k] = np.asarray(back @ to_frame[k])
    return out


def _logarithm(linear: FloatArray) -> FloatArray:
    from scipy.linalg import logm

    return np.asarray(np.real(logm(linear)))


def _exponential(values: FloatArray) -> FloatArray:
    from scipy.linalg import expm

    return np.asarray(expm(values))
