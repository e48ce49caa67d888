"""elastix in its process: results, parameter files, points, and every way a run can end."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_histreg.errors import DamagedFile, NotConverged, RegistrationError
from napari_histreg.methods.elastix.itk_parts import (
    parameter_object,
    registration_method,
    transformix_filter,
)
from napari_histreg.methods.elastix.method import Elastix
from napari_histreg.methods.elastix.result import read_maps
from napari_histreg.methods.elastix.worker import ElastixWorker, elastix_worker
from napari_histreg.optional import is_installed
from napari_histreg.progress import Cancelled
from napari_histreg.raster import Raster
from napari_histreg.transforms import Similarity, Translation, resample
from napari_histreg.transforms.displacement import DisplacementField
from napari_histreg.transforms.formats.elastix_parameters import read_parameters
from phantoms import Pair, pair

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_installed("itk"), reason="itk-elastix is not installed"),
]


@pytest.fixture(scope="module")
def case() -> Pair:
    return pair(angle_deg=4.0, shift=(3.0, -2.0), spacings=(0.5, 0.55))


@pytest.fixture
def long() -> Elastix:
    """A run that would take minutes."""
    return Elastix(iterations=10000, samples=20000)


def running() -> Iterator[int]:
    """Give the ids of this process's children."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            yield int(entry.parent.name)


@pytest.mark.parametrize(
    "transform",
    [
        pytest.param("rigid", marks=pytest.mark.thorough),
        pytest.param("affine", marks=pytest.mark.thorough),
        "bspline",  # after the two others
    ],
)
def test_each_transform(case: Pair, transform: str, capfd: pytest.CaptureFixture[str]) -> None:
    found = Elastix(transform=transform).estimate(case.fixed, case.moving)
    assert np.median(case.errors(found.fixed_to_moving)) < 0.25
    assert found.figures["smallest_jacobian"] > 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.thorough
@pytest.mark.parametrize("metric", ["correlation", "mean_squares"])
def test_other_metrics(metric: str) -> None:
    case = pair(angle_deg=3.0, stains=("nuclear", "nuclear"))
    found = Elastix(metric=metric, transform="rigid").estimate(case.fixed, case.moving)
    assert np.median(case.errors(found.fixed_to_moving)) < 0.25


@pytest.mark.thorough
def test_a_bent_image_is_straightened() -> None:
    """A bump of 5 px that no affine map follows; the free-form stage takes most of it back."""
    flat = pair(stains=("nuclear", "nuclear"))
    y, x = np.mgrid[-60:320:12.0, -60:320:12.0]
    bump = 5.0 * np.exp(-((y - 128) ** 2 + (x - 110) ** 2) / (2 * 45.0**2))
    bend = DisplacementField(np.stack([bump, -0.6 * bump], -1), origin=(-60.0, -60.0), spacing=(12.0, 12.0))
    seen = resample(flat.fixed, bend.inverse(), flat.fixed, order=3)
    bent = Pair(flat.fixed, seen, bend)
    affine = Elastix(transform="affine").estimate(bent.fixed, bent.moving)
    free = Elastix(transform="bspline", grid_spacing_px=32.0).estimate(bent.fixed, bent.moving)
    # Most of the picture is hardly bent; the bump is where the largest errors are.
    before, after = (np.percentile(bent.errors(e.fixed_to_moving), 90) for e in (affine, free))
    assert before > 2.0
    assert after < 0.5
    assert free.figures["smallest_jacobian"] > 0.5


@pytest.mark.thorough
def test_a_start_that_bends_is_taken_further() -> None:
    case = pair(angle_deg=80.0, mirrored=True)
    wave = np.zeros((12, 12, 2))
    wave[..., 0] = 1.5 * np.sin(np.arange(12))[:, None]
    bend = DisplacementField(wave, origin=(-40.0, -40.0), spacing=(32.0, 32.0))
    found = Elastix(transform="rigid").estimate(
        case.fixed, case.moving, initial=bend.then(case.fixed_to_moving)
    )
    # What bends by 1.5 px stays bent under a rigid change, but it gets no worse.
    assert np.median(case.errors(found.fixed_to_moving)) < 1.5


