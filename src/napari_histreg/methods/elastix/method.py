"""elastix: rigid, affine and B-spline registration by mutual information, in a process of its own."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from napari_histreg.errors import MissingDependency, NotConverged
from napari_histreg.matching.picture import Picture
from napari_histreg.methods import fields
from napari_histreg.methods.elastix.child import JOB
from napari_histreg.methods.elastix.parameters import (
    Stage,
    stage_map,
    with_our_needs,
    write_parameter_file,
)
from napari_histreg.methods.elastix.result import complaint, read_maps
from napari_histreg.methods.elastix.worker import elastix_worker
from napari_histreg.methods.method import Finding, Method
from napari_histreg.methods.starts import Prealigned, level_spacings, likely_start, prealign
from napari_histreg.optional import is_installed
from napari_histreg.progress import Progress, portion
from napari_histreg.transforms import Sequence as Chain
from napari_histreg.transforms import Transform
from napari_histreg.transforms.bspline import BSpline
from napari_histreg.transforms.formats.elastix_parameters import read_parameters

__all__ = ["Elastix"]

STAGES: dict[str, tuple[Stage, ...]] = {
    "rigid": ("rigid",),
    "affine": ("rigid", "affine"),
    "bspline": ("rigid", "affine", "bspline"),
}
COARSEST_PX = 32
POINT = 4


class Elastix(Method):
    """Climb by elastix [1]_, [2]_ from rigid over affine to a free-form deformation.

    With mutual information the two signals need not look alike. It climbs from a start: the one given,
    or the slides as they lie or centred, from where about ten degrees are bridged. Any of elastix's own
    parameter files can be used instead of the built-in settings.

    The two images are laid on one another by the start first, so the start may be of any kind; what
    elastix finds is applied before it. A result whose deformation folds, that is implausible or that
    wrong poses match as well is refused.

    Notes
    -----
    elastix runs in a process of its own, which is kept, for loading it takes ten seconds and more. When
    cancelled the process is killed, and started anew at the next run.

    References
    ----------
    .. [1] S. Klein et al., elastix: a toolbox for intensity-based medical image registration, IEEE TMI
       29(1), 2010. doi:10.1109/TMI.2009.2035616
    .. [2] D. Shamonin et al., Fast parallel image registration on CPU and GPU for diagnostic
       classification of Alzheimer's disease, Front. Neuroinform. 7, 2014. doi:10.3389/fninf.2013.00050
    """

    name = "elastix"
    label = "elastix"

    transform: Literal["rigid", "affine", "bspline"] = Field(
        "affine",
        title="Transform",
        description="The last of the stages rigid, affine and bspline; those before it come first.",
    )
    metric: Literal["mutual_information", "correlation", "mean_squares"] = Field(
        "mutual_information",
        title="Metric",
        description="Mutual information for different stains; the others for signals that look alike.",
    )
    resolutions: int = Field(
        4, title="Resolutions", description="Levels per stage, coarse to fine.", ge=1, le=8
    )
    iterations: int = Field(
        256, title="Iterations", description="Steps per level of each stage.", ge=1, le=10000
    )
    samples: int = Field(
        2048, title="Samples", description="Random points looked at per step.", ge=100, le=1000000
    )
    grid_spacing_px: float = Field(
        64.0,
        title="Grid spacing (px)",
        description="Distance of control points of the B-spline in pixels worked at; wider is stiffer.",
        ge=4.0,
        le=2000.0,
    )
    bending: float = Field(
        50.0,
        title="Bending penalty",
        description="Weight of the bending energy, in pixels worked at; 0 for none, larger is stiffer.",
        ge=0.0,
        le=1e7,
    )
    parameter_files: tuple[str, ...] = Field(
        (),
        title="Parameter files",
        description="elastix parameter files, run one after the other instead of the stages above; "
        "lengths in them are in world units.",
    )
    points: tuple[tuple[float, float, float, float], ...] = Field(
        (),
        title="Corresponding points",
        description="Pairs (fixed y, fixed x, moving y, moving x) in world units that should meet.",
    )
    points_weight: float = Field(
        0.01,
        title="Weight of the points",
        description="Of their mean distance, in pixels worked at, against the metric.",
        ge=0.0,
        le=1000.0,
    )
    max_side_px: int = fields.working_size(1024)
    timeout_seconds: float = Field(
        600.0,
        title="Timeout (s)",
        description="Stop a run that takes longer than this.",
        ge=1.0,
        le=86400.0,
    )
    seed: int = fields.seed()

    @field_validator("parameter_files", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Take one path, or several with commas between them, as text."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.strip("()[] ").split(",") if part.strip())
        return value

    @field_validator("points", mode="before")
    @classmethod
    def _paired(cls, value: Any) -> Any:
        """Take the pairs as JSON text."""
        if isinstance(value, str):
            return json.loads(value) if value.strip("() ") else ()
        return value

    def search(
        self, fixed: Picture, moving: Picture, initial: Transform | None, progress: Progress
    ) -> Finding:
        """Run the stages in the elastix process; see `Method.search`.

        Raises
        ------
        NotConverged
            elastix gave up, or the result is not one that can be trusted.
        RegistrationError
            The elastix process died or hung.
        MissingDependency
            elastix is not installed.
        DamagedFile
            A parameter file is missing, or is none.
        """
        if not is_installed("itk"):
            raise MissingDependency(
                'Method "elastix" needs the package "itk-elastix", which is not installed. '
                'Install it with: pip install "napari-histreg[elastix]"'
            )
        start = likely_start(fixed, moving) if initial is None else initial
        progress(0.0, "preparing elastix")
        (spacing,) = level_spacings(fixed, moving, start, max_side_px=self.max_side_px)
        residual = self._run(prealign(fixed, moving, start, spacing), portion(progress, 0.02, 0.9))
        folding = _minimal_jacobian(residual)
        if not folding > 0:
            raise NotConverged(
                f"elastix's deformation folds the tissue (smallest Jacobian {folding:.2f}). Raise the "
                "bending penalty (bending) or the grid spacing (grid_spacing_px)."
            )
        return Finding(residual, start, figures={"smallest_jacobian": folding})

    def _maps(self, spacing: float) -> list[dict[str, tuple[str, ...]]]:
        """Give the parameter maps of all stages."""
        if self.parameter_files:
            return [with_our_needs(read_parameters(Path(path))) for path in self.parameter_files]
        return [
            with_our_needs(
                stage_map(
                    stage,
                    metric=self.metric,
                    resolutions=self.resolutions,
                    iterations=self.iterations,
                    samples=self.samples,
                    grid_spacing=self.grid_spacing_px * spacing,
                    # Second derivatives of a displacement shrink as the unit of length grows.
                    bending=self.bending * spacing**2,
                    seed=self.seed,
                    points_weight=self.points_weight / spacing if self.points else 0.0,
                )
            )
            for stage in STAGES[self.transform]
        ]

    def _run(self, pair: Prealigned, progress: Progress) -> Transform:
        """Hand the two pictures to the elastix process; returns what it adds before the start."""
        maps = self._maps(pair.spacing)
        levels = [
            int(found.get("MaximumNumberOfIterations", ("500",))[0])
            for found in maps
            for _ in range(int(found.get("NumberOfResolutions", ("3",))[0]))
        ]
        with tempfile.TemporaryDirectory(prefix="histreg-elastix-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            files = [f"stage{k}.txt" for k in range(len(maps))]
            for file, found in zip(files, maps, strict=True):
                write_parameter_file(folder / file, found)
            _write_pictures(folder, pair)
            self._write_points(folder, pair)
            job = {
                "spacing_xy": [pair.spacing, pair.spacing],
                "fixed_origin_xy": list(pair.fixed.frame.origin[::-1]),
                "moving_origin_xy": list(pair.moving.frame.origin[::-1]),
                "parameter_files": files,
                "has_points": bool(self.points),
            }
            (folder / JOB).write_text(json.dumps(job), encoding="utf-8")
            answer = elastix_worker().run(
                folder, levels, timeout_seconds=self.timeout_seconds, progress=progress
            )
        if "error" in answer:
            raise NotConverged(complaint(answer["error"]))
        return read_maps(answer["maps"])

    def _write_points(self, folder: Path, pair: Prealigned) -> None:
        """Write the corresponding points in the frame that elastix sees."""
        if not self.points:
            return
        both = np.array(self.points, float).reshape(-1, POINT)
        sides = {"fixed": both[:, :2], "moving": pair.start.inverse()(both[:, 2:])}
        for name, points in sides.items():
            lines = [f"{x!r} {y!r}" for y, x in points.tolist()]
            text = "\n".join(["point", str(len(lines)), *lines]) + "\n"
            (folder / f"{name}_points.txt").write_text(text, encoding="utf-8")


def _write_pictures(folder: Path, pair: Prealigned) -> None:
    for name, picture in (("fixed", pair.fixed), ("moving", pair.moving)):
        np.save(folder / f"{name}.npy", np.ascontiguousarray(picture.channels[0], np.float32))
        np.save(folder / f"{name}_mask.npy", picture.mask.astype(np.uint8))


def _minimal_jacobian(transform: Transform) -> float:
    """Give the smallest Jacobian determinant of all deformations in a chain; 1 where there is none."""
    steps: Sequence[Transform] = transform.steps if isinstance(transform, Chain) else (transform,)
    return min((step.folding().minimum for step in steps if isinstance(step, BSpline)), default=1.0)
