"""A sweep over all poses of two volumes: turns on a grid, and every shift of each by Fourier transforms."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.joint_histogram import ShiftMap, quantised
from napari_histreg.progress import Progress, silent
from napari_histreg.volumes.body import Body, rim
from napari_histreg.volumes.pose import VolumePose, mean_distance_mm

__all__ = ["Candidate", "distinct", "sweep_poses"]

BINS = 5
PER_TURN = 3
"""Best shifts of each turn that are kept."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A pose with its normalised mutual information."""

    pose: VolumePose
    information: float


def sweep_poses(
    fixed: Body,
    moving: Body,
    *,
    search_deg: float = 45.0,
    step_deg: float = 15.0,
    progress: Progress = silent,
) -> list[Candidate]:
    """Measure the mutual information of all poses on a grid of turns, at every shift.

    Parameters
    ----------
    fixed, moving : Body
        Of one spacing, coarse.
    search_deg : float
        Turns about each axis are tried to either side so far.
    step_deg : float
        In such steps; half a step is left to the climb.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    list of Candidate
        The best shifts of each turn, best first.
    """
    count = int(np.ceil(search_deg / step_deg))
    angles = np.linspace(-count * step_deg, count * step_deg, 2 * count + 1)
    # A turn by much about several axes at once is beyond the range asked for.
    turns = [t for t in product(angles, repeat=3) if np.linalg.norm(t) <= search_deg * 1.3 + 1e-9]
    turned = _Turned(fixed, moving)
    shifts = ShiftMap(np.where(rim(fixed), _binned(fixed), -1).astype(np.int8), BINS, turned.shape)
    found: list[Candidate] = []
    for k, turn in enumerate(turns):
        progress(k / len(turns), "trying all turns and shifts")
        about = VolumePose.of(angles_deg=turn, centre_mm=moving.centre_mm)
        found += turned.best(about, *shifts(turned.labels(about)))
    return sorted(found, key=lambda c: -c.information)


def distinct(
    candidates: list[Candidate], points_mm: FloatArray, apart_mm: float, most: int
) -> list[Candidate]:
    """Return the best candidates that lie at least so far from all better ones."""
    kept: list[Candidate] = []
    for candidate in candidates:
        if all(mean_distance_mm(candidate.pose, other.pose, points_mm) > apart_mm for other in kept):
            kept.append(candidate)
            if len(kept) == most:
                break
    return kept


def _binned(body: Body) -> NDArray[np.int8]:
    return quantised(body.values, body.mask, BINS)


class _Turned:
    """The moving body seen on a grid along the fixed body's axes, turned about its own centre."""

    def __init__(self, fixed: Body, moving: Body) -> None:
        self.moving, self.axes = moving, fixed.index_to_patient[:3, :3]
        self.fixed_origin = fixed.index_to_patient[:3, 3]
        self.binned = _binned(moving)
        reach = np.linalg.norm(
            moving.to_patient(_corners(moving.values.shape)) - moving.centre_mm, axis=1
        ).max()
        half = int(np.ceil(reach / moving.spacing_mm))
        # Turned by not much, a flat pile stays flat: its own extent with some room is enough.
        extent = np.abs(
            np.linalg.solve(
                self.axes, (moving.to_patient(_corners(moving.values.shape)) - moving.centre_mm).T
            )
        ).max(axis=1)
        halves = np.minimum(np.ceil(extent * 1.3 + 2).astype(int), half)
        self.shape = tuple(int(n) for n in 2 * halves + 1)
        self.origin = moving.centre_mm - self.axes @ halves
        grid = np.stack(np.meshgrid(*[np.arange(n) for n in self.shape], indexing="ij"), -1)
        self.places = grid.reshape(-1, 3) @ self.axes.T + self.origin

    def labels(self, about: VolumePose) -> NDArray[np.int8]:
        """Return the turned body in bins; -1 outside of what the volume shows."""
        to_index = np.linalg.inv(self.moving.index_to_patient) @ about.matrix
        at = np.rint(self.places @ to_index[:3, :3].T + to_index[:3, 3]).astype(int)
        inside = ((at >= 0) & (at < self.binned.shape)).all(axis=1)
        out = np.full(len(at), -1, np.int8)
        out[inside] = self.binned[tuple(at[inside].T)]
        return out.reshape(self.shape)

    def best(self, about: VolumePose, information: FloatArray, shifts: NDArray[np.intp]) -> list[Candidate]:
        """Return the best shifts of one turn as poses."""
        found = []
        values = information.copy()
        for _ in range(PER_TURN):
            place = int(np.argmax(values))
            if not np.isfinite(values.flat[place]):
                break
            shift = shifts.reshape(3, -1)[:, place]
            matrix = np.eye(4)
            matrix[:3, 3] = self.origin - self.fixed_origin + self.axes @ shift
            found.append(Candidate(VolumePose(matrix).then(about), float(information.flat[place])))
            near = (np.abs(shifts - shift[:, None, None, None]) <= 2).all(axis=0)
            values[near] = -np.inf
        return found


def _corners(shape: tuple[int, ...]) -> FloatArray:
    ends = np.meshgrid(*[[0, n - 1] for n in shape], indexing="ij")
    return np.stack(ends, -1).reshape(-1, 3).astype(float)