def test_masks_keep_out_what_is_wrong(case: Pair) -> None:
    """A bright bar at the same place of both images would hold them where they are."""
    images = []
    for raster, place in ((case.fixed, 120), (case.moving, 110)):
        pixels, mask = raster.pixels.copy(), np.ones(raster.shape, bool)
        pixels[place : place + 20] = 8.0
        mask[place - 2 : place + 22] = False
        images.append(Raster(pixels, raster.spacing, raster.origin, mask))
    found = Elastix(transform="rigid").estimate(*images)
    assert np.median(case.errors(found.fixed_to_moving)) < 0.25


@pytest.mark.thorough
def test_points_pull(case: Pair) -> None:
    """Points that contradict the images by 3 µm win when they weigh enough."""
    fixed = case.fixed.to_world([[40, 40], [40, 200], [200, 40], [200, 200]])
    wrong = case.fixed_to_moving.then(Translation.of((0.0, 3.0)))(fixed)
    points = tuple(tuple(row) for row in np.hstack([fixed, wrong]).tolist())
    pulled = Elastix(transform="rigid", points=points, points_weight=50.0).estimate(case.fixed, case.moving)
    off = pulled.fixed_to_moving(fixed) - case.fixed_to_moving(fixed)
    assert np.abs(off.mean(0) - (0.0, 3.0)).max() < 0.5


def test_parameter_files_are_used(case: Pair, tmp_path: Path) -> None:
    lines = [
        '(Transform "SimilarityTransform")',
        '(Metric "AdvancedNormalizedCorrelation")',
        '(Registration "MultiResolutionRegistration")',
        '(FixedImagePyramid "FixedSmoothingImagePyramid") // a remark',
        '(MovingImagePyramid "MovingSmoothingImagePyramid")',
        '(Interpolator "LinearInterpolator")',
        '(ImageSampler "RandomCoordinate")',
        '(Optimizer "AdaptiveStochasticGradientDescent")',
        '(AutomaticParameterEstimation "true")',
        '(AutomaticScalesEstimation "true")',
        "(NumberOfResolutions 3)",
        "(MaximumNumberOfIterations 200)",
        '(WriteResultImage "true")',
        '(Resampler "DefaultResampler")',
        '(ResampleInterpolator "FinalBSplineInterpolator")',
    ]
    path = tmp_path / "mine.txt"
    path.write_text("\n".join(lines))
    assert read_parameters(path)["NumberOfResolutions"] == ("3",)
    found = Elastix(parameter_files=str(path)).estimate(case.fixed, case.moving)
    assert found.fixed_to_moving.kind == "similarity"
    assert np.median(case.errors(found.fixed_to_moving)) < 0.25


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("Transform AffineTransform", DamagedFile, "line 1"),
        ("(NumberOfResolutions 2)", DamagedFile, "Transform"),
        ('(Transform "NoSuchTransform")', NotConverged, "elastix gave up"),
    ],
)
def test_a_bad_parameter_file_is_named(
    case: Pair, tmp_path: Path, text: str, error: type[Exception], words: str
) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(error, match=words) as caught:
        Elastix(parameter_files=(str(path),)).estimate(case.fixed, case.moving)
    assert "\n" not in str(caught.value)
    with pytest.raises(DamagedFile, match=r"missing\.txt"):
        Elastix(parameter_files=("missing.txt",)).estimate(case.fixed, case.moving)


def test_an_unknown_transform_is_not_guessed() -> None:
    with pytest.raises(RegistrationError, match="SplineKernelTransform"):
        read_maps([{"Transform": ["SplineKernelTransform"], "TransformParameters": ["0"]}])


