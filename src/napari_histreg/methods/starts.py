"""Where a method that climbs from a start begins, and the two pictures laid onto one another from there."""

from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray, Frame
from napari_histreg.matching.picture import Picture
from napari_histreg.raster import Raster
from napari_histreg.transforms import Affine, MatrixTransform, Similarity, Transform, Translation, resample

__all__ = [
    "Prealigned",
    "level_spacings",
    "likely_start",
    "plain_starts",
    "prealign",
    "prealign_whole",
    "working_spacing",
]

SMALL_PX = 48
CLEARLY = 0.1


def plain_starts(fixed: Picture, moving: Picture) -> tuple[MatrixTransform, ...]:
    """Give the starts worth trying where none is known, fixed to moving.

    Both slides in one frame; the centres of the images on one another; and, where the images differ in
    size so much that their units cannot be the same, stretched onto one another.

    Examples
    --------
    >>> small = Picture(np.zeros((1, 20, 20), np.float32), Frame((20, 20), (1.0, 1.0), (0.0, 0.0)))
    >>> large = Picture(np.zeros((1, 60, 60), np.float32), Frame((60, 60), (1.0, 1.0), (0.0, 0.0)))
    >>> [start.kind for start in plain_starts(small, large)]
    ['translation', 'translation', 'similarity']
    """
    centre_fixed, centre_moving = fixed.box.mean(0), moving.box.mean(0)
    starts: list[MatrixTransform] = [Translation.identity()]
    if not np.allclose(centre_fixed, centre_moving, rtol=0, atol=0.5 * fixed.spacing):
        starts.append(Translation.of(centre_moving - centre_fixed))
    ratio = moving.extent / fixed.extent
    if not 0.8 <= ratio <= 1.25:
        matrix = np.diag([ratio, ratio, 1.0])
        matrix[:2, 2] = centre_moving - ratio * centre_fixed
        starts.append(Similarity(matrix))
    return tuple(starts)


def likely_start(fixed: Picture, moving: Picture) -> MatrixTransform:
    """Choose the plain start from which small copies of the two pictures agree best, bright or dark.

    Centre on centre, unless another one agrees clearly better.

    Examples
    --------
    >>> plane = np.zeros((1, 40, 40), np.float32)
    >>> plane[0, 10:25, 12:20] = 1
    >>> picture = Picture(plane, Frame((40, 40), (1.0, 1.0), (0.0, 0.0)))
    >>> far = Picture(plane, Frame((40, 40), (1.0, 1.0), (100.0, 0.0)))
    >>> likely_start(picture, far)
    Translation(shift=(100, 0))
    """
    starts = plain_starts(fixed, moving)
    shifts = [start for start in starts if isinstance(start, Translation)]
    # The last shift is the centred one.
    usual = shifts[-1]
    best: MatrixTransform = usual
    highest = -1.0
    for start in sorted(starts, key=lambda s: s is not usual):
        spacing = max(working_spacing(fixed, moving, start), fixed.extent / SMALL_PX)
        pair = prealign(fixed, moving, start, spacing, margin=0.0)
        both = pair.fixed.mask & pair.moving.mask
        # Little overlap correlates highly by chance.
        if both.mean() < 0.2:
            continue
        a, b = (p.channels[0][both] - p.channels[0][both].mean() for p in (pair.fixed, pair.moving))
        agreement = abs(float(a @ b)) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12)
        if agreement > highest + (CLEARLY if start is not usual else 0.0):
            best, highest = start, agreement
    return best


@dataclass(frozen=True, eq=False)
class Prealigned:
    """Two pictures in the fixed frame, on square pixels of one size.

    Parameters
    ----------
    fixed : Picture
        The fixed picture.
    moving : Picture
        The moving picture as the start shows it, on a frame that reaches beyond the fixed one.
    start : Transform
        The start, fixed to moving.
    """

    fixed: Picture
    moving: Picture
    start: Transform

    @property
    def spacing(self) -> float:
        """Size of a pixel in fixed world units."""
        return self.fixed.frame.spacing[0]

    @property
    def fixed_to_moving_px(self) -> FloatArray:
        """The (3, 3) matrix from fixed to moving pixels, (y, x, 1), that the start amounts to."""
        return np.asarray(np.linalg.inv(self.moving.frame.matrix) @ self.fixed.frame.matrix)

    def to_world(self, matrix_px: FloatArray) -> FloatArray:
        """Turn a matrix from fixed to moving pixels into one of the fixed frame, before the start."""
        return np.asarray(self.moving.frame.matrix @ matrix_px @ np.linalg.inv(self.fixed.frame.matrix))

    def to_pixels(self, matrix: FloatArray) -> FloatArray:
        """Undo `to_world`."""
        return np.asarray(np.linalg.inv(self.moving.frame.matrix) @ matrix @ self.fixed.frame.matrix)


