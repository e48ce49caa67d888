"""elastix on volumes: a B-spline bend of what lies on one grid already, by mutual information."""

import json
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import MissingDependency, NotConverged, RegistrationError
from napari_histreg.geometry import FloatArray
from napari_histreg.methods.elastix.child import JOB
from napari_histreg.methods.elastix.parameters import stage_map, with_our_needs, write_parameter_file
from napari_histreg.methods.elastix.result import complaint
from napari_histreg.methods.elastix.worker import elastix_worker
from napari_histreg.optional import is_installed
from napari_histreg.progress import Progress, silent
from napari_histreg.volumes.bend import VolumeBend

__all__ = ["VolumeBending", "bend_by_elastix", "require_elastix"]


@dataclass(frozen=True)
class VolumeBending:
    """How elastix bends a volume.

    Parameters
    ----------
    grid_spacing_mm : float
        Distance of the B-spline's nodes at the finest level; wider is stiffer.
    bending : float
        Weight of the bending energy, with the grid spacing as the unit of length; larger is stiffer.
    resolutions, iterations, samples, seed : int
        Levels, steps per level, random points per step, and the seed of these.
    timeout_seconds : float
        A run that takes longer is stopped.

    Raises
    ------
    ValueError
        A value is out of bounds.
    """

    grid_spacing_mm: float
    bending: float = 0.1
    resolutions: int = 3
    iterations: int = 100
    samples: int = 2000
    seed: int = 0
    timeout_seconds: float = 1800.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.grid_spacing_mm) and self.grid_spacing_mm > 0):
            raise ValueError(f"grid_spacing_mm is a distance above 0 mm, not {self.grid_spacing_mm:g}.")
        if not 0 <= self.bending <= 1e6:
            raise ValueError(f"bending is a weight from 0 to 1e6, not {self.bending:g}.")
        if not 1 <= self.iterations <= 10000:
            raise ValueError(f"iterations is a number from 1 to 10000, not {self.iterations}.")


def bend_by_elastix(
    fixed: NDArray[np.float32],
    moving: NDArray[np.float32],
    mask: NDArray[np.bool_],
    index_to_patient: FloatArray,
    how: VolumeBending,
    *,
    progress: Progress = silent,
) -> VolumeBend:
    """Bend one volume onto another on the same grid of cubes, in elastix's process.

    Parameters
    ----------
    fixed, moving : (Z, Y, X) ndarray of float32
        The values; NaN where the moving volume shows nothing.
    mask : (Z, Y, X) ndarray of bool
        Where to look.
    index_to_patient : (4, 4) ndarray
        The grid's.
    how : VolumeBending
    progress : Progress, optional
        Told of each level; where it raises, the process is killed.

    Returns
    -------
    VolumeBend
        Its nodes reach beyond the grid on all sides.

    Raises
    ------
    MissingDependency
        elastix is not installed.
    NotConverged
        elastix gave up.
    RegistrationError
        Its process died or hung.
    """
    require_elastix()
    side = float(np.linalg.norm(index_to_patient[:3, :3], axis=0).max())
    known = np.isfinite(moving)
    # A rim around, so that the nodes cover all of the grid.
    images = {
        "fixed": np.pad(fixed, 1, mode="edge"),
        "moving": np.pad(np.nan_to_num(moving), 1, mode="edge"),
        "fixed_mask": np.pad(mask & known, 1).astype(np.uint8),
        "moving_mask": np.pad(known, 1).astype(np.uint8),
    }
    parameters = stage_map(
        "bspline",
        metric="mutual_information",
        resolutions=how.resolutions,
        iterations=how.iterations,
        samples=how.samples,
        grid_spacing=how.grid_spacing_mm,
        # Second derivatives of a displacement shrink as the unit of length grows.
        bending=how.bending * how.grid_spacing_mm**2,
        seed=how.seed,
    )
    with tempfile.TemporaryDirectory(prefix="histreg-elastix-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for key, image in images.items():
            np.save(folder / f"{key}.npy", np.ascontiguousarray(image))
        write_parameter_file(folder / "bspline.txt", with_our_needs(parameters, dimensions=3))
        job = {"spacing_xyz": [side] * 3, "parameter_files": ["bspline.txt"]}
        (folder / JOB).write_text(json.dumps(job), encoding="utf-8")
        answer = elastix_worker().run(
            folder,
            [how.iterations] * how.resolutions,
            timeout_seconds=how.timeout_seconds,
            progress=progress,
        )
    if "error" in answer:
        raise NotConverged(complaint(answer["error"]))
    padded = np.eye(4)
    padded[:3, 3] = -1
    return _read_bend(answer["maps"], index_to_patient @ padded, side)


def require_elastix() -> None:
    """Raise `MissingDependency` where elastix is not installed."""
    if not is_installed("itk"):
        raise MissingDependency(
            'Bending a volume needs the package "itk-elastix", which is not installed. '
            'Install it with: pip install "napari-histreg[elastix]"'
        )


def _read_bend(maps: list[dict[str, Any]], index_to_patient: FloatArray, side: float) -> VolumeBend:
    """Take over elastix's nodes: it saw the grid upright at the origin, in (x, y, z) and mm."""
    if len(maps) != 1 or maps[0].get("Transform") != ["BSplineTransform"]:
        raise RegistrationError("elastix returned no B-spline. Try another release of itk-elastix.")
    found = maps[0]
    size = [int(n) for n in found["GridSize"]]
    numbers = np.array(found["TransformParameters"], float).reshape(3, *size[::-1])
    along_axes = np.moveaxis(numbers[::-1], 0, -1)
    node_to_index = np.diag([*(float(step) / side for step in found["GridSpacing"][::-1]), 1.0])
    node_to_index[:3, 3] = [float(v) / side for v in found["GridOrigin"][::-1]]
    axes = index_to_patient[:3, :3] / side
    return VolumeBend(along_axes @ axes.T, index_to_patient @ node_to_index)
