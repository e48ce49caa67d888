"""The search over all shifts."""

from pathlib import Path

import numpy as np
import pytest

from napari_histreg.errors import NotConverged
from napari_histreg.methods.fourier.correlation import Correlation
from napari_histreg.raster import Raster
from napari_histreg.transforms import Translation
from phantoms import Pair, pair
from real_pairs import restained, unrelated


def test_brightfield_onto_fluorescence(shared: Path) -> None:
    case = restained(shared, "Lung1_dapi")
    found = Correlation().estimate(case.fixed, case.moving)
    assert np.median(case.errors(found.fixed_to_moving, margin=0.0)) < 1.5


def test_unrelated_tissue_is_refused(shared: Path) -> None:
    for fixed, moving in unrelated(shared):
        with pytest.raises(NotConverged):
            Correlation().estimate(fixed, moving)


def test_a_small_part_is_found_anywhere() -> None:
    whole = pair(stains=("nuclear", "other"))
    part = Raster(whole.moving.pixels[20:110, 130:230])
    case = Pair(
        Raster(whole.fixed.pixels[25:105, 135:225], origin=(25.0, 135.0)),
        part,
        Translation.of((-20.0, -130.0)),
    )
    found = Correlation().estimate(whole.fixed, part)
    assert np.median(case.errors(found.fixed_to_moving)) < 0.2


def test_a_negative_is_found_unless_excluded() -> None:
    case = pair(shift=(12.0, -9.0), stains=("nuclear", "inverted"))
    found = Correlation().estimate(case.fixed, case.moving)
    assert np.median(case.errors(found.fixed_to_moving)) < 0.2
    with pytest.raises(NotConverged):
        Correlation(polarity="same").estimate(case.fixed, case.moving)


def test_a_turned_image_is_refused() -> None:
    case = pair(angle_deg=60.0)
    with pytest.raises(NotConverged, match="stands out"):
        Correlation().estimate(case.fixed, case.moving)
