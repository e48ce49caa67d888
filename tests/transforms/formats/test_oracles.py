"""Our files in the hands of the tools they are for."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_histreg.optional import is_installed
from napari_histreg.transforms import Affine, Rigid, Transform, fit_thin_plate
from napari_histreg.transforms.bspline import BSpline
from napari_histreg.transforms.formats import SlideFrame, write_transform
from transforms_truth import TRUTH

FIXED = SlideFrame((0.5, 0.25), (3000, 6000))
AT = np.random.default_rng(0).uniform(0, 1400, (40, 2))
GRID = BSpline(np.random.default_rng(1).normal(0, 5, (9, 7, 2)), origin=(-400, -500), spacing=(350.0, 400.0))
BEND = fit_thin_plate(
    [[0, 0], [0, 1500], [1500, 0], [1500, 1500], [900, 700]],
    [[5, 0], [0, 1510], [1490, 7], [1510, 1480], [940, 680]],
    smoothing=0,
)
TRANSFORMS: dict[str, Transform] = {
    "rigid": TRUTH["rigid"],
    "affine": TRUTH["affine"],
    "control grid": GRID,
    "control grid, then a turn": BSpline(
        GRID.coefficients, origin=GRID.origin, spacing=GRID.spacing, base=Rigid.of(angle_deg=30)
    ),
}


def by_simpleitk(path: Path, points: np.ndarray) -> np.ndarray:
    import SimpleITK as sitk

    transform = sitk.ReadTransform(str(path))
    return np.array([transform.TransformPoint((x, y))[::-1] for y, x in points.tolist()])


@pytest.mark.parametrize("suffix", [".tfm", ".h5"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_itk_maps_the_same_points(name: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"transform{suffix}"
    write_transform(TRANSFORMS[name], path, "itk")
    np.testing.assert_allclose(by_simpleitk(path, AT), TRANSFORMS[name](AT), atol=1e-6)


@pytest.mark.parametrize("suffix", [".mha", ".nrrd", ".nii", ".nii.gz"])
def test_itk_maps_the_same_points_through_a_field(suffix: str, tmp_path: Path) -> None:
    import SimpleITK as sitk

    path = tmp_path / f"field{suffix}"
    write_transform(BEND, path, "itk_field", fixed=FIXED)
    field = sitk.DisplacementFieldTransform(sitk.ReadImage(str(path), sitk.sitkVectorFloat64))
    seen = np.array([field.TransformPoint((x, y))[::-1] for y, x in AT.tolist()])
    # The stated bound of 0.02 px, at 0.25 µm, of linear interpolation.
    assert np.linalg.norm(seen - BEND(AT), axis=1).max() <= 0.02 * 0.25


def test_a_bend_in_an_itk_file_stays_within_the_stated_bound(tmp_path: Path) -> None:
    path = tmp_path / "bend.h5"
    write_transform(BEND, path, "itk", fixed=FIXED)
    assert np.linalg.norm(by_simpleitk(path, AT) - BEND(AT), axis=1).max() <= 0.02 * 0.25


TRANSFORMIX = """
import json, sys
import itk, numpy
from napari_histreg.methods.elastix.itk_parts import parameter_object, transformix_filter
folder = sys.argv[1]
parameters = parameter_object()
parameters.ReadParameterFile(folder + "/TransformParameters.0.txt")
transformix = transformix_filter(2)
transformix.SetMovingImage(itk.image_from_array(numpy.zeros((8, 8), "float32")))
transformix.SetTransformParameterObject(parameters)
transformix.SetFixedPointSetFileName(folder + "/points.txt")
transformix.SetOutputDirectory(folder)
transformix.SetLogToConsole(False)
transformix.UpdateLargestPossibleRegion()
"""


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.skipif(not is_installed("itk"), reason="itk-elastix is not installed")
@pytest.mark.parametrize("name", ["affine", "control grid"])
def test_transformix_maps_the_same_points(name: str, tmp_path: Path) -> None:
    from napari_histreg.landmarks import Landmarks, write_landmarks

    transform = TRANSFORMS[name]
    write_transform(transform, tmp_path / "TransformParameters.0.txt", "elastix", fixed=FIXED)
    write_landmarks(
        Landmarks.of(AT, AT), tmp_path / "points.txt", dialect="elastix", moving_path=tmp_path / "moving.txt"
    )
    # In a process of its own: the first use of itk takes many seconds and holds Python's lock.
    subprocess.run([sys.executable, "-c", TRANSFORMIX, str(tmp_path)], check=True, timeout=280)
    seen = []
    for line in (tmp_path / "outputpoints.txt").read_text().splitlines():
        numbers = line.split("OutputPoint = [")[1].split("]")[0].split()
        seen.append([float(numbers[1]), float(numbers[0])])
    # outputpoints.txt holds six digits after the point.
    np.testing.assert_allclose(seen, transform(AT), atol=2e-6)


def test_spatialdata_layout_has_what_its_reader_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    write_transform(Affine(TRUTH["affine"].matrix), path, "spatialdata", fixed=FIXED, moving=FIXED)
    values = json.loads(path.read_text())
    assert set(values) == {"type", "affine", "input", "output"}
    for side in ("input", "output"):
        assert set(values[side]) == {"name", "axes"}
        assert all(set(axis) == {"name", "type", "unit"} for axis in values[side]["axes"])
