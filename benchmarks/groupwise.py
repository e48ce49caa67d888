"""Groupwise elastix on deformed copies with known truth, beside the recipe of its paper by hand.

    python benchmarks/groupwise.py [--copies 8] [--size 256] [--seeds 3]

The recipe is Par0039 of elastix's model zoo (its file for synthetic data, in two dimensions), run through
itk-elastix without us, on the same images in the same run. The error is how far two copies disagree about
where a piece of tissue lies, in pixels: mean over all pairs and over points of the inner part.
"""

import argparse
import itertools
from time import process_time

import numpy as np

from napari_histreg.errors import NotConverged
from napari_histreg.geometry import FloatArray
from napari_histreg.methods.elastix.groupwise import ElastixGroupwise, read_stack
from napari_histreg.raster import Raster
from napari_histreg.transforms import Affine, Transform
from napari_histreg.transforms.bspline import BSpline

BEND_PX = 3.5
"""Median displacement of a copy."""
REACH_PX = 40.0
"""Distance of the control points of the true deformations."""

RECIPE = {
    "ASGDParameterEstimationMethod": ["Original"],
    "AutomaticParameterEstimation": ["true"],
    "AutomaticTransformInitialization": ["false"],
    "BSplineInterpolationOrder": ["1"],
    "CheckNumberOfSamples": ["true"],
    "ErodeFixedMask": ["false"],
    "ErodeMask": ["false"],
    "FinalBSplineInterpolationOrder": ["3"],
    "FinalGridSpacingInPhysicalUnits": ["16"],
    "FixedImageDimension": ["3"],
    "FixedImagePyramid": ["FixedSmoothingImagePyramid"],
    "FixedInternalImagePixelType": ["float"],
    "HowToCombineTransforms": ["Compose"],
    "ImagePyramidSchedule": ["8", "8", "0", "4", "4", "0", "2", "2", "0", "1", "1", "0"],
    "ImageSampler": ["RandomCoordinate"],
    "Interpolator": ["ReducedDimensionBSplineInterpolator"],
    "MaximumNumberOfIterations": ["1000"],
    "Metric": ["PCAMetric2"],
    "MovingImageDerivativeScales": ["1", "1", "0"],
    "MovingImageDimension": ["3"],
    "MovingImagePyramid": ["MovingSmoothingImagePyramid"],
    "MovingInternalImagePixelType": ["float"],
    "NewSamplesEveryIteration": ["true"],
    "NumberOfResolutions": ["4"],
    "NumberOfSpatialSamples": ["2048"],
    "Optimizer": ["AdaptiveStochasticGradientDescent"],
    "Registration": ["MultiResolutionRegistration"],
    "ResampleInterpolator": ["FinalReducedDimensionBSplineInterpolator"],
    "Resampler": ["DefaultResampler"],
    "SubtractMean": ["true"],
    "Transform": ["BSplineStackTransform"],
    "UseDirectionCosines": ["true"],
    "WriteResultImage": ["false"],
}


def truth(count: int, size: int, rng: np.random.Generator) -> list[BSpline]:
    """Make deformations, image to tissue, whose mean is none."""
    nodes = int(np.ceil(size / REACH_PX)) + 4
    origin = -1.5 * REACH_PX
    shifts = rng.normal(size=(count, 2, nodes * nodes))
    shifts -= shifts.mean(0)

    def splines(scale: float) -> list[BSpline]:
        return [
            BSpline.from_itk(
                (scale * row).ravel(),
                size_xy=(nodes, nodes),
                origin_xy=(origin, origin),
                spacing_xy=(REACH_PX, REACH_PX),
            )
            for row in shifts
        ]

    points = inner(size)
    moved = [np.linalg.norm(spline(points) - points, axis=1) for spline in splines(1.0)]
    return splines(BEND_PX / float(np.median(moved)))


def inner(size: int) -> FloatArray:
    """Spread points over the inner part, away from what may have left a copy."""
    line = np.linspace(0.12, 0.88, 24) * (size - 1)
    return np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)


def tissue(size: int) -> tuple[FloatArray, FloatArray]:
    """Return haematoxylin and the other stain of a real section, size x size."""
    from skimage.color import rgb2hed
    from skimage.data import immunohistochemistry
    from skimage.transform import resize

    stains = resize(rgb2hed(immunohistochemistry()), (size, size), anti_aliasing=True)
    return tuple(plane / plane.std() for plane in (stains[..., 0], stains[..., 2]))


def copies(size: int, to_tissue: list[BSpline], rng: np.random.Generator, *, stains: bool) -> list[Raster]:
    """See one tissue through each deformation, with noise, and with another contrast and sign each."""
    from scipy.ndimage import map_coordinates

    nuclei, ground = tissue(size)
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size), indexing="ij"), -1).reshape(-1, 2)
    found = []
    for k, spline in enumerate(to_tissue):
        plane = nuclei + (rng.uniform(0.3, 0.8) if stains else 0.5) * ground
        where = spline(grid.astype(float)).T.reshape(2, size, size)
        seen = map_coordinates(plane, where, order=3, mode="reflect")
        gain = rng.uniform(0.5, 1.5) * (-1 if k % 2 else 1) if stains else 1.0
        seen = gain * (seen - seen.mean()) / seen.std() + rng.normal(0, 0.05, seen.shape)
        found.append(Raster(np.asarray(seen, np.float32)))
    return found


def by_hand(images: list[Raster], seed: int) -> list[BSpline]:
    """Run the paper's recipe through itk-elastix."""
    import itk

    stack = itk.image_from_array(np.stack([np.asarray(i.pixels, np.float32) for i in images]))
    parameters = itk.ParameterObject.New()
    parameters.AddParameterMap({**RECIPE, "RandomSeed": [str(seed)]})
    method = itk.ElastixRegistrationMethod.New(stack, stack)
    method.SetParameterObject(parameters)
    method.SetLogToConsole(False)
    method.UpdateLargestPossibleRegion()
    result = method.GetTransformParameterObject().GetParameterMap(0)
    return list(read_stack(dict(result), len(images)))


def error(to_tissue: list[BSpline], bends: list[Transform], size: int) -> float:
    """Return the mean distance of what two copies call the same spot, over all pairs, px."""
    points = inner(size)
    spots = [spline(bend(points)) for spline, bend in zip(to_tissue, bends, strict=True)]
    pairs = itertools.combinations(spots, 2)
    return float(np.mean([np.linalg.norm(a - b, axis=1).mean() for a, b in pairs]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--copies", type=int, default=8)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    for stains in (False, True):
        for seed in range(arguments.seeds):
            rng = np.random.default_rng(seed)
            to_tissue = truth(arguments.copies, arguments.size, rng)
            images = copies(arguments.size, to_tissue, rng, stains=stains)
            still: list[Transform] = [Affine.identity()] * arguments.copies
            kind = f"{'several stains' if stains else 'one stain'}, seed {seed}"
            print(f"{kind}: unaligned {error(to_tissue, still, arguments.size):.3f} px", flush=True)
            for name, run in (
                ("elastix_groupwise", lambda i=images, s=seed: ElastixGroupwise(seed=s).estimate_group(i)),
                ("recipe by hand", lambda i=images, s=seed: by_hand(i, s)),
            ):
                start = process_time()
                try:
                    found = f"{error(to_tissue, list(run()), arguments.size):.3f} px"
                except NotConverged as gave_up:
                    found = str(gave_up)
                spent = process_time() - start
                print(f"{kind}: {name} {found} ({spent:.0f} CPU s in this process)", flush=True)


if __name__ == "__main__":
    main()
