"""Transforms that keep shapes: translation, rigid and similarity."""

import math
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.matrix import KIND_TOLERANCE, MIRROR, Affine

__all__ = ["Rigid", "Similarity", "Translation"]


class Translation(Affine):
    """A shift.

    Parameters
    ----------
    matrix : (3, 3) array_like of float64
        The identity but for its last column.

    Examples
    --------
    >>> Translation.of((3, -1))([[0, 0], [1, 1]]).tolist()
    [[3.0, -1.0], [4.0, 0.0]]
    """

    kind = "translation"
    rank = 0
    told = ()

    @classmethod
    def of(cls, shift: ArrayLike) -> Self:
        """Return the shift by (y, x) in world units."""
        return cls(compose(np.eye(2), shift, (0, 0)))

    def _checked(self, matrix: FloatArray) -> FloatArray:
        matrix = super()._checked(matrix)
        if not np.allclose(matrix[:2, :2], np.eye(2), rtol=0, atol=KIND_TOLERANCE):
            raise ValueError(f"Not a translation: its matrix turns or scales, {matrix[:2, :2].tolist()}.")
        matrix[:2, :2] = np.eye(2)
        return matrix


class Rigid(Affine):
    """A turn and a shift, perhaps mirrored; lengths are kept.

    Parameters
    ----------
    matrix : (3, 3) array_like of float64
        A rotation, with or without a mirror, and a shift.

    Examples
    --------
    >>> Rigid.of(angle_deg=180, centre=(1, 1))([[0, 0]]).tolist()
    [[2.0, 2.0]]
    """

    kind = "rigid"
    rank = 1
    told = ("angle_deg",)

    @classmethod
    def of(
        cls,
        *,
        angle_deg: float = 0.0,
        translation: ArrayLike = (0.0, 0.0),
        centre: ArrayLike = (0.0, 0.0),
        mirrored: bool = False,
    ) -> Self:
        """Return the rigid map made of these parts; see `Similarity.of`."""
        linear = turn(angle_deg) @ (MIRROR if mirrored else np.eye(2))
        return cls(compose(linear, translation, centre))

    def _checked(self, matrix: FloatArray) -> FloatArray:
        matrix = super()._checked(matrix)
        linear = matrix[:2, :2]
        if not np.allclose(linear.T @ linear, np.eye(2), rtol=0, atol=KIND_TOLERANCE):
            raise ValueError(f"Not a rigid transform: its matrix changes lengths, {linear.tolist()}.")
        return matrix


class Similarity(Affine):
    """A turn, one scale and a shift; perhaps mirrored.

    Parameters
    ----------
    matrix : (3, 3) array_like of float64
        A turn times one scale, with or without a mirror, and a shift.

    Examples
    --------
    >>> similarity = Similarity.of(scale=2, angle_deg=90, translation=(0, 10))
    >>> similarity([[0, 1]]).round(12).tolist()
    [[-2.0, 10.0]]
    >>> similarity
    Similarity(scale=2, angle_deg=90, shift=(0, 10))
    """

    kind = "similarity"
    rank = 2

    @classmethod
    def of(
        cls,
        *,
        scale: float = 1.0,
        angle_deg: float = 0.0,
        mirrored: bool = False,
        translation: ArrayLike = (0.0, 0.0),
        centre: ArrayLike = (0.0, 0.0),
    ) -> Self:
        """Return the similarity made of these parts.

        Parameters
        ----------
        scale : float
            Factor on lengths, above 0.
        angle_deg : float
            Turn in degrees, counter-clockwise on screen (y down).
        mirrored : bool
            Exchange left and right (x becomes -x, about the centre) before turning.
        translation : (float, float)
            Shift (y, x) in world units, applied last.
        centre : (float, float)
            The point (y, x) about which to mirror, scale and turn.
        """
        if not scale > 0:
            raise ValueError(f"The scale of a similarity must be above 0, not {scale}.")
        linear = scale * turn(angle_deg) @ (MIRROR if mirrored else np.eye(2))
        return cls(compose(linear, translation, centre))

    def _checked(self, matrix: FloatArray) -> FloatArray:
        matrix = super()._checked(matrix)
        linear = matrix[:2, :2]
        square = abs(float(np.linalg.det(linear)))
        if not square > 0 or not np.allclose(
            linear.T @ linear / square, np.eye(2), rtol=0, atol=KIND_TOLERANCE
        ):
            raise ValueError(
                f"Not a similarity: its matrix stretches directions differently, {linear.tolist()}."
            )
        return matrix


def turn(angle_deg: float) -> FloatArray:
    """Return the (2, 2) matrix on (y, x) that turns counter-clockwise on screen, y pointing down."""
    # Quarter turns come out exact, so that a mirror or a half turn of a slide moves no pixel by rounding.
    exact = {0.0: (1.0, 0.0), 90.0: (0.0, 1.0), 180.0: (-1.0, 0.0), 270.0: (0.0, -1.0)}
    angle = math.radians(angle_deg)
    c, s = exact.get(float(angle_deg) % 360.0, (math.cos(angle), math.sin(angle)))
    return np.array([[c, -s], [s, c]])


def compose(linear: FloatArray, translation: ArrayLike, centre: ArrayLike) -> FloatArray:
    """Return the (3, 3) matrix of ``linear @ (p - centre) + centre + translation``."""
    centre_yx = np.asarray(centre, float)
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre_yx - linear @ centre_yx + np.asarray(translation, float)
    return matrix
