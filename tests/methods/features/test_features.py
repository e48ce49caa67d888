"""Matched keypoints on synthetic and on real tissue."""

from pathlib import Path

import numpy as np
import pytest

from napari_histreg.errors import MissingDependency, NotEnoughMatches
from napari_histreg.methods.features.features import Brisk, Features, Freak, Orb, Sift
from napari_histreg.raster import Raster
from napari_histreg.transforms import Similarity
from phantoms import pair
from real_pairs import restained, unrelated


@pytest.mark.parametrize("method", [Sift(), Orb()], ids=lambda m: m.name)
@pytest.mark.parametrize("moving", ["Lung1_dapi", "Lung1_dapi_rotated"])
def test_brightfield_onto_fluorescence(shared: Path, method: Features, moving: str) -> None:
    case = restained(shared, moving)
    found = method.estimate(case.fixed, case.moving)
    # The truth itself is good to about one pixel.
    assert np.median(case.errors(found.fixed_to_moving, margin=0.0)) < 2.0
    assert found.figures["inlier_places"] > 10 * found.figures["chance_places"]


@pytest.mark.parametrize("method", [Sift(), Orb()], ids=lambda m: m.name)
def test_unrelated_tissue_is_refused_with_numbers(shared: Path, method: Features) -> None:
    for fixed, moving in unrelated(shared):
        with pytest.raises(NotEnoughMatches, match=r"\d+ and \d+ keypoints, \d+ matches, \d+ places agree"):
            method.estimate(fixed, moving)


@pytest.mark.parametrize("model", ["rigid", "similarity", "affine", "projective"])
def test_every_model_is_exact_where_it_applies(model: str) -> None:
    case = pair(angle_deg=33.0, shift=(3.5, -7.25), stains=("nuclear", "nuclear"))
    found = Sift(model=model).estimate(case.fixed, case.moving)
    assert found.fixed_to_moving.kind == model
    # Same dye, other noise: an average of hundreds of keypoints, each good to a third of a pixel.
    assert np.median(case.errors(found.fixed_to_moving)) < 0.15


def test_a_negative_is_matched_as_one() -> None:
    case = pair(angle_deg=70.0, stains=("nuclear", "inverted"))
    found = Sift().estimate(case.fixed, case.moving)
    assert found.figures["inverted"]
    assert any("negative" in note for note in found.notes)
    assert np.median(case.errors(found.fixed_to_moving)) < 1.0
    with pytest.raises(NotEnoughMatches):
        Sift(polarity="same").estimate(case.fixed, case.moving)


def test_a_mirrored_image_is_refused_where_mirrors_are_not_tried() -> None:
    case = pair(angle_deg=20.0, mirrored=True)
    with pytest.raises(NotEnoughMatches):
        Sift(mirror=False).estimate(case.fixed, case.moving)


def test_the_landmarks_are_those_that_agree() -> None:
    case = pair(angle_deg=10.0)
    found = Sift().estimate(case.fixed, case.moving)
    assert found.landmarks is not None
    assert len(found.landmarks) == found.figures["inliers"]
    off = np.linalg.norm(case.fixed_to_moving(found.landmarks.fixed) - found.landmarks.moving, axis=1)
    assert np.median(off) < 1.5


def test_agreement_in_one_spot_is_no_alignment() -> None:
    """A stamp that both of two unrelated pictures carry must not align them."""
    fixed, moving = (pair(seed=seed).fixed for seed in (1, 2))
    stamp = np.random.default_rng(5).random((8, 8)).repeat(3, 0).repeat(3, 1)
    a, b = fixed.pixels.copy(), moving.pixels.copy()
    a[5:29, 5:29], b[220:244, 200:224] = stamp, stamp
    with pytest.raises(NotEnoughMatches):
        Sift(min_inliers=4).estimate(Raster(a), Raster(b))


def test_a_large_image_is_worked_on_reduced() -> None:
    case = pair(angle_deg=15.0, shift=(10.0, 4.0), shape=(512, 512))
    found = Sift(max_side_px=300).estimate(case.fixed, case.moving)
    assert np.median(case.errors(found.fixed_to_moving)) < 1.5


def test_a_start_is_not_needed_and_does_no_harm() -> None:
    case = pair(angle_deg=100.0)
    wrong = Similarity.of(angle_deg=-100.0)
    found = Sift().estimate(case.fixed, case.moving, initial=wrong)
    assert np.median(case.errors(found.fixed_to_moving)) < 1.0


@pytest.mark.thorough
@pytest.mark.parametrize("method", [Brisk(), Freak()], ids=lambda m: m.name)
def test_contrib_detectors_work_or_say_what_to_install(method: Features) -> None:
    case = pair(angle_deg=10.0, shape=(384, 384), stains=("nuclear", "nuclear"))
    try:
        found = method.estimate(case.fixed, case.moving)
    except MissingDependency as error:
        assert "opencv-contrib-python-headless" in str(error)  # noqa: PT017
    else:
        assert np.median(case.errors(found.fixed_to_moving)) < 1.0
