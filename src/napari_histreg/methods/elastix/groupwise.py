"""elastix's groupwise registration: many images of one frame at once, none of them the fixed one."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from napari_histreg.errors import MissingDependency, NotConverged
from napari_histreg.methods import fields
from napari_histreg.methods.elastix.child import JOB
from napari_histreg.methods.elastix.parameters import write_parameter_file
from napari_histreg.methods.elastix.worker import elastix_worker
from napari_histreg.methods.method import Method
from napari_histreg.optional import is_installed
from napari_histreg.progress import Progress, silent
from napari_histreg.raster import Raster
from napari_histreg.transforms.bspline import BSpline

__all__ = ["ElastixGroupwise"]

MOST_IMAGES = 20
METRICS = {"variance": "VarianceOverLastDimensionMetric", "pca": "PCAMetric2"}


class ElastixGroupwise(Method):
    """Bend all images of a group to their mean at once, by elastix [1]_.

    The images lie in one frame already, nearly right. A stack of B-spline transforms is found whose mean is
    none: with the metric "pca" that a few principal components explain the aligned images best [2]_, which
    stains of any kind may differ in; with "variance" that they differ least [3]_, for images of one stain
    only.

    References
    ----------
    .. [1] S. Klein et al., elastix: a toolbox for intensity-based medical image registration, IEEE TMI
       29(1), 2010. doi:10.1109/TMI.2009.2035616
    .. [2] W. Huizinga et al., PCA-based groupwise image registration for quantitative MRI, Medical Image
       Analysis 29, 2016. doi:10.1016/j.media.2015.12.004
    .. [3] C. T. Metz et al., Nonrigid registration of dynamic medical imaging data using nD + t B-splines and
       a groupwise optimization approach, Medical Image Analysis 15(2), 2011.
       doi:10.1016/j.media.2010.10.003
    """

    name = "elastix_groupwise"

    metric: Literal["pca", "variance"] = Field(
        "pca", title="Metric", description="pca for different stains; variance for images of one stain."
    )
    grid_spacing_px: float = Field(
        16.0,
        title="Grid spacing (px)",
        description="Distance of control points in pixels worked at; wider is stiffer.",
        ge=4.0,
        le=2000.0,
    )
    resolutions: int = Field(4, title="Resolutions", description="Levels, coarse to fine.", ge=1, le=8)
    iterations: int = Field(1000, title="Iterations", description="Steps per level.", ge=1, le=100000)
    samples: int = Field(
        2048, title="Samples", description="Random points looked at per step.", ge=100, le=1000000
    )
    max_side_px: int = fields.working_size(256)
    timeout_seconds: float = Field(
        1800.0, title="Timeout (s)", description="Stop a run that takes longer than this.", ge=1.0, le=86400.0
    )
    seed: int = fields.seed()

    def estimate_group(self, images: Sequence[Raster], *, progress: Progress = silent) -> tuple[BSpline, ...]:
        """Find by how much each image is bent against the mean of all.

        Parameters
        ----------
        images : sequence of Raster
            3 to 20, on one frame with square pixels, nearly aligned.
        progress : Progress, optional
            Told of the progress; may raise `Cancelled`.

        Returns
        -------
        tuple of BSpline
            For each image, from the mean frame to it, world units; their mean is none.

        Raises
        ------
        ValueError
            There are too few or too many images, or they do not lie on one frame.
        NotConverged
            elastix gave up, or a deformation folds the tissue.
        RegistrationError
            The elastix process died or hung.
        MissingDependency
            elastix is not installed.
        """
        _check(images)
        first = images[0]
        with tempfile.TemporaryDirectory(prefix="histreg-elastix-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            np.save(folder / "stack.npy", np.stack([np.asarray(i.pixels, np.float32) for i in images]))
            write_parameter_file(folder / "stage.txt", self._map(first.spacing[0]))
            job = {
                "groupwise": True,
                "spacing_xy": [first.spacing[1], first.spacing[0]],
                "origin_xy": [first.origin[1], first.origin[0]],
                "parameter_files": ["stage.txt"],
            }
            (folder / JOB).write_text(json.dumps(job), encoding="utf-8")
            levels = [self.iterations] * self.resolutions
            answer = elastix_worker().run(
                folder, levels, timeout_seconds=self.timeout_seconds, progress=progress
            )
        if "error" in answer:
            said = " ".join(str(answer["error"]).split())[-200:]
            raise NotConverged(f"elastix gave up on the group ({said}). Align it without bending.")
        return read_stack(answer["maps"][-1], len(images))

    def _map(self, spacing: float) -> dict[str, tuple[str, ...]]:
        """Give elastix's parameters; the axis along the stack is never smoothed or shrunk."""
        factors = [2 ** (self.resolutions - 1 - k) for k in range(self.resolutions)]
        return {
            "ASGDParameterEstimationMethod": ("Original",),
            "AutomaticParameterEstimation": ("true",),
            "AutomaticTransformInitialization": ("false",),
            "BSplineInterpolationOrder": ("1",),
            "ErodeMask": ("false",),
            "FinalGridSpacingInPhysicalUnits": (repr(self.grid_spacing_px * spacing),),
            "FixedImageDimension": ("3",),
            "FixedImagePyramid": ("FixedSmoothingImagePyramid",),
            "FixedInternalImagePixelType": ("float",),
            "GridSpacingSchedule": tuple(str(f) for factor in factors for f in (factor, factor)),
            "HowToCombineTransforms": ("Compose",),
            "ImagePyramidSchedule": tuple(str(f) for factor in factors for f in (factor, factor, 0)),
            "ImageSampler": ("RandomCoordinate",),
            "Interpolator": ("ReducedDimensionBSplineInterpolator",),
            "MaximumNumberOfIterations": (str(self.iterations),),
            "Metric": (METRICS[self.metric],),
            "MovingImageDerivativeScales": ("1", "1", "0"),
            "MovingImageDimension": ("3",),
            "MovingImagePyramid": ("MovingSmoothingImagePyramid",),
            "MovingInternalImagePixelType": ("float",),
            "NewSamplesEveryIteration": ("true",),
            "NumberOfResolutions": (str(self.resolutions),),
            "NumberOfSpatialSamples": (str(self.samples),),
            "Optimizer": ("AdaptiveStochasticGradientDescent",),
            "RandomSeed": (str(self.seed),),
            "Registration": ("MultiResolutionRegistration",),
            "ResampleInterpolator": ("FinalReducedDimensionBSplineInterpolator",),
            "SubtractMean": ("true",),
            "Transform": ("BSplineStackTransform",),
            "UseDirectionCosines": ("true",),
            "WriteResultImage": ("false",),
        }


