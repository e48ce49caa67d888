"""Hypotheses: poses that may be right, from wherever they come, refined and put in order."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.affine_refinement import (
    COARSE,
    RefineLevel,
    is_plausible,
    orientation_planes,
    refine_affine,
)
from napari_histreg.matching.picture import Picture, corners, overlap_frame
from napari_histreg.matching.pose_score import score_planes
from napari_histreg.matching.pose_search import Grid, Worth, search_poses
from napari_histreg.matching.poses import Poses
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.threads import thread_count

__all__ = [
    "Hypothesis",
    "are_distinct",
    "best_rival",
    "pose_z",
    "propose_by_search",
    "ranked",
    "refine_all",
    "unlike",
]

MOST_WORKERS = 8
"""Threads; more than eight would only wait for memory."""
KEPT = 12
"""Distinct poses of a search that are refined; the right one was lost below this rank in no case."""

APART = 0.12
"""Mean distance of four inner points from which poses are distinct, as a share of the fixed extent."""

ALIKE = 0.02
"""Mean distance up to which two starts lead blocks to the same place: three pixels of the refinement, whose
blocks look ten pixels far."""

RANK_SIDE = 224
"""Size in pixels at which refined poses are compared."""


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A pose that may be right.

    Parameters
    ----------
    start : (3, 3) ndarray
        As proposed: fixed to moving, affine in world units, (y, x, 1).
    matrix : (3, 3) ndarray
        As refined by blocks.
    z : float
        How far the refined pose stands out from its own shifts, in standard deviations.
    source : str
        Where it comes from, in plain words.
    """

    start: FloatArray
    matrix: FloatArray
    z: float
    source: str


def inner_points(fixed: Picture) -> FloatArray:
    """Return the four points, a quarter from the corners, by which poses are compared, (4, 2)."""
    middle = fixed.box.mean(0)
    return np.asarray(middle + (fixed.box - middle) / 2)


def are_distinct(fixed: Picture, first: FloatArray, second: FloatArray) -> bool:
    """Tell whether two poses put the fixed picture to clearly different places."""
    points = inner_points(fixed)
    scale = float(np.sqrt(abs(np.linalg.det(first[:2, :2]))))
    distance = np.linalg.norm(corners(points, first) - corners(points, second), axis=1).mean() / scale
    return bool(distance > APART * fixed.extent)


def unlike(fixed: Picture, starts: Sequence[FloatArray], known: Sequence[FloatArray]) -> list[FloatArray]:
    """Return the starts that lie next to none of the known poses."""
    points = inner_points(fixed)

    def away(first: FloatArray, second: FloatArray) -> float:
        scale = float(np.sqrt(abs(np.linalg.det(first[:2, :2]))))
        return float(np.linalg.norm(corners(points, first) - corners(points, second), axis=1).mean() / scale)

    return [s for s in starts if all(away(s, pose) > ALIKE * fixed.extent for pose in known)]


def propose_by_search(
    fixed: Picture,
    moving: Picture,
    scales: FloatArray,
    grid: Grid,
    *,
    mirror: bool = True,
    count: int = KEPT,
    worth: Worth | None = None,
    progress: Progress = silent,
) -> tuple[list[FloatArray], dict[str, float], Poses]:
    """Search rotation, mirror, scale and shift exhaustively.

    Parameters
    ----------
    fixed, moving : Picture
        The two overviews.
    scales : (S,) ndarray
        Moving world units per fixed world unit.
    grid : Grid
        How finely.
    mirror : bool
        Whether mirrored poses are searched.
    count : int
        Distinct poses to keep.
    worth : callable, optional
        Which turns of a scale are looked at; see `search_poses`.
    progress : Progress, optional
        Told of the progress.

    Returns
    -------
    starts : list of (3, 3) ndarray
        Distinct poses, best first.
    figures : dict
        Number of poses, score of the best and of the next distinct one.
    poses : Poses
        All of them.
    """
    poses = search_poses(
        fixed,
        moving,
        scales,
        grid=grid,
        mirror=mirror,
        worth=worth,
        workers=thread_count(MOST_WORKERS),
        progress=progress,
    )
    chosen = poses.distinct(count, inner_points(fixed), APART * fixed.extent)
    z = poses.z[chosen]
    figures = {"poses": float(len(poses.z)), "best z": float(z[0]), "median z": float(np.median(poses.z))}
    if len(z) > 1:
        figures["next z"] = float(z[1])
    return [poses.matrices[k] for k in chosen], figures, poses


