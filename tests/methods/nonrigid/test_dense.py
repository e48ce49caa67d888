"""The methods that bend from a start: optical flow, demons and the free-form grid."""

import time

import numpy as np
import pytest

from bent import BASE, SIDE, bend, bent_pair
from napari_histreg.errors import NotConverged
from napari_histreg.methods.method import Method
from napari_histreg.methods.nonrigid.demons import Demons
from napari_histreg.methods.nonrigid.dense import conclude, lay_out
from napari_histreg.methods.nonrigid.free_form import FreeForm
from napari_histreg.methods.nonrigid.instance import InstanceOptimisation
from napari_histreg.methods.nonrigid.optical_flow import OpticalFlow
from napari_histreg.methods.signal import comparable_pair
from napari_histreg.progress import Cancelled
from napari_histreg.raster import Raster
from napari_histreg.transforms import Affine
from napari_histreg.transforms.bspline import BSpline
from napari_histreg.transforms.displacement import DisplacementField

USUAL = [OpticalFlow(), OpticalFlow(solver="dis"), Demons(), FreeForm(), InstanceOptimisation()]
RARE = [
    OpticalFlow(solver="ilk"),
    Demons(variant="diffeomorphic"),
    InstanceOptimisation(similarity="mind"),
    InstanceOptimisation(similarity="mi"),
    InstanceOptimisation(similarity="mse", smoothness="gradient"),
]
METHODS = [*USUAL, *(pytest.param(method, marks=pytest.mark.thorough) for method in RARE)]


def label(method: Method) -> str:
    return "-".join([method.name, *(str(v) for v in method.model_dump().values() if isinstance(v, str))])


def inner_errors(found, amplitude=5.0):
    """Errors in px of the fixed raster, where the neighbourhood of a point is seen too."""
    grid = np.stack(np.meshgrid(*[np.linspace(40, SIDE - 40, 13)] * 2, indexing="ij"), -1).reshape(-1, 2)
    return np.linalg.norm(found(grid) - bend(amplitude)(grid), axis=1) / 0.9


@pytest.mark.parametrize("method", METHODS, ids=label)
@pytest.mark.parametrize("stain", ["other", pytest.param("inverted", marks=pytest.mark.thorough)])
def test_takes_most_of_a_bend_away(method, stain):
    case = bent_pair(5.0, stain)
    result = method.estimate(case.fixed, case.moving, initial=BASE)
    before, after = np.median(inner_errors(BASE)), np.median(inner_errors(result.fixed_to_moving))
    assert before > 3
    # The stains share their nuclei only, and those not alike; all methods keep some stiffness.
    assert after < before / 2
    found = result.fixed_to_moving
    assert found.folding().minimum == result.figures["smallest_jacobian"] > 0
    assert isinstance(found, BSpline if method.name == "free_form" else DisplacementField)
    np.testing.assert_array_equal(found.base.matrix, BASE.matrix)


@pytest.mark.parametrize("method", [OpticalFlow(solver="dis"), FreeForm(iterations=20)], ids=label)
def test_goes_on_from_a_bent_start(method):
    case = bent_pair(5.0)
    result = method.estimate(case.fixed, case.moving, initial=bend(4.0))
    assert result.fixed_to_moving.kind == "sequence"
    assert np.median(inner_errors(result.fixed_to_moving)) < np.median(inner_errors(BASE)) / 2


def test_a_flow_that_folds_is_smoothed_and_says_so():
    case = bent_pair(0.0)
    pair = lay_out(*comparable_pair(case.fixed, case.moving), BASE, 512)
    _, x = np.indices(pair.fixed.shape, np.float32)
    wild = np.stack([np.zeros_like(x), 12 * np.sin(x / 5)], -1).astype(np.float32)
    result = conclude(pair, wild, "The test")
    assert "folded the tissue and was smoothed" in result.notes[0]
    assert result.fixed_to_moving.folding().minimum > 0


def test_a_grid_that_folds_is_widened_and_says_so(monkeypatch):
    """Grids below 100 px fold here, as those of a wild fit do; wider ones do not."""
    asked = []

    def fitted(self, a, b, start, grid_px, progress):
        asked.append(round(grid_px))
        coefficients = np.zeros((8, 8, 2))
        if grid_px < 100:
            coefficients[3, 3], coefficients[3, 4] = (0, 300), (0, -300)
        return BSpline(coefficients, origin=(-100, -100), spacing=(100, 100)), 0.0

    monkeypatch.setattr(FreeForm, "_fitted", fitted)
    case = bent_pair(0.0)
    result = FreeForm().estimate(case.fixed, case.moving, initial=BASE)
    assert asked == [64, 90, 125]
    assert result.notes == ("A grid of 64 px folded the tissue; it was widened to 125 px.",)
    with pytest.raises(NotConverged, match="folds the tissue"):
        FreeForm(grid_spacing_px=8).estimate(case.fixed, case.moving, initial=BASE)


def test_a_start_that_shows_nothing_is_an_error():
    case = bent_pair(0.0)
    away = BASE.then(Affine([[1, 0, 5000], [0, 1, 0], [0, 0, 1]]))
    for method in (OpticalFlow(), Demons(), FreeForm()):
        with pytest.raises(NotConverged, match="start"):
            method.estimate(case.fixed, case.moving, initial=away)


@pytest.mark.parametrize(
    "method", [OpticalFlow(), Demons(iterations=5000), FreeForm(iterations=5000)], ids=label
)
def test_ends_soon_after_a_cancel(method):
    """Two seconds are promised; at the default working size, on pictures as large as that."""
    rng = np.random.default_rng(0)
    pixels = np.kron(rng.random((128, 128)), np.ones((4, 4))).astype(np.float32)
    raster = Raster(pixels)
    moment = []

    def stop(fraction, message):
        if fraction > 0.3:
            moment.append(time.process_time())
            raise Cancelled

    with pytest.raises(Cancelled):
        method.estimate(raster, raster, initial=Affine.identity(), progress=stop)
    assert time.process_time() - moment[0] < 1.0
