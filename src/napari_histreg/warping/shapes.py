"""Points and outlines carried from one slide's pixels to another's."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.geometry import FloatArray
from napari_histreg.transforms import MatrixTransform, Projective, Transform

__all__ = ["PixelMap", "carry_outline"]

_MOST_HALVINGS = 12


@dataclass(frozen=True)
class PixelMap:
    """Maps level-0 pixels (x, y) of one slide to those of another; what files of shapes speak.

    Parameters
    ----------
    transform : Transform
        From the source slide's world to the target slide's.
    source_pixel_size, target_pixel_size : (float, float)
        Size of a level-0 pixel (y, x) in each slide's world units.
    corner : bool
        Whether (0, 0) is the corner of the first pixel, as in QuPath and GeoJSON, instead of its centre.
    source_offset_px, target_offset_px : (float, float)
        Where each slide begins (y, x) in the pixels that the coordinates count: the offset of a slide's
        bounds where they count from the file's uncropped corner, else 0.

    Examples
    --------
    >>> from napari_histreg.transforms import Similarity
    >>> twice = PixelMap(Similarity.of(scale=2.0), (1, 1), (1, 1))
    >>> twice([[0.5, 0.5]]).tolist()
    [[0.5, 0.5]]
    """

    transform: Transform
    source_pixel_size: tuple[float, float]
    target_pixel_size: tuple[float, float]
    corner: bool = True
    source_offset_px: tuple[float, float] = (0.0, 0.0)
    target_offset_px: tuple[float, float] = (0.0, 0.0)

    @property
    def keeps_lines(self) -> bool:
        """Whether straight edges stay straight."""
        return isinstance(self.transform, MatrixTransform)

    @property
    def keeps_axes(self) -> bool:
        """Whether edges along x or y stay along x or y, so that boxes and upright ellipses stay such."""
        if not self.keeps_lines or isinstance(self.transform, Projective):
            return False
        matrix = np.abs(self.transform.jacobian([[0.0, 0.0]])[0])
        small = 1e-9 * matrix.max()
        return bool(max(matrix[0, 1], matrix[1, 0]) < small or max(matrix[0, 0], matrix[1, 1]) < small)

    def __call__(self, points_xy: ArrayLike) -> FloatArray:
        """Map (N, 2) points (x, y) in level-0 pixels; returns (N, 2) float64."""
        half = 0.5 if self.corner else 0.0
        source = np.asarray(points_xy, float)[:, ::-1] - half - self.source_offset_px
        mapped = self.transform(source * self.source_pixel_size) / self.target_pixel_size
        return np.asarray((mapped + half + self.target_offset_px)[:, ::-1])


def carry_outline(points_xy: ArrayLike, pixel_map: PixelMap, *, tolerance_px: float = 0.25) -> FloatArray:
    """Map an outline or line; where the map bends an edge, points are put in until it follows.

    Parameters
    ----------
    points_xy : (N, 2) array_like
        Corners (x, y) in order; a closed outline repeats its first point at the end.
    pixel_map : PixelMap
        The map.
    tolerance_px : float
        How far an edge may lie from the bent one, in target pixels.

    Returns
    -------
    (M, 2) ndarray of float64
        M >= N; the given corners are among them.

    Examples
    --------
    >>> from napari_histreg.transforms import Translation
    >>> shift = PixelMap(Translation.of((1, 2)), (1, 1), (1, 1))
    >>> carry_outline([[0, 0], [10, 0]], shift).tolist()
    [[2.0, 1.0], [12.0, 1.0]]
    """
    source = np.asarray(points_xy, float)
    target = pixel_map(source)
    if pixel_map.keeps_lines:
        return target
    # Three places along an edge: a bend like an S passes through the middle.
    shares = np.array([0.25, 0.5, 0.75])[:, None, None]
    open_edges = np.ones(len(source) - 1, bool)
    for _ in range(_MOST_HALVINGS):
        which = np.flatnonzero(open_edges)
        if not len(which):
            break
        between = source[which] + shares * (source[which + 1] - source[which])
        chord = target[which] + shares * (target[which + 1] - target[which])
        bent = pixel_map(between.reshape(-1, 2)).reshape(between.shape)
        off = np.linalg.norm(bent - chord, axis=2).max(axis=0)
        split = which[off > tolerance_px]
        middle = off > tolerance_px
        source = np.insert(source, split + 1, between[1][middle], axis=0)
        target = np.insert(target, split + 1, bent[1][middle], axis=0)
        halves = np.zeros(len(source) - 1, bool)
        first = split + np.arange(len(split))
        halves[first] = halves[first + 1] = True
        open_edges = halves
    return target