def working_spacing(fixed: Picture, moving: Picture, start: Transform) -> float:
    """Give the finest pixel, in fixed world units, that both pictures support under a start."""
    centre = fixed.box.mean(0)[None]
    local = start.jacobian(centre)[0]
    scale = float(np.sqrt(abs(np.linalg.det(local))))
    return max(fixed.spacing, moving.spacing / max(scale, 1e-12))


def level_spacings(
    fixed: Picture,
    moving: Picture,
    start: Transform,
    *,
    levels: int = 1,
    max_side_px: int = 10**9,
    coarsest_px: int = 1,
) -> list[float]:
    """Give the pixel sizes to work at, coarsest first, each twice the next.

    Parameters
    ----------
    fixed, moving : Picture
        The pictures.
    start : Transform
        Fixed to moving.
    levels : int
        At most so many.
    max_side_px : int
        The finest shows the fixed picture with no more pixels along its longest side.
    coarsest_px : int
        The coarsest shows it with no fewer.

    Returns
    -------
    list of float
        In fixed world units; the last one is the finest.
    """
    finest = max(working_spacing(fixed, moving, start), fixed.extent / max_side_px)
    deepest = 1 + int(np.log2(max(fixed.extent / finest / coarsest_px, 1)))
    return [finest * 2.0**k for k in range(min(levels, deepest) - 1, -1, -1)]


def prealign(
    fixed: Picture, moving: Picture, start: Transform, spacing: float, *, margin: float = 0.25
) -> Prealigned:
    """Lay the moving picture onto the fixed one by a start.

    Parameters
    ----------
    fixed, moving : Picture
        The pictures.
    start : Transform
        Fixed to moving; any kind.
    spacing : float
        Size of the common pixels in fixed world units.
    margin : float
        How far the moving picture is shown beyond the fixed one, as a share of its longest side: what
        may move into view.

    Returns
    -------
    Prealigned
    """
    low, high = fixed.box.min(0), fixed.box.max(0)
    frame = _frame(low, high, spacing)
    still = fixed.sampled(frame, np.eye(3))
    around = margin * float((high - low).max())
    wide = _frame(low - around, high + around, spacing)
    return Prealigned(still, _seen(moving, start, wide), start)


def prealign_whole(fixed: Picture, moving: Picture, start: Transform, spacing: float) -> Prealigned:
    """Lay the pictures onto one another, showing all of both; see `prealign`.

    Parameters
    ----------
    fixed, moving : Picture
        The pictures.
    start : Transform
        Fixed to moving; must have an inverse.
    spacing : float
        Size of the common pixels in fixed world units.

    Returns
    -------
    Prealigned
    """
    frame = _frame(fixed.box.min(0), fixed.box.max(0), spacing)
    sides = [np.linspace(moving.box[k], moving.box[(k + 1) % 4], 9) for k in range(4)]
    seen = start.inverse()(np.concatenate(sides))
    wide = _frame(seen.min(0), seen.max(0), spacing)
    return Prealigned(fixed.sampled(frame, np.eye(3)), _seen(moving, start, wide), start)


def _frame(low: FloatArray, high: FloatArray, spacing: float) -> Frame:
    """Lay a grid of square pixels over a box."""
    rows, columns = np.maximum(np.round((high - low) / spacing), 1).astype(int)
    origin = (low + high) / 2 - (np.array([rows, columns]) - 1) / 2 * spacing
    return Frame.square((rows, columns), spacing, origin)


def _seen(moving: Picture, start: Transform, frame: Frame) -> Picture:
    """Look at a picture through any transform."""
    if isinstance(start, Affine):
        return moving.sampled(frame, start.matrix)
    raster = Raster.on(moving.frame, moving.channels[0], moving.mask)
    seen = resample(raster, start, frame)
    return Picture(seen.pixels[None], frame, seen.mask)
