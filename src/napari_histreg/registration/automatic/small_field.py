"""A small field in a whole slide: searched for at the resolution at which the field shows its structure.

An overview of the whole slide leaves a few pixels of such a field. So the slide is gone through in
overlapping windows, each some times as large as the field; the poses that stand out most of all windows are
refined at a finer resolution, and the best of them is judged against all others, by blocks that took no part,
with what chance reaches in so many windows taken off.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.picture import Picture, corners
from napari_histreg.matching.pose_search import Grid, search_poses
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.registration.automatic.attempts import Attempt, Finding, by_starts, is_sure, polish
from napari_histreg.registration.automatic.hypotheses import (
    APART,
    MOST_WORKERS,
    Hypothesis,
    best_rival,
    inner_points,
    refine_all,
)
from napari_histreg.registration.automatic.tiles import Side, read_picture
from napari_histreg.registration.automatic.verdict import Verdict, decide, measure, with_margin
from napari_histreg.threads import thread_count

__all__ = ["SmallField", "small_field"]

LEAST_RATIO = 4.0
"""From this ratio of the two extents on, a search on overviews would see too little of the field."""

QUICK = Grid(side=48, step_deg=7.5, step_scale=0.06, moving_side=64.0)
THOROUGH = Grid(side=64, step_deg=6.0, step_scale=0.06, moving_side=64.0)
"""The field's extent in pixels while windows are searched, and the steps that this asks for."""

NARROW = 1.06
"""Scales that the quick search looks at, either way: a section swells and shrinks by a few percent."""

WINDOW = 8.0
"""Side of a window in extents of the field; they overlap by the field's diagonal."""

KEPT_OF_WINDOW, KEPT = 6, 40
"""Distinct poses of a window that go on, and of all windows together that are refined."""

REFINED_SIDE, JUDGED_SIDE = 256, 640
"""The field's extent in pixels while poses are refined, and while the best is judged."""

AROUND = 1.5
"""How much of the slide round a pose is looked at, in extents of the field."""

LEAST_STRUCTURE = 0.02
"""Windows whose mean variation is less than this share of the strongest window's are glass."""

NAME = "small field"


@dataclass(frozen=True, eq=False)
class SmallField:
    """A field of view and the much larger slide in which it is to be found; pixel sizes are known.

    Parameters
    ----------
    field, slide : Side
        The small one and the large one.
    field_is_fixed : bool
        Whether the small one is the fixed slide.
    scales : (float, float)
        Least and largest scale, world units of the large slide per unit of the field.
    mirror : bool
        Whether the field may be mirrored.
    """

    field: Side
    slide: Side
    field_is_fixed: bool
    scales: tuple[float, float]
    mirror: bool = True

    def find(
        self,
        starts: Sequence[FloatArray] = (),
        *,
        progress: Progress = silent,
        note: Callable[[str, dict[str, float], Verdict | None], None],
    ) -> Finding | None:
        """Search all windows, refine what stands out, and judge the best.

        Parameters
        ----------
        starts : sequence of (3, 3) ndarray
            Poses that the user gave, fixed to moving, which are refined and judged with the others.
        progress : Progress, optional
            Told after each window; may raise `Cancelled`.
        note : callable
            Told the name, the figures and the verdict, for the record.

        Returns
        -------
        Finding or None
            None where no window proposes a pose.
        """
        windows = self.windows()
        poses = [m if self.field_is_fixed else np.asarray(np.linalg.inv(m), float) for m in starts]
        refined: list[Hypothesis] = []
        finding: Finding | None = None
        narrow = max(self.scales[0], 1 / NARROW), min(self.scales[1], NARROW)
        efforts = (NAME, QUICK, narrow), (f"{NAME}, thorough", THOROUGH, self.scales)
        for k, (name, grid, scales) in enumerate(efforts):
            part = portion(progress, k / 2, (k + 1) / 2)
            poses += self._shortlist(windows, grid, scales, portion(part, 0.0, 0.7))
            refined += self._refined(poses, portion(part, 0.7, 0.95))
            part(0.95, "judging the best place")
            finding = self._judged(refined, len(windows) * (k + 1))
            figures = {"windows": float(len(windows)), "poses": float(len(poses))}
            note(name, figures, finding.verdict if finding else None)
            if is_sure(finding):
                break
            poses = []
        return finding

    def _judged(self, refined: Sequence[Hypothesis], places: int) -> Finding | None:
        """Judge the pose that stands out most against all others; None where none does."""
        leader = max(refined, key=lambda hypothesis: hypothesis.z, default=None)
        crop = self._crop(leader.matrix, JUDGED_SIDE) if leader is not None and leader.z > 0 else None
        if leader is None or crop is None:
            return None
        field = self.field.overview.picture
        field = field.reduced(field.extent / JUDGED_SIDE)
        matrix = polish(field, crop, leader.matrix)
        measures = measure(field, crop, matrix, start=leader.start).among(places)
        return self._finding(matrix, crop, decide(with_margin(measures, best_rival(field, matrix, refined))))

    def windows(self) -> list[FloatArray]:
        """Lay overlapping windows over what the large slide shows, (4, 2) corners each; none on glass."""
        extent, picture = self.field.overview.picture.extent * self.scales[1], self.slide.overview.picture
        low, high = picture.box.min(0), picture.box.max(0)
        overlap = np.sqrt(2) * extent
        counts = np.maximum(np.ceil((high - low - overlap) / (WINDOW * extent - overlap)), 1).astype(int)
        step = (high - low - overlap) / counts
        side = step + overlap
        corner = [low[k] + step[k] * np.arange(counts[k]) for k in range(2)]
        found, structure = [], []
        for y in corner[0]:
            for x in corner[1]:
                box = np.array([y, x]) + side * np.array([[0, 0], [0, 1], [1, 1], [1, 0]])
                variation = _variation(picture, box)
                found.append(box)
                structure.append(variation)
        least = LEAST_STRUCTURE * max(structure, default=0.0)
        return [box for box, variation in zip(found, structure, strict=True) if variation > least]

    def _shortlist(
        self, windows: Sequence[FloatArray], grid: Grid, scales: tuple[float, float], progress: Progress
    ) -> list[FloatArray]:
        """Search each window and return the distinct poses that stand out most, field to slide."""
        field = self.field.overview.picture
        tried = grid.scales(*scales)
        inner, apart = inner_points(field), APART * field.extent * self.scales[0]
        found: list[tuple[float, FloatArray]] = []
        for k, box in enumerate(windows):
            progress(k / len(windows), f"searching window {k + 1} of {len(windows)}")
            window = read_picture(self.slide, box, field.extent / grid.side * tried[0])
            if window is None:
                continue
            poses = search_poses(
                field, window, tried, grid=grid, mirror=self.mirror, workers=thread_count(MOST_WORKERS)
            )
            order = np.argsort(-poses.z, kind="stable")[: 20 * KEPT_OF_WINDOW]
            best = [(float(poses.z[j]), poses.matrices[j]) for j in order]
            found += _distinct(best, inner, apart, KEPT_OF_WINDOW)
        return [matrix for _, matrix in _distinct(found, inner, apart, KEPT)]

    def _refined(self, poses: Sequence[FloatArray], progress: Progress) -> list[Hypothesis]:
        """Refine each pose by blocks, on what the slide shows round it."""
        picture = self.field.overview.picture
        field = picture.reduced(picture.extent / REFINED_SIDE)
        out: list[Hypothesis] = []
        for k, pose in enumerate(poses):
            progress(k / len(poses), "refining places")
            crop = self._crop(pose, REFINED_SIDE)
            if crop is not None:
                out += refine_all(field, crop, [pose], NAME)
        return out

    def _crop(self, pose: FloatArray, side: int) -> Picture | None:
        """Read what the large slide shows round a pose."""
        field = self.field.overview.picture
        middle = field.box.mean(0)
        box = corners(middle + AROUND * (field.box - middle), pose)
        scale = float(np.sqrt(abs(np.linalg.det(pose[:2, :2]))))
        return read_picture(self.slide, box, max(field.spacing, field.extent / side) * scale)

    def _finding(self, matrix: FloatArray, crop: Picture, verdict: Verdict) -> Finding:
        focused = replace(self.slide.overview, picture=crop)
        overviews = (self.field.overview, focused)
        if not self.field_is_fixed:
            matrix, overviews = np.asarray(np.linalg.inv(matrix)), overviews[::-1]
        pictures = overviews[0].picture, overviews[1].picture
        attempt = Attempt(NAME, by_starts([matrix]), pictures, overviews=overviews)
        return Finding(matrix, verdict, attempt)


