"""Mutual information by SimpleITK."""

import time
from pathlib import Path

import numpy as np
import pytest

from napari_histreg.errors import RegistrationError
from napari_histreg.methods.intensity.mutual_information import MutualInformation
from napari_histreg.progress import Cancelled
from napari_histreg.transforms import Similarity
from phantoms import pair
from real_pairs import restained, unrelated


@pytest.mark.parametrize(
    ("angle", "stain"),
    [
        (-15.0, "other"),
        (15.0, "inverted"),
        pytest.param(15.0, "other", marks=pytest.mark.thorough),
        pytest.param(-15.0, "inverted", marks=pytest.mark.thorough),
    ],
)
def test_fifteen_degrees_are_bridged(angle: float, stain: str) -> None:
    case = pair(angle_deg=angle, shift=(6.0, -8.0), stains=("nuclear", stain))
    found = MutualInformation().estimate(case.fixed, case.moving)
    assert np.median(case.errors(found.fixed_to_moving)) < 0.2


@pytest.mark.parametrize(
    ("transform", "truth"),
    [
        ("rigid", {"angle_deg": 5.0}),
        ("similarity", {"angle_deg": 5.0, "scale": 1.06}),
        ("affine", {"angle_deg": 5.0, "scale": 1.03, "stretch": 0.95}),
    ],
)
def test_each_transform(transform: str, truth: dict[str, float]) -> None:
    case = pair(**truth)  # type: ignore[arg-type]
    found = MutualInformation(transform=transform).estimate(case.fixed, case.moving)
    assert found.fixed_to_moving.kind == transform
    assert np.median(case.errors(found.fixed_to_moving)) < 0.2


def test_mean_squares_on_the_same_dye() -> None:
    case = pair(angle_deg=7.0, shift=(3.0, 3.0), stains=("nuclear", "nuclear"))
    found = MutualInformation(metric="mean_squares").estimate(case.fixed, case.moving)
    assert np.median(case.errors(found.fixed_to_moving)) < 0.2


def test_brightfield_onto_fluorescence(shared: Path) -> None:
    case = restained(shared, "Lung1_dapi")
    found = MutualInformation().estimate(case.fixed, case.moving)
    # The truth itself is good to about one pixel.
    assert np.median(case.errors(found.fixed_to_moving, margin=0.0)) < 1.5


def test_unrelated_tissue_is_refused(shared: Path) -> None:
    for fixed, moving in unrelated(shared)[1:3]:
        with pytest.raises(RegistrationError):
            MutualInformation().estimate(fixed, moving)


def test_a_mirrored_start_is_kept() -> None:
    case = pair(angle_deg=140.0, mirrored=True)
    nearly = Similarity.of(angle_deg=8.0, translation=(4.0, 2.0), centre=(128.0, 128.0))
    found = MutualInformation(transform="rigid").estimate(
        case.fixed, case.moving, initial=nearly.then(case.fixed_to_moving)
    )
    assert np.median(case.errors(found.fixed_to_moving)) < 0.2


def test_a_cancel_within_a_level_is_heard_at_once() -> None:
    case = pair(shape=(512, 512))
    asked: list[float] = []

    def stop(fraction: float, message: str) -> None:
        if fraction > 0.6:
            asked.append(time.monotonic())
            raise Cancelled

    with pytest.raises(Cancelled):
        MutualInformation(sampling=1.0, iterations=5000).estimate(case.fixed, case.moving, progress=stop)
    assert len(asked) == 1
    assert time.monotonic() - asked[0] < 2.0
