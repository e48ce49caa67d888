"""The frame of a group: the template that the least tissue has to move for, or the mean shape."""

from collections.abc import Mapping, Sequence

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.groups.evidence import grid_over
from napari_histreg.records.record import SlideRecord
from napari_histreg.transforms import Affine

__all__ = ["least_displaced", "mean_shape", "middle_section"]


def middle_section(placed: Sequence[int]) -> int:
    """Return the section in the middle of those that have a place: errors grow with the distance from it."""
    return sorted(placed)[len(placed) // 2]


def least_displaced(to_frame: Mapping[int, FloatArray], slides: Sequence[SlideRecord]) -> int:
    """Return the slide onto which all others together have to be moved least.

    What counts is how far points of the tissue travel as it is turned, mirrored and bent, as a share of the
    slide; where a slide lies on its glass and how large its pixels are does not.

    Parameters
    ----------
    to_frame : mapping of int to (3, 3) ndarray
        Slide to a common frame.
    slides : sequence of SlideRecord
        Of the group.

    Examples
    --------
    >>> record = SlideRecord("s", None, (100, 100), None, ("grey",), "")
    >>> upright, turned = np.eye(3), np.diag([-1.0, -1.0, 1.0])
    >>> least_displaced({0: turned, 1: upright, 2: upright}, [record] * 3)
    1
    """

    def displacement(template: int) -> float:
        points = grid_over(slides[template])
        still = points - points.mean(0)
        total = 0.0
        for other, matrix in to_frame.items():
            linear = (np.linalg.inv(matrix) @ to_frame[template])[:2, :2]
            scale = np.sqrt(abs(np.linalg.det(linear)))
            away = still @ (linear / scale).T - still
            total += float(np.sqrt((away**2).sum(1).mean())) if other != template else 0.0
        return total / float(np.ptp(points, axis=0).max())

    # Where it makes no difference, the first slide named is it.
    return min(sorted(to_frame), key=lambda k: round(displacement(k), 6))


def mean_shape(
    to_frame: Mapping[int, FloatArray], slides: Sequence[SlideRecord], template: int
) -> dict[int, FloatArray]:
    """Put transforms into the frame of the slides' mean shape.

    Each slide's stretch against the template is the symmetric part of the polar decomposition; the frame is
    stretched by the mean of their logarithms, about the template's middle, so that the stretches from it to
    the slides cancel out. It keeps the template's orientation and units.

    Parameters
    ----------
    to_frame : mapping of int to (3, 3) ndarray
        Slide to the template's frame.
    slides : sequence of SlideRecord
        Of the group; those whose unit is not the template's have no say.
    template : int
        The slide that gives orientation and units.

    Returns
    -------
    dict of int to (3, 3) ndarray
        Slide to the new frame.

    Examples
    --------
    >>> record = SlideRecord("s", None, (101, 101), None, ("grey",), "")
    >>> found = mean_shape({0: np.eye(3), 1: np.diag([1 / 4, 1.0, 1.0])}, [record] * 2, 0)
    >>> [found[k][0, 0].round(6).item() for k in (0, 1)]
    [2.0, 0.5]
    """
    found = {k: np.asarray(matrix, float) for k, matrix in to_frame.items()}
    # Stretches along different axes do not simply add up: a few rounds make them cancel out.
    for _ in range(10):
        logarithms = []
        for k, matrix in found.items():
            if slides[k].unit == slides[template].unit:
                linear = np.linalg.inv(matrix)[:2, :2]
                values, vectors = np.linalg.eigh(linear.T @ linear)
                logarithms.append((vectors * np.log(values) / 2) @ vectors.T)
        values, vectors = np.linalg.eigh(np.mean(logarithms, axis=0))
        stretch = np.eye(3)
        stretch[:2, :2] = (vectors * np.exp(values)) @ vectors.T
        middle = Affine(found[template])(grid_over(slides[template])).mean(0)
        stretch[:2, 2] = middle - stretch[:2, :2] @ middle
        found = {k: np.asarray(stretch @ matrix) for k, matrix in found.items()}
    return found
