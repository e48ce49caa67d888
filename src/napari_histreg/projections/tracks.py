"""Feature tracks: distinct points followed over the angles, each on a sinusoid of its own."""

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from napari_histreg.errors import NotEnoughMatches
from napari_histreg.progress import Progress, silent
from napari_histreg.projections.arrays import Floats, Views
from napari_histreg.projections.gauge import fix_gauge
from napari_histreg.projections.method import ProjectionMethod, ShiftEstimate
from napari_histreg.projections.work import WorkStack

__all__ = ["FeatureTracks"]

RATIO = 0.8
FEWEST_TRACKS = 8
BUNDLE_ROUNDS = 12
LOOK_BACK = 3
MOST_SEEN = 0.8


class FeatureTracks(ProjectionMethod):
    """Follow SIFT points from view to view and adjust all tracks and shifts together [1]_, [2]_.

    A point of the body runs on ``x = axis + a cos + b sin`` and keeps its height: with the shifts of all
    views that is one linear system, solved again and again with false matches counting less.

    References
    ----------
    .. [1] D. G. Lowe, Distinctive image features from scale-invariant keypoints, IJCV 60(2), 2004.
       doi:10.1023/B:VISI.0000029664.99615.94
    .. [2] C. O. S. Sorzano et al., Marker-free image registration of electron tomography tilt-series, BMC
       Bioinformatics 10, 124, 2009. doi:10.1186/1471-2105-10-124
    """

    name: ClassVar[str] = "features"
    shortest: int = Field(
        5, title="Shortest track", description="Views that a point must be seen in.", ge=3, le=50
    )
    points: int = Field(400, title="Points", description="At most so many a view.", ge=20, le=5000)

    def estimate(self, stack: WorkStack, *, progress: Progress = silent) -> ShiftEstimate:
        """Find the shifts; see `ProjectionMethod.estimate`."""
        order = np.flatnonzero(stack.used)
        order = order[np.argsort(stack.angles_rad[order], kind="stable")]
        views, points, places = self._follow(stack, order, progress)
        seen = np.unique(views)
        if len(seen) < MOST_SEEN * len(order):
            raise NotEnoughMatches(
                f"Only {len(seen)} of {len(order)} views share points with their neighbours. "
                "Try the method joint."
            )
        solved, inliers = _adjusted(views, points, places, stack)
        known = np.isin(np.arange(stack.count), seen)
        shifts, _ = fix_gauge(solved, stack.angles_rad, known)
        shifts[~known] = 0
        figures = {"tracks": int(points.max()) + 1, "sightings": len(views), "inliers": inliers}
        lost = tuple(int(view) for view in np.setdiff1d(order, seen))
        return ShiftEstimate(shifts, figures=figures, lost=lost)

    def _follow(self, stack: WorkStack, order: Views, progress: Progress) -> tuple[Views, Views, Floats]:
        """Link matches of neighbouring views; returns view, track and (y, x) of every sighting."""
        import cv2

        sift = cv2.SIFT.create(nfeatures=self.points, contrastThreshold=0.01)
        low, high = np.percentile(stack.frames[stack.used], (0.5, 99.5))
        tracks: list[list[tuple[int, float, float]]] = []
        seen: list[tuple[int, Any, Any, dict[int, int]]] = []
        for k, view in enumerate(order):
            progress(k / stack.count, "following points")
            grey = np.clip((stack.frames[view] - low) / max(high - low, 1e-12) * 255, 0, 255)
            keys, words = sift.detectAndCompute(np.ascontiguousarray(grey.astype(np.uint8)), None)
            now: dict[int, int] = {}
            # A point that one view missed is taken up again from the view before that.
            for earlier, their_keys, their_words, owner in reversed(seen):
                for a, b in _matches(their_words, words):
                    if b in now:
                        continue
                    if a not in owner:
                        owner[a] = len(tracks)
                        tracks.append([_sighting(earlier, their_keys[a])])
                    elif tracks[owner[a]][-1][0] == view:
                        continue
                    tracks[owner[a]].append(_sighting(int(view), keys[b]))
                    now[b] = owner[a]
            seen = [*seen[1 - LOOK_BACK :], (int(view), keys, words, now)]
        long = [track for track in tracks if len(track) >= self.shortest]
        if len(long) < FEWEST_TRACKS:
            raise NotEnoughMatches(
                f"Only {len(long)} points could be followed over {self.shortest} views or more; "
                f"{FEWEST_TRACKS} are needed. Try the method joint."
            )
        rows = [(view, number, y, x) for number, track in enumerate(long) for view, y, x in track]
        table = np.array(rows)
        return table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2:]


def _sighting(view: int, key: Any) -> tuple[int, float, float]:
    return view, float(key.pt[1]), float(key.pt[0])


def _matches(before: Floats | None, now: Floats | None) -> list[tuple[int, int]]:
    """Return matches that are clear and hold both ways."""
    import cv2

    if before is None or now is None or len(before) < 2 or len(now) < 2:
        return []
    matcher = cv2.BFMatcher(cv2.NORM_L2)

    def clear(a: Floats, b: Floats) -> dict[int, int]:
        pairs = matcher.knnMatch(a, b, k=2)
        return {m.queryIdx: m.trainIdx for m, n in pairs if m.distance < RATIO * n.distance}

    there, back = clear(before, now), clear(now, before)
    return [(a, b) for a, b in there.items() if back.get(b) == a]


def _adjusted(views: Views, points: Views, places: Floats, stack: WorkStack) -> tuple[Floats, int]:
    """Solve for the shifts of all views and the sinusoids of all points."""
    from scipy import sparse
    from scipy.sparse.linalg import lsqr

    count, tracks, rows = stack.count, int(points.max()) + 1, np.arange(len(views))
    ones = np.ones(len(views))
    shift = sparse.csr_array((ones, (rows, views)), shape=(len(views), count))
    height = sparse.csr_array((ones, (rows, points)), shape=(len(views), tracks))
    angle = stack.angles_rad[views]
    cosine = sparse.csr_array((np.cos(angle), (rows, points)), shape=(len(views), tracks))
    sine = sparse.csr_array((np.sin(angle), (rows, points)), shape=(len(views), tracks))
    systems = (sparse.hstack([shift, height]).tocsr(), sparse.hstack([shift, cosine, sine]).tocsr())
    weight = ones.copy()
    solved = [np.zeros(system.shape[1]) for system in systems]
    for _ in range(BUNDLE_ROUNDS):
        left = np.empty_like(places)
        for k, system in enumerate(systems):
            root = np.sqrt(weight)
            scaled = sparse.diags_array(root) @ system
            solved[k] = lsqr(scaled, places[:, k] * root, damp=1e-4, x0=solved[k], iter_lim=400)[0]
            left[:, k] = places[:, k] - system @ solved[k]
        distance = np.hypot(left[:, 0], left[:, 1])
        spread = 1.4826 * float(np.median(distance)) + 1e-3
        weight = 1 / (1 + (distance / (2 * spread)) ** 2) ** 2
    shifts = np.stack([solved[0][:count], solved[1][:count]], 1)
    return shifts, int((distance < 3 * spread).sum())
