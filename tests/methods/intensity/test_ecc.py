"""The enhanced correlation coefficient on synthetic and on real tissue."""

from pathlib import Path

import numpy as np
import pytest

from napari_histreg.errors import NotConverged
from napari_histreg.methods.intensity.ecc import ECC
from napari_histreg.raster import Raster
from napari_histreg.transforms import Affine, Projective, Similarity
from phantoms import pair
from real_pairs import restained, unrelated


@pytest.mark.parametrize("motion", ["translation", "euclidean", "affine"])
def test_brightfield_onto_fluorescence(shared: Path, motion: str) -> None:
    case = restained(shared, "Lung1_dapi")
    found = ECC(motion=motion).estimate(case.fixed, case.moving)
    # The truth itself is good to about one pixel.
    assert np.median(case.errors(found.fixed_to_moving, margin=0.0)) < 1.5
    assert found.score is not None
    assert found.score > 0.8


def test_unrelated_tissue_is_refused(shared: Path) -> None:
    for fixed, moving in unrelated(shared):
        with pytest.raises(NotConverged):
            ECC().estimate(fixed, moving)


def test_a_rotation_beyond_reach_is_refused(shared: Path) -> None:
    case = restained(shared, "Lung1_dapi_rotated")
    with pytest.raises(NotConverged, match="initial"):
        ECC().estimate(case.fixed, case.moving)


@pytest.mark.parametrize(
    ("motion", "truth"),
    [
        ("translation", {"shift": (4.3, -7.7)}),
        ("euclidean", {"shift": (1.0, 2.0), "angle_deg": 4.0}),
        ("affine", {"angle_deg": 3.0, "scale": 1.03, "stretch": 0.97}),
        ("homography", {"angle_deg": 3.0, "scale": 1.03, "stretch": 0.97}),
    ],
)
def test_each_motion_is_exact(motion: str, truth: dict) -> None:
    case = pair(**truth)
    found = ECC(motion=motion).estimate(case.fixed, case.moving)
    assert np.median(case.errors(found.fixed_to_moving)) < 0.15
    kind = {"euclidean": "rigid", "homography": "projective"}.get(motion, motion)
    assert found.fixed_to_moving.kind == kind


def test_perspective_is_found() -> None:
    case = pair(shift=(2.0, 1.0))
    bend = Projective(np.array([[1, 0, 0], [0, 1, 0], [8e-5, -5e-5, 1]]))
    still = Affine.identity()
    found = ECC(motion="homography").estimate(case.fixed, case.moving, initial=bend.then(still))
    # The start bends by up to 4 px; what is found must take it back.
    assert np.median(case.errors(found.fixed_to_moving)) < 0.3


def test_any_start_is_taken_further() -> None:
    """A mirrored, turned and scaled start: what changes is on top of it."""
    case = pair(angle_deg=140.0, scale=0.8, mirrored=True)
    nearly = Similarity.of(angle_deg=2.0, translation=(2.0, -3.0), centre=(128.0, 128.0))
    found = ECC(motion="euclidean").estimate(
        case.fixed, case.moving, initial=nearly.then(case.fixed_to_moving)
    )
    assert found.fixed_to_moving.kind == "similarity"
    assert np.median(case.errors(found.fixed_to_moving)) < 0.3


def test_frames_that_begin_elsewhere_are_centred_on_one_another() -> None:
    case = pair(shift=(2.0, -2.0))
    away = Raster(case.moving.pixels, case.moving.spacing, (5000.0, -3000.0))
    found = ECC().estimate(case.fixed, away)
    moved = np.add(case.fixed_to_moving([[100.0, 100.0]]), (5000.0, -3000.0))
    assert np.abs(found.fixed_to_moving([[100.0, 100.0]]) - moved).max() < 0.3


def test_an_even_filter_is_refused() -> None:
    with pytest.raises(ValueError, match="odd"):
        ECC(gaussian_px=4)
