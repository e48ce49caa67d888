"""elastix's parameter maps as plain data, to and from its text files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

__all__ = [
    "ParameterMap",
    "Stage",
    "stage_map",
    "with_our_needs",
    "write_parameter_file",
]

ParameterMap = Mapping[str, tuple[str, ...]]
"""Names to values, all as text: elastix's own form."""

Stage = Literal["rigid", "affine", "bspline"]

METRICS = {
    "mutual_information": "AdvancedMattesMutualInformation",
    "correlation": "AdvancedNormalizedCorrelation",
    "mean_squares": "AdvancedMeanSquares",
}

TRANSFORMS: dict[Stage, str] = {
    "rigid": "EulerTransform",
    "affine": "AffineTransform",
    "bspline": "BSplineTransform",
}


def stage_map(
    stage: Stage,
    *,
    metric: str,
    resolutions: int,
    iterations: int,
    samples: int,
    grid_spacing: float,
    bending: float,
    seed: int,
    points_weight: float = 0.0,
) -> dict[str, tuple[str, ...]]:
    """Make the parameter map of one stage.

    Parameters
    ----------
    stage : {"rigid", "affine", "bspline"}
        What may change.
    metric : str
        A key of `METRICS`.
    resolutions, iterations, samples : int
        Levels, steps per level and random sample points per step.
    grid_spacing : float
        Distance of control points at the finest level, in world units; for "bspline".
    bending : float
        Weight of the bending energy, which has the unit of one over a squared length; for "bspline".
    seed : int
        Of the random samples.
    points_weight : float
        Weight of the distance of given point pairs; 0 for none.

    Returns
    -------
    dict of str to tuple of str

    Examples
    --------
    >>> found = stage_map("rigid", metric="correlation", resolutions=3, iterations=100, samples=2000,
    ...                   grid_spacing=1.0, bending=0.0, seed=0)
    >>> found["Transform"], found["Metric"]
    (('EulerTransform',), ('AdvancedNormalizedCorrelation',))
    """
    metrics, weights = [METRICS[metric]], [1.0]
    if stage == "bspline" and bending > 0:
        metrics.append("TransformBendingEnergyPenalty")
        weights.append(bending)
    if points_weight > 0:
        # elastix wants this one last.
        metrics.append("CorrespondingPointsEuclideanDistanceMetric")
        weights.append(points_weight)
    many = len(metrics) > 1
    found = {
        "AutomaticParameterEstimation": ("true",),
        "ASGDParameterEstimationMethod": ("Original",),
        "AutomaticTransformInitialization": ("false",),
        "CheckNumberOfSamples": ("true",),
        "FixedImagePyramid": ("FixedSmoothingImagePyramid",),
        "MovingImagePyramid": ("MovingSmoothingImagePyramid",),
        "ImageSampler": ("RandomCoordinate",),
        "Interpolator": ("LinearInterpolator",),
        "MaximumNumberOfIterations": (str(iterations),),
        "MaximumNumberOfSamplingAttempts": ("8",),
        "Metric": tuple(metrics),
        "NewSamplesEveryIteration": ("true",),
        "NumberOfHistogramBins": ("32",),
        "NumberOfResolutions": (str(resolutions),),
        "NumberOfSamplesForExactGradient": ("4096",),
        "NumberOfSpatialSamples": (str(samples),),
        "Optimizer": ("AdaptiveStochasticGradientDescent",),
        "RandomSeed": (str(seed),),
        "Registration": (("MultiMetric" if many else "") + "MultiResolutionRegistration",),
        "Transform": (TRANSFORMS[stage],),
    }
    if many:
        found.update({f"Metric{k}Weight": (repr(weight),) for k, weight in enumerate(weights)})
    if stage == "bspline":
        found["FinalGridSpacingInPhysicalUnits"] = (repr(grid_spacing),)
        found["GridSpacingSchedule"] = tuple(str(2 ** (resolutions - 1 - k)) for k in range(resolutions))
    else:
        found["AutomaticScalesEstimation"] = ("true",)
    return found


def with_our_needs(found: ParameterMap, dimensions: int = 2) -> dict[str, tuple[str, ...]]:
    """Set what reading the result back depends on: dimensions, float, chained, no pictures written.

    Parameters
    ----------
    found : mapping of str to tuple of str
        The map.
    dimensions : int
        Of the images.

    Examples
    --------
    >>> with_our_needs({"WriteResultImage": ("true",)})["WriteResultImage"]
    ('false',)
    """
    return {
        **found,
        "FixedImageDimension": (str(dimensions),),
        "MovingImageDimension": (str(dimensions),),
        "FixedInternalImagePixelType": ("float",),
        "MovingInternalImagePixelType": ("float",),
        "HowToCombineTransforms": ("Compose",),
        "UseDirectionCosines": ("true",),
        "ErodeMask": ("false",),
        "WriteResultImage": ("false",),
        "WriteTransformParametersEachIteration": ("false",),
        "WriteTransformParametersEachResolution": ("false",),
    }


def write_parameter_file(path: str | Path, found: ParameterMap) -> None:
    """Write elastix's text form.

    Parameters
    ----------
    path : path
        Where to.
    found : mapping of str to tuple of str
        The map.
    """

    def value(text: str) -> str:
        try:
            float(text)
        except ValueError:
            return f'"{text}"'
        return text

    lines = [f"({name} {' '.join(value(v) for v in values)})" for name, values in found.items()]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