def test_a_cancel_ends_the_process_within_two_seconds(case: Pair, long: Elastix) -> None:
    Elastix(transform="rigid", iterations=10).estimate(case.fixed, case.moving)
    process = elastix_worker().pid
    begun: list[float] = []

    def stop(fraction: float, message: str) -> None:
        if "level 1" in message and not begun:
            begun.append(time.monotonic())
        if begun and time.monotonic() - begun[0] > 0.5:
            begun.append(time.monotonic())
            raise Cancelled

    with pytest.raises(Cancelled):
        long.estimate(case.fixed, case.moving, progress=stop)
    assert time.monotonic() - begun[-1] < 2.0
    assert process not in set(running())
    again = Elastix(transform="rigid").estimate(case.fixed, case.moving)
    assert np.median(case.errors(again.fixed_to_moving)) < 0.25


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_crash_is_one_clear_error(case: Pair, long: Elastix) -> None:
    def crash(fraction: float, message: str) -> None:
        pid = elastix_worker().pid
        if "level 1" in message and pid is not None:
            os.kill(pid, signal.SIGSEGV)

    with pytest.raises(RegistrationError, match="ended by itself") as caught:
        long.estimate(case.fixed, case.moving, progress=crash)
    assert "\n" not in str(caught.value)
    assert elastix_worker().pid is None


def test_a_run_that_hangs_is_stopped(case: Pair) -> None:
    slow = Elastix(iterations=10000, samples=20000, timeout_seconds=1.0)
    with pytest.raises(RegistrationError, match="within 1 s"):
        slow.estimate(case.fixed, case.moving)
    assert elastix_worker().pid is None


@pytest.mark.skipif(os.name == "nt", reason="looks into /proc")
def test_no_process_outlives_its_worker() -> None:
    worker = ElastixWorker()
    worker._start()
    process = worker.pid
    assert process in set(running())
    del worker
    assert process not in set(running())


@pytest.mark.thorough
def test_results_agree_with_transformix(tmp_path: Path) -> None:
    """The whole chain rigid, affine, B-spline: our points against elastix's own."""
    import itk

    case = pair(angle_deg=5.0, shift=(4.0, -3.0), scale=1.03, spacings=(0.5, 0.55))
    images = []
    for raster in (case.fixed, case.moving):
        image = itk.image_from_array(np.ascontiguousarray(raster.pixels))
        image.SetSpacing(raster.spacing[::-1])
        images.append(image)
    maps = parameter_object()
    for stage in ("rigid", "affine"):
        maps.AddParameterMap(maps.GetDefaultParameterMap(stage, 3))
    maps.AddParameterMap(maps.GetDefaultParameterMap("bspline", 3, 20.0))
    method = registration_method(2)
    method.SetFixedImage(images[0])
    method.SetMovingImage(images[1])
    method.SetParameterObject(maps)
    method.SetLogToConsole(False)
    method.UpdateLargestPossibleRegion()
    result = method.GetTransformParameterObject()
    count = result.GetNumberOfParameterMaps()
    ours = read_maps([{k: list(v) for k, v in result.GetParameterMap(i).items()} for i in range(count)])

    points = np.random.default_rng(0).uniform(5, 120, (50, 2))
    path = tmp_path / "points.txt"
    lines = ["point", str(len(points)), *(f"{x!r} {y!r}" for y, x in points.tolist())]
    path.write_text("\n".join(lines) + "\n")
    transformix = transformix_filter(2)
    transformix.SetMovingImage(images[1])
    transformix.SetTransformParameterObject(result)
    transformix.SetFixedPointSetFileName(str(path))
    transformix.SetOutputDirectory(str(tmp_path))
    transformix.SetLogToConsole(False)
    transformix.UpdateLargestPossibleRegion()
    theirs = []
    for line in (tmp_path / "outputpoints.txt").read_text().splitlines():
        x, y = line.split("OutputPoint = [")[1].split("]")[0].split()
        theirs.append((float(y), float(x)))
    # transformix writes six digits.
    np.testing.assert_allclose(ours(points), theirs, atol=5e-4)
    assert isinstance(ours(points), np.ndarray)
    assert not np.allclose(ours(points), Similarity.of()(points), atol=1.0)