def refine_all(
    fixed: Picture,
    moving: Picture,
    starts: Sequence[FloatArray],
    source: str,
    *,
    levels: Sequence[RefineLevel] = COARSE,
    progress: Progress = silent,
) -> list[Hypothesis]:
    """Refine poses by blocks and score each.

    Parameters
    ----------
    fixed, moving : Picture
        The two overviews.
    starts : sequence of (3, 3) ndarray
        Poses in world units.
    source : str
        Where they come from.
    levels : sequence of RefineLevel
        How far to refine.
    progress : Progress, optional
        Told after each few poses.

    Returns
    -------
    list of Hypothesis
        In the order of `starts`.
    """
    # Made once here: two threads would each make them.
    _ = fixed.reductions, moving.reductions

    def refine(start: FloatArray) -> Hypothesis:
        matrix = refine_affine(fixed, moving, start, levels)
        return Hypothesis(start, matrix, pose_z(fixed, moving, matrix), source)

    out: list[Hypothesis] = []
    workers = thread_count(MOST_WORKERS)
    with ThreadPoolExecutor(workers) as pool:
        for k in range(0, len(starts), workers):
            progress(k / len(starts), "refining hypotheses")
            out.extend(pool.map(refine, starts[k : k + workers]))
    return out


def pose_z(
    fixed: Picture, moving: Picture, fixed_to_moving: FloatArray, *, side: int = RANK_SIDE, near: int = 1
) -> float:
    """Score a pose: its correlation of orientation, in standard deviations of all other shifts.

    Parameters
    ----------
    fixed, moving : Picture
        The two overviews.
    fixed_to_moving : (3, 3) ndarray
        The pose, affine in world units.
    side : int
        Working size in pixels.
    near : int
        How many pixels of that size the pose may be off.

    Returns
    -------
    float
        0 where the overlap is too small to tell.
    """
    frame = overlap_frame(fixed, moving, fixed_to_moving, side) if is_plausible(fixed_to_moving) else None
    if frame is None or min(frame.shape) < 24:
        return 0.0
    planes = orientation_planes(fixed.sampled(frame, np.eye(3)), moving.sampled(frame, fixed_to_moving))
    return score_planes(*planes, near=near).z


def ranked(hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Put hypotheses in order, best first."""
    return sorted(hypotheses, key=lambda h: -h.z)


def best_rival(fixed: Picture, matrix: FloatArray, hypotheses: Sequence[Hypothesis]) -> float:
    """Return the score of the best hypothesis that is distinct from a pose; 0 where there is none."""
    return max((h.z for h in hypotheses if are_distinct(fixed, matrix, h.matrix)), default=0.0)


def propose_rivals(
    fixed: Picture, moving: Picture, fixed_to_moving: FloatArray, *, progress: Progress = silent
) -> list[Hypothesis]:
    """Find the best wrong poses at about a pose's scale: what chance reaches for this pair.

    Parameters
    ----------
    fixed, moving : Picture
        The two overviews.
    fixed_to_moving : (3, 3) ndarray
        The pose in question.
    progress : Progress, optional
        Told of the progress.

    Returns
    -------
    list of Hypothesis
        Refined; the pose itself may be among them.
    """
    scale = float(np.sqrt(abs(np.linalg.det(fixed_to_moving[:2, :2]))))
    grid = Grid(side=96, step_deg=5.0, step_scale=0.08)
    scales = grid.scales(scale / 1.12, scale * 1.12)
    starts, _, _ = propose_by_search(
        fixed, moving, scales, grid, count=8, progress=portion(progress, 0.0, 0.6)
    )
    return refine_all(fixed, moving, starts, "search", progress=portion(progress, 0.6, 1.0))
