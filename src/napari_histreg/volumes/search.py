"""From all poses to the best one: sweep, climb from many starts, leap between summits, refine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_histreg.errors import NotConverged
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.volumes.body import Body, body_of
from napari_histreg.volumes.climbing import Freedom, VolumeClimb, climb_volumes
from napari_histreg.volumes.pose import VolumePose
from napari_histreg.volumes.pose_sweep import Candidate, distinct, sweep_poses
from napari_histreg.volumes.volume import Volume

__all__ = ["SIZES_MM", "Found", "head_scale", "search_pose"]

SIZES_MM = (12.0, 8.0, 4.0, 2.0)
"""Side of the cubes for the sweep, the climbs, the refinement and the last climb, for a head."""

HEAD_MM = 180.0
STARTS = 24
APART = 2.5
"""Poses that lie so many cubes apart, at the size before the last, are clearly different."""
LEAP_DEG, SHORT_LEAP_DEG = 8.0, 3.0


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found.

    Parameters
    ----------
    pose : VolumePose
        The best one.
    summits : tuple of Candidate
        The best at the size before the last, best first; others than the first are rivals.
    fixed, moving : Body
        The volumes at that size.
    """

    pose: VolumePose
    summits: tuple[Candidate, ...]
    fixed: Body
    moving: Body


def search_pose(
    fixed: Volume,
    moving: Volume,
    *,
    freedom: Freedom = "rigid",
    initial: VolumePose | None = None,
    search_deg: float = 45.0,
    seed: int = 0,
    progress: Progress = silent,
) -> Found:
    """Search for the pose of greatest mutual information.

    Parameters
    ----------
    fixed, moving : Volume
    freedom : {"rigid", "affine"}
        What the last climbs may change; the search itself is rigid.
    initial : VolumePose, optional
        Where to begin; all poses are tried by default.
    search_deg : float
        Turns about each axis tried to either side.
    seed : int
        Of the samples.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    Found

    Raises
    ------
    NotConverged
        The volumes overlap too little everywhere.
    """
    scale = head_scale(fixed)
    sweep, coarse, fine, finest = (size * scale for size in SIZES_MM)
    # Below the voxels' own size there is nothing to see.
    voxel = min(*fixed.spacing_mm, *moving.spacing_mm)
    fine, finest = max(fine, voxel), max(finest, voxel)
    a, b = body_of(fixed, coarse), body_of(moving, coarse)
    if initial is None:
        swept = sweep_poses(
            body_of(fixed, sweep),
            body_of(moving, sweep),
            search_deg=search_deg,
            progress=portion(progress, 0, 0.3),
        )
        starts = [c.pose for c in distinct(swept, a.points_mm, sweep, STARTS)]
    else:
        starts = [initial]
    how = VolumeClimb(iterations=60, step_mm=coarse / 2, seed=seed)
    summits = _climbed(a, b, starts, how, portion(progress, 0.3, 0.4))
    for k, wide in enumerate((True, False)):
        bases = distinct(summits, a.points_mm, 0.6 * coarse, 2 if wide else 1)
        leaps = [leap for base in bases for leap in _leaps(a, base.pose, LEAP_DEG)]
        part = portion(progress, 0.4 + 0.1 * k, 0.5 + 0.1 * k)
        summits = sorted([*summits, *_climbed(a, b, leaps, how, part)], key=_worst_last)
    points = a.points_mm
    a, b = body_of(fixed, fine), body_of(moving, fine)
    how = VolumeClimb(iterations=80, step_mm=fine / 4, seed=seed)
    near = distinct(summits, points, 0.75 * coarse, 3)
    # The first is the best; the others lie clearly elsewhere, and the verdict asks how good they are.
    far = distinct(summits, points, APART * fine, 4)[1:]
    starts = [c.pose for c in (*near, *far)]
    refined = _climbed(a, b, starts, how, portion(progress, 0.6, 0.75))
    leaps = _leaps(a, refined[0].pose, SHORT_LEAP_DEG)
    refined = sorted([*refined, *_climbed(a, b, leaps, how, portion(progress, 0.75, 0.9))], key=_worst_last)
    last = VolumeClimb(freedom, iterations=100, step_mm=finest / 4, seed=seed, sampling=0.3)
    pose = refined[0].pose
    if freedom == "affine":
        pose = climb_volumes(a, b, pose, replace(how, freedom=freedom, iterations=300, relaxation=0.85))[1]
        last = replace(last, iterations=200, relaxation=0.85)
    pose = climb_volumes(
        body_of(fixed, finest), body_of(moving, finest), pose, last, progress=portion(progress, 0.9, 1.0)
    )[1]
    return Found(pose, tuple(refined), a, b)


def head_scale(volume: Volume) -> float:
    """Return how much larger or smaller than a head the body is: a mouse wants finer cubes."""
    body = body_of(volume, max(volume.spacing_mm) * max(1.0, max(volume.shape) / 64))
    extent = float((body.points_mm.max(axis=0) - body.points_mm.min(axis=0)).max())
    return min(max(extent / HEAD_MM, 1e-3), 2.0)


def _climbed(
    a: Body, b: Body, starts: Sequence[VolumePose], how: VolumeClimb, progress: Progress
) -> list[Candidate]:
    """Climb from several starts; best first. Those that find no overlap are passed over."""
    found: list[Candidate] = []
    failure: NotConverged | None = None
    for k, start in enumerate(starts):
        try:
            value, pose = climb_volumes(
                a, b, start, how, progress=portion(progress, k / len(starts), (k + 1) / len(starts))
            )
            found.append(Candidate(pose, -value))
        except NotConverged as error:
            failure = error
    if not found:
        raise failure or NotConverged("The two volumes share too little to be compared at any pose.")
    return sorted(found, key=_worst_last)


def _leaps(fixed: Body, pose: VolumePose, angle_deg: float) -> list[VolumePose]:
    """Turn a pose a little about each axis, both ways: neighbouring summits are a few degrees away."""
    turns = np.concatenate([np.eye(3), -np.eye(3)]) * angle_deg
    return [VolumePose.of(angles_deg=turn, centre_mm=fixed.centre_mm).then(pose) for turn in turns]


def _worst_last(candidate: Candidate) -> float:
    return -candidate.information
