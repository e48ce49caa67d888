"""One contract for every transform dialect."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_histreg.errors import (
    Cancelled,
    DamagedFile,
    MissingPixelSize,
    NotInvertible,
    UnsupportedDialect,
    WriteError,
)
from napari_histreg.transforms import Affine, Rigid, Similarity, Translation, fit_thin_plate
from napari_histreg.transforms.bspline import BSpline
from napari_histreg.transforms.formats import (
    DIALECTS,
    SlideFrame,
    convert_transform,
    read_transform,
    write_transform,
)
from transforms_truth import TRUTH

FIXED = SlideFrame((0.5, 0.25), (4000, 6000), (120.0, 64.0), "he")
MOVING = SlideFrame((0.325, 0.325), (5000, 5000), (0.0, 0.0), "if")
FRAMES = {"fixed": FIXED, "moving": MOVING}
AT = np.random.default_rng(0).uniform(0, 1400, (50, 2))

affines = st.builds(
    Similarity.of,
    scale=st.floats(0.1, 10),
    angle_deg=st.floats(-180, 180),
    mirrored=st.booleans(),
    translation=st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5)),
)
AFFINE = [name for name, dialect in DIALECTS.items() if "affine" in dialect.carries]
BEND = fit_thin_plate(
    [[0, 0], [0, 1500], [2000, 0], [2000, 1500], [900, 700]],
    [[5, 0], [0, 1510], [1990, 7], [2010, 1480], [940, 680]],
    smoothing=0,
)


def file_for(name: str, folder: Path) -> Path:
    return folder / f"transform{DIALECTS[name].suffixes[0]}"


@pytest.mark.parametrize("name", AFFINE)
@given(transform=affines)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_affine_transforms_survive_a_round_trip(name: str, tmp_path: Path, transform: Similarity) -> None:
    path = file_for(name, tmp_path)
    write_transform(transform, path, name, **FRAMES)
    back = read_transform(path, name, **FRAMES)
    # Sixteen digits, less what a scale of a tenth and shifts of 1e5 cost on the way there and back.
    np.testing.assert_allclose(back(AT), transform(AT), atol=1e-7)


@pytest.mark.parametrize("name", AFFINE)
@pytest.mark.parametrize("model", ["translation", "rigid", "similarity", "affine"])
def test_every_affine_kind_is_held(name: str, model: str, tmp_path: Path) -> None:
    path = file_for(name, tmp_path)
    write_transform(TRUTH[model], path, name, **FRAMES)
    np.testing.assert_allclose(read_transform(path, name, **FRAMES)(AT), TRUTH[model](AT), atol=1e-6)


@pytest.mark.parametrize("name", DIALECTS)
def test_perspective_survives_or_is_refused(name: str, tmp_path: Path) -> None:
    path = file_for(name, tmp_path)
    truth = TRUTH["projective"]
    carries = DIALECTS[name].carries
    if "projective" in carries:
        write_transform(truth, path, name, **FRAMES)
        np.testing.assert_allclose(read_transform(path, name, **FRAMES)(AT), truth(AT), atol=1e-6)
    elif "any" in carries and name != "warpy":
        write_transform(truth, path, name, **FRAMES)
        np.testing.assert_allclose(read_transform(path, name, **FRAMES)(AT), truth(AT), atol=0.02)
    else:
        with pytest.raises(UnsupportedDialect, match="perspective"):
            write_transform(truth, path, name, **FRAMES)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", DIALECTS)
def test_a_bend_survives_or_is_refused(name: str, tmp_path: Path) -> None:
    path = file_for(name, tmp_path)
    if "any" in DIALECTS[name].carries:
        write_transform(BEND, path, name, **FRAMES)
        back = read_transform(path, name, **FRAMES)
        # The stated bounds: 0.02 and, for Warpy, 0.1 of a pixel of 0.25 µm, plus float32 in our field.
        np.testing.assert_allclose(back(AT), BEND(AT), atol=0.026 if name == "warpy" else 0.006)
    else:
        with pytest.raises(UnsupportedDialect, match="bends"):
            write_transform(BEND, path, name, **FRAMES)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["itk", "elastix"])
def test_a_control_grid_survives_exactly(name: str, tmp_path: Path) -> None:
    coefficients = np.random.default_rng(0).normal(0, 5, (9, 7, 2))
    grid = BSpline(coefficients, origin=(-400, -500), spacing=(350.0, 400.0))
    path = file_for(name, tmp_path)
    write_transform(grid, path, name, **FRAMES)
    back = read_transform(path, name, **FRAMES)
    assert isinstance(back, BSpline)
    np.testing.assert_allclose(back(AT), grid(AT), atol=1e-9)


@pytest.mark.parametrize("name", DIALECTS)
def test_what_is_missing_is_said(name: str, tmp_path: Path) -> None:
    dialect, path = DIALECTS[name], file_for(name, tmp_path)
    shift = Translation.of((3, 4))
    if dialect.unit == "px":
        with pytest.raises(MissingPixelSize, match=r"(fixed|moving)=SlideFrame"):
            write_transform(shift, path, name)
    elif any(need == "size of the fixed slide" for need in dialect.needs):
        with pytest.raises(UnsupportedDialect, match="size"):
            write_transform(shift, path, name)
    else:
        write_transform(shift, path, name)
        np.testing.assert_allclose(read_transform(path, name)(AT), shift(AT), atol=1e-9)


@pytest.mark.parametrize("name", AFFINE)
def test_a_file_tells_its_own_dialect(name: str, tmp_path: Path) -> None:
    path = tmp_path / ("he_imagealignment.csv" if name == "xenium" else file_for(name, tmp_path).name)
    write_transform(TRUTH["rigid"], path, name, **FRAMES)
    np.testing.assert_allclose(read_transform(path, **FRAMES)(AT), TRUTH["rigid"](AT), atol=1e-6)


@pytest.mark.parametrize("name", [n for n in AFFINE if DIALECTS[n].direction == "moving_to_fixed"])
def test_no_inverse_no_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(NotInvertible):
        write_transform(Affine(np.diag([1.0, 0, 1])), file_for(name, tmp_path), name, **FRAMES)
    assert list(tmp_path.iterdir()) == []


HALF_UM, QUARTER_UM = SlideFrame((0.5, 0.5), (100, 100)), SlideFrame((0.25, 0.25), (100, 100))


def layout(name: str, tmp_path: Path, fixed: SlideFrame = HALF_UM, moving: SlideFrame = QUARTER_UM) -> str:
    """The text of a shift by y + 10 µm, x + 20 µm."""
    path = file_for(name, tmp_path)
    write_transform(Translation.of((10, 20)), path, name, fixed=fixed, moving=moving)
    return path.read_text()


def test_csv_is_fixed_to_moving_in_pixels_of_centres(tmp_path: Path) -> None:
    assert layout("csv", tmp_path) == "2.0,0.0,80.0\n0.0,2.0,40.0\n0.0,0.0,1.0\n"


def test_qupath_counts_from_the_corner(tmp_path: Path) -> None:
    # The fixed corner (0, 0) is 0.25 µm before the centre, and half a moving pixel is 0.125 µm.
    assert layout("qupath", tmp_path) == "2.0\t0.0\t79.5\n0.0\t2.0\t39.5\n"


def test_xenium_goes_from_the_added_image_to_the_morphology_image(tmp_path: Path) -> None:
    assert layout("xenium", tmp_path) == "0.5,0.0,-40.0\n0.0,0.5,-20.0\n0.0,0.0,1.0\n"


def test_affinder_is_row_before_column_in_world_units(tmp_path: Path) -> None:
    assert layout("affinder", tmp_path) == "1.0,0.0,-10.0\n0.0,1.0,-20.0\n0.0,0.0,1.0\n"


def test_itk_is_x_first_in_world_units(tmp_path: Path) -> None:
    text = layout("itk", tmp_path)
    assert "Transform: AffineTransform_double_2_2" in text
    assert "Parameters: 1 0 0 1 20 10" in text


def test_elastix_is_x_first_in_world_units(tmp_path: Path) -> None:
    text = layout("elastix", tmp_path)
    assert "(TransformParameters 1.0 0.0 0.0 1.0 20.0 10.0)" in text
    assert "(Spacing 0.5 0.5)" in text
    assert "(Size 100 100)" in text


def test_ngff_is_forward_in_axis_order(tmp_path: Path) -> None:
    import json

    values = json.loads(layout("ngff", tmp_path, SlideFrame(name="if"), SlideFrame(name="he")))
    assert values["type"] == "affine"
    assert values["affine"] == [[1, 0, -10], [0, 1, -20]]
    assert values["input"] == {"path": "he", "name": "physical"}
    assert values["output"] == {"path": "if", "name": "physical"}


def test_spatialdata_names_its_axes(tmp_path: Path) -> None:
    import json

    values = json.loads(layout("spatialdata", tmp_path))
    # Corner (0, 0) of the moving image is half a moving pixel before its centre.
    assert values["affine"] == [[0.5, 0, -19.75], [0, 0.5, -39.75]]
    assert [axis["name"] for axis in values["input"]["axes"]] == ["y", "x"]


def test_warpy_is_three_dimensional(tmp_path: Path) -> None:
    import json

    values = json.loads(layout("warpy", tmp_path))
    assert values["type"] == "InvertibleRealTransformSequence"
    assert values["size"] == 1
    expected = [0.5, 0, 0, -39.75, 0, 0.5, 0, -19.75, 0, 0, 1, 0]
    assert values["realTransform_0"]["affinetransform3d"] == pytest.approx(expected)


def test_a_tool_that_shows_the_whole_scan_counts_from_its_corner(tmp_path: Path) -> None:
    cropped = SlideFrame((0.5, 0.5), (100, 100), bounds_offset_px=(7, 9))
    assert layout("csv", tmp_path, fixed=cropped) == "2.0,0.0,62.0\n0.0,2.0,26.0\n0.0,0.0,1.0\n"


def test_ten_x_genomics_own_example_is_read(tmp_path: Path) -> None:
    path = tmp_path / "he_imagealignment.csv"
    path.write_text(
        "0.011071028838929093,1.2895790134339569,807.9788953065927\n"
        "-1.2895790134339569,0.011071028838929093,73097.655174759\n0,0,1\n"
    )
    pixel = SlideFrame()
    moving_to_fixed = read_transform(path, fixed=pixel, moving=pixel).inverse()
    np.testing.assert_allclose(moving_to_fixed([[0, 0]]), [[73097.655174759, 807.9788953065927]])


def test_pixels_convert_to_pixels_without_knowing_the_slides(tmp_path: Path) -> None:
    source, target = tmp_path / "matrix.csv", tmp_path / "qupath.txt"
    source.write_text("2,0,80\n0,2,40\n0,0,1\n")
    convert_transform(source, target, to_dialect="qupath")
    assert target.read_text() == "2.0\t0.0\t79.5\n0.0\t2.0\t39.5\n"
    with pytest.raises(MissingPixelSize, match="pixel size of the fixed slide"):
        convert_transform(source, tmp_path / "x.tfm", to_dialect="itk")
    convert_transform(source, tmp_path / "x.tfm", to_dialect="itk", fixed=HALF_UM, moving=QUARTER_UM)
    np.testing.assert_allclose(read_transform(tmp_path / "x.tfm")([[0, 0]]), [[10, 20]])


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        *[(name, "", "is empty") for name in ("csv", "qupath", "ngff", "warpy", "elastix")],
        ("csv", "1,0,0\n0,1,0\n", "has 2 lines"),
        ("csv", "1,0,0\n0,one,0\n0,0,1\n", "line 2"),
        ("csv", "1,0,0\n0,1,nan\n0,0,1\n", "line 2"),
        ("csv", "1;0;0\n0;1;0\n0;0;1\n", "line 1: .*semicolons"),
        ("csv", "1,0\n0,1\n0,0\n", "line 1"),
        ("xenium", "1,0,0\n0,1,0\n0,0.5,1\n", "last row"),
        ("qupath", "1 0 0 1 0", "holds 5 numbers"),
        ("qupath", "1 0 0 zero 1 0", "six numbers"),
        ("elastix", "nothing", "no elastix parameter file"),
        ("elastix", '(Transform "AffineTransform")\n(TransformParameters 1 0 0 1 2)', "6 finite numbers"),
        ("elastix", '(Transform "EulerTransform")\n(TransformParameters 1 0 x)', "TransformParameters"),
        ("ngff", "[1, 2]", "no JSON object"),
        ("ngff", "{", "not JSON"),
        ("ngff", "{}", "no coordinate transformation"),
        ("ngff", '{"type": "affine", "affine": [[1, 0], [0, 1]]}', "numbers are"),
        ("ngff", '{"type": "scale", "scale": ["a", 1]}', "something else than numbers"),
        ("warpy", '{"affinetransform3d": [1, 2]}', "incomplete"),
        ("warpy", '{"type": "ThinplateSplineTransform", "srcPts": [[1, 2]], "tgtPts": [[1, 2]]}', "rows"),
        ("itk", "hello", "no ITK transform file"),
        ("itk_field", "hello", "no image that ITK can read"),
        ("npy", "hello", "no .npy file"),
    ],
)
def test_a_damaged_file_is_named(name: str, text: str, words: str, tmp_path: Path) -> None:
    path = file_for(name, tmp_path)
    path.write_text(text)
    with pytest.raises(DamagedFile, match=words):
        read_transform(path, name, **FRAMES)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("ngff", '{"type": "displacements", "path": "x"}', "'displacements' cannot be used"),
        ("ngff", '{"coordinateTransformations": [{"type": "identity"}, {"type": "identity"}]}', "holds 2"),
        (
            "ngff",
            '{"type": "affine", "affine": [[1, 0, 0, 0]], "input": {"axes": [{"name": "z"}, "y", "x"]}}',
            "not those of a plane",
        ),
        ("warpy", '{"type": "BoundedRealTransform"}', "cannot be used"),
        ("elastix", '(Transform "SplineKernelTransform")\n', "cannot be used"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, text: str, words: str, tmp_path: Path) -> None:
    path = file_for(name, tmp_path)
    path.write_text(text)
    with pytest.raises(UnsupportedDialect, match=words):
        read_transform(path, name, **FRAMES)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match="does not exist"):
        read_transform(tmp_path / f"nothing{DIALECTS[name].suffixes[0]}", name, **FRAMES)


def test_unknown_dialects_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedDialect, match="'amira'"):
        read_transform(tmp_path / "x", "amira")
    with pytest.raises(UnsupportedDialect, match="Name the layout"):
        read_transform(tmp_path / "x.am")
    with pytest.raises(WriteError, match="does not exist"):
        write_transform(Translation.identity(), tmp_path / "no" / "x.tfm", "itk")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ('{"type": "identity"}', [[1, 2]]),
        ('{"type": "scale", "scale": [2, 4]}', [[2, 8]]),
        ('{"type": "translation", "translation": [10, 20]}', [[11, 22]]),
        ('{"type": "rotation", "rotation": [[0, 1], [1, 0]]}', [[2, 1]]),
        (
            '{"type": "sequence", "transformations": [{"type": "scale", "scale": [2, 4]}, '
            '{"type": "translation", "translation": [10, 20]}]}',
            [[12, 28]],
        ),
        (
            '{"ome": {"scene": {"coordinateTransformations": '
            '[{"type": "translation", "translation": [1, 1]}]}}}',
            [[2, 3]],
        ),
        (
            '{"type": "affine", "affine": [[1, 0, 0, 0], [0, 1, 0, 5], [0, 0, 1, 7]], '
            '"input": {"axes": ["c", "x", "y"]}, "output": {"axes": ["c", "x", "y"]}}',
            [[8, 7]],
        ),
    ],
)
def test_the_simple_transformations_of_ngff_are_read(values: str, expected: list, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(values)
    moving_to_fixed = read_transform(path, "ngff").inverse()
    np.testing.assert_allclose(moving_to_fixed([[1, 2]]), expected, atol=1e-12)


def test_ngff_written_the_other_way_round_is_turned(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    write_transform(TRUTH["rigid"], path, "ngff", fixed=FIXED, moving=MOVING)
    swapped = read_transform(path, "ngff", fixed=MOVING, moving=FIXED)
    np.testing.assert_allclose(swapped(TRUTH["rigid"](AT)), AT, atol=1e-6)


def test_elastix_chains_and_kinds_are_read(tmp_path: Path) -> None:
    (tmp_path / "TransformParameters.0.txt").write_text(
        '(Transform "EulerTransform")\n(NumberOfParameters 3)\n(TransformParameters 0.5 3.0 4.0)\n'
        '(CenterOfRotationPoint 10 20)\n(InitialTransformParametersFileName "NoInitialTransform")\n'
    )
    (tmp_path / "TransformParameters.1.txt").write_text(
        '// a comment\n(Transform "SimilarityTransform")\n(TransformParameters 1.5 -0.2 1 2)\n'
        "(CenterOfRotationPoint 5 6)\n"
        '(InitialTransformParameterFileName "/somewhere/else/TransformParameters.0.txt")\n'
    )
    found = read_transform(tmp_path / "TransformParameters.1.txt")

    def turn(points: np.ndarray, angle: float, scale: float, centre: tuple, shift: tuple) -> np.ndarray:
        xy = points[:, ::-1] - centre
        c, s = np.cos(angle), np.sin(angle)
        return (scale * xy @ np.array([[c, -s], [s, c]]).T + centre + shift)[:, ::-1]

    expected = turn(turn(AT, 0.5, 1, (10, 20), (3, 4)), -0.2, 1.5, (5, 6), (1, 2))
    np.testing.assert_allclose(found(AT), expected, atol=1e-9)


def test_elastix_files_that_name_themselves_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text(
        '(Transform "TranslationTransform")\n(TransformParameters 1 2)\n'
        '(InitialTransformParameterFileName "t.txt")'
    )
    with pytest.raises(DamagedFile, match="names itself"):
        read_transform(path, "elastix")


def test_a_warpy_spline_is_kept_exactly_once_it_is_one(tmp_path: Path) -> None:
    path = tmp_path / "transform_1_2.json"
    write_transform(BEND, path, "warpy", **FRAMES)
    first = read_transform(path, "warpy", **FRAMES)
    assert re.search("ThinplateSplineTransform", path.read_text())
    np.testing.assert_allclose(first(AT), BEND(AT), atol=0.026)


def test_several_steps_go_into_one_itk_file(tmp_path: Path) -> None:
    coefficients = np.random.default_rng(0).normal(0, 5, (9, 7, 2))
    grid = BSpline(
        coefficients,
        origin=(-400, -500),
        spacing=(350.0, 400.0),
        base=Rigid.of(angle_deg=30, translation=(5, 6)),
    )
    chain = TRUTH["affine"].inverse().then(TRUTH["affine"]).then(grid)
    for transform in (grid, chain):
        write_transform(transform, tmp_path / "chain.h5", "itk")
        np.testing.assert_allclose(read_transform(tmp_path / "chain.h5")(AT), transform(AT), atol=1e-6)


@pytest.mark.parametrize("name", ["itk", "itk_field", "warpy"])
def test_sampling_tells_its_progress_and_can_be_stopped(name: str, tmp_path: Path) -> None:
    told: list[float] = []

    def stop(fraction: float, message: str) -> None:
        told.append(fraction)
        raise Cancelled

    with pytest.raises(Cancelled):
        write_transform(BEND, file_for(name, tmp_path), name, **FRAMES, progress=stop)
    assert len(told) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_bend_finer_than_the_samples_is_refused(tmp_path: Path) -> None:
    # Centres 4 px apart, pulled 40 px to and fro: no grid of 1025 on 60 000 px follows that.
    rng = np.random.default_rng(0)
    fixed = np.vstack([[[0, 0], [0, 59_000], [59_000, 0]], 30_000 + rng.uniform(0, 40, (30, 2))])
    wild = fit_thin_plate(fixed, fixed + rng.normal(0, 40, fixed.shape), smoothing=0)
    with pytest.raises(UnsupportedDialect, match="too finely"):
        write_transform(wild, tmp_path / "field.mha", "itk_field", fixed=SlideFrame((1, 1), (60_000, 60_000)))
    assert list(tmp_path.iterdir()) == []
