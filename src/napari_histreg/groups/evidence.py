"""What a link says: corresponding points of its two slides."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray, grid_points
from napari_histreg.groups.group import Link
from napari_histreg.records.record import SlideRecord

__all__ = ["Evidence", "evidence_of", "grid_over"]

GRID = 6
GRID_SHARE = 0.3
"""Share of the weight that points spread over the overlap have beside the blocks that carried the alignment:
an affine map is then determined even where the blocks lie on one line."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Corresponding points of two slides.

    Parameters
    ----------
    fixed, moving : int
        Places of the slides in the group.
    fixed_points, moving_points : (N, 2) ndarray
        Points (y, x) that show the same tissue, world units of their slides.
    weights : (N,) ndarray
        How much each counts; they add up to 1.
    """

    fixed: int
    moving: int
    fixed_points: FloatArray
    moving_points: FloatArray
    weights: FloatArray


def grid_over(slide: SlideRecord, count: int = GRID) -> FloatArray:
    """Spread (count², 2) points over a slide, world units, a twentieth short of its edges.

    Examples
    --------
    >>> record = SlideRecord("s", None, (100, 200), None, ("grey",), "")
    >>> grid_over(record, 2).tolist()
    [[5.0, 10.0], [5.0, 190.0], [95.0, 10.0], [95.0, 190.0]]
    """
    height, width = np.array(slide.shape) * slide.world_pixel_size
    share = np.linspace(0.05, 0.95, count)
    return grid_points(share * height, share * width).reshape(-1, 2)


def evidence_of(link: Link, slides: Sequence[SlideRecord]) -> Evidence | None:
    """Turn a link into corresponding points.

    The points lie where blocks carried the alignment, and thinly over the rest of the overlap. Where they are
    found in the moving slide says the pair's transform, which was refined at finer levels than the blocks.
    Landmarks that a person placed are taken as they are.

    Parameters
    ----------
    link : Link
        With a transform.
    slides : sequence of SlideRecord
        Of the group.

    Returns
    -------
    Evidence or None
        None where the two slides do not overlap.
    """
    transform, landmarks = link.outcome.fixed_to_moving, link.outcome.landmarks
    if transform is None:
        return None
    if link.by_hand and landmarks is not None:
        pairs = landmarks.active()
        even = np.full(len(pairs), 1 / max(len(pairs), 1))
        return Evidence(*link.ends, pairs.fixed, pairs.moving, even) if len(pairs) else None
    grid = grid_over(slides[link.fixed])
    there = transform(grid)
    size = np.array(slides[link.moving].shape) * slides[link.moving].world_pixel_size
    grid = grid[((there >= 0) & (there <= size)).all(1)]
    blocks = np.zeros((0, 2))
    if landmarks is not None and len(landmarks.active()) >= 3:
        blocks = landmarks.active().fixed
    if not len(grid) and not len(blocks):
        return None
    share = 1.0 if not len(blocks) else GRID_SHARE if len(grid) else 0.0
    thin = np.full(len(grid), share / max(len(grid), 1))
    thick = np.full(len(blocks), (1 - share) / max(len(blocks), 1))
    points = np.concatenate([blocks, grid])
    return Evidence(*link.ends, points, transform(points), np.concatenate([thick, thin]))