def _check(images: Sequence[Raster]) -> None:
    if not is_installed("itk"):
        raise MissingDependency(
            'Method "elastix_groupwise" needs the package "itk-elastix", which is not installed. '
            'Install it with: pip install "napari-histreg[elastix]"'
        )
    if not 3 <= len(images) <= MOST_IMAGES:
        raise ValueError(f"elastix aligns groups of 3 to {MOST_IMAGES} images at once, not of {len(images)}.")
    first = images[0]
    for image in images[1:]:
        if (image.shape, image.spacing, image.origin) != (first.shape, first.spacing, first.origin):
            raise ValueError("Images that are aligned groupwise lie on one frame; these do not.")


def read_stack(found: dict[str, Any], count: int) -> tuple[BSpline, ...]:
    """Take a stack of B-spline transforms apart.

    Parameters
    ----------
    found : mapping
        elastix's transform parameters of a ``BSplineStackTransform``.
    count : int
        Images in the stack.

    Returns
    -------
    tuple of BSpline

    Raises
    ------
    NotConverged
        One of them folds.
    """
    numbers = np.array(found["TransformParameters"], float).reshape(count, -1)
    size, origin, spacing = (np.array(found[key], float) for key in ("GridSize", "GridOrigin", "GridSpacing"))
    splines = tuple(
        BSpline.from_itk(
            row,
            size_xy=(int(size[0]), int(size[1])),
            origin_xy=(float(origin[0]), float(origin[1])),
            spacing_xy=(float(spacing[0]), float(spacing[1])),
        )
        for row in numbers
    )
    worst = min(spline.folding().minimum for spline in splines)
    if not worst > 0:
        raise NotConverged(
            f"elastix's deformation folds the tissue (smallest Jacobian {worst:.2f}). Raise the grid spacing "
            "(grid_spacing_px), or align the group without bending."
        )
    return splines