def small_field(
    sides: tuple[Side, Side], scales: tuple[float, float], *, mirror: bool = True
) -> SmallField | None:
    """Tell whether one slide is a small field of the other; None where it is not, or sizes are unknown.

    Parameters
    ----------
    sides : (Side, Side)
        Fixed and moving.
    scales : (float, float)
        Least and largest scale, moving world units per fixed one.
    mirror : bool
        Whether mirrored poses are tried.
    """
    fixed, moving = (side.overview for side in sides)
    if not fixed.knows_size or not moving.knows_size:
        return None
    if moving.picture.extent > LEAST_RATIO * fixed.picture.extent:
        return SmallField(sides[0], sides[1], True, scales, mirror)
    if fixed.picture.extent > LEAST_RATIO * moving.picture.extent:
        return SmallField(sides[1], sides[0], False, (1 / scales[1], 1 / scales[0]), mirror)
    return None


def _variation(picture: Picture, box: FloatArray) -> float:
    """Return by how much a picture's channels vary within a box."""
    frame = picture.frame
    low = np.floor((box.min(0) - frame.origin) / frame.spacing).astype(int)
    high = np.ceil((box.max(0) - frame.origin) / frame.spacing).astype(int) + 1
    rows, columns = (slice(max(int(low[k]), 0), max(int(high[k]), 0)) for k in range(2))
    mask = picture.mask[rows, columns]
    if not mask.any():
        return 0.0
    return float(sum(channel[rows, columns][mask].std() for channel in picture.channels))


def _distinct(
    scored: Sequence[tuple[float, FloatArray]], inner: FloatArray, apart: float, count: int
) -> list[tuple[float, FloatArray]]:
    """Choose the best poses that put the field to clearly different places, best first."""
    chosen: list[tuple[float, FloatArray]] = []
    seen: list[FloatArray] = []
    for z, matrix in sorted(scored, key=lambda pair: -pair[0]):
        points = corners(inner, matrix)
        if all(np.linalg.norm(points - other, axis=1).mean() > apart for other in seen):
            chosen.append((z, matrix))
            seen.append(points)
            if len(chosen) == count:
                break
    return chosen
