"""Phase correlation and Fourier-Mellin on synthetic and on real tissue."""

from pathlib import Path

import numpy as np
import pytest

from napari_histreg.errors import RegistrationError
from napari_histreg.methods.fourier.phase import Phase
from napari_histreg.raster import Raster
from phantoms import pair
from real_pairs import restained, unrelated


def test_any_turn_and_scale_on_real_tissue(shared: Path) -> None:
    case = restained(shared, "Lung1_dapi_rotated")
    found = Phase().estimate(case.fixed, case.moving)
    # The truth itself is good to about one pixel.
    assert np.median(case.errors(found.fixed_to_moving, margin=0.0)) < 1.5


def test_unrelated_tissue_is_refused(shared: Path) -> None:
    for fixed, moving in unrelated(shared)[2:3]:
        with pytest.raises(RegistrationError):
            Phase().estimate(fixed, moving)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (7.25, -3.6), (60.4, 71.3)])
def test_a_shift_is_found_to_a_fraction_of_a_pixel(shift: tuple[float, float]) -> None:
    case = pair(shift=shift)
    found = Phase(model="translation").estimate(case.fixed, case.moving)
    assert found.fixed_to_moving.kind == "translation"
    # The up-sampled transform answers in steps of a twentieth of a pixel.
    assert np.median(case.errors(found.fixed_to_moving)) < 0.15


@pytest.mark.parametrize("stain", ["other", "inverted"])
def test_mirror_turn_and_scale_together(stain: str) -> None:
    case = pair(angle_deg=-70.0, scale=0.8, mirrored=True, stains=("nuclear", stain))
    found = Phase().estimate(case.fixed, case.moving)
    assert np.median(case.errors(found.fixed_to_moving)) < 0.5


def test_masks_with_strong_edges_do_not_hold_the_images() -> None:
    """A frame of other brightness, masked in both: its edges would correlate best."""
    case = pair(shift=(9.0, 14.0))
    images = []
    for raster in (case.fixed, case.moving):
        pixels, mask = raster.pixels.copy(), np.zeros(raster.shape, bool)
        mask[30:-30, 30:-30] = True
        pixels[~mask] = 5.0
        images.append(Raster(pixels, raster.spacing, raster.origin, mask))
    found = Phase(model="translation").estimate(*images)
    assert np.median(case.errors(found.fixed_to_moving)) < 0.3


def test_a_part_is_found_in_the_whole() -> None:
    case = pair(shift=(5.0, -3.0), moving_shape=(150, 180))
    found = Phase().estimate(case.fixed, case.moving)
    assert np.median(case.errors(found.fixed_to_moving)) < 0.5
