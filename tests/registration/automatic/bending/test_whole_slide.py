"""Whole slides that bend: brought together to a fraction of a µm, judged by tiles that took no part."""

import numpy as np
import pytest

from bent_slides import bent_slides
from napari_histreg.matching.smooth_field import Prior, fit_smooth_field
from napari_histreg.progress import Cancelled
from napari_histreg.quality.assessment import assess
from napari_histreg.quality.sections import report_page
from napari_histreg.records.bend_tables import expected_error, torn_places
from napari_histreg.records.document import from_json, to_json
from napari_histreg.registration.automatic.bending.pieces import PiecewiseField
from napari_histreg.registration.automatic.bending.places import Ground
from napari_histreg.registration.automatic.bending.whole_slide import bend_whole_slide, covered
from napari_histreg.registration.automatic.overview import look_at
from napari_histreg.registration.automatic.tiles import Side
from napari_histreg.registration.register import register
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Affine, fit_affine
from napari_histreg.transforms.displacement import DisplacementField


def sides_of(case):
    return Side(case.fixed, look_at(case.fixed)), Side(case.moving, look_at(case.moving))


def start(case):
    """The best affine map there is, as an overview would find it."""
    return fit_affine(case.nuclei, case.moved).matrix


def errors(transform, case):
    return np.linalg.norm(transform(case.nuclei) - case.moved, axis=1) / 1.03


@pytest.fixture(scope="module")
def bent():
    return bent_slides(2400, 15.0)


@pytest.fixture(scope="module")
def aligned(bent):
    return register(bent.fixed, bent.moving, nonrigid=True)


def test_bent_slides_are_brought_together(bent, aligned):
    affine = errors(Affine(start(bent)), bent)
    error = errors(aligned.fixed_to_moving, bent)
    assert aligned.verdict == "accepted"
    assert np.median(affine) > 2.0
    assert np.median(error) < 0.4
    assert np.percentile(error, 90) < 1.0
    assert "took no part in the field" in " ".join(aligned.reasons)


def test_the_record_says_how_fine_how_stiff_and_how_sure(bent, aligned):
    scores = next(step.scores for step in aligned.steps if step.name == "bend")
    assert scores["finest spacing"] == pytest.approx(1.0)
    assert scores["min_jacobian"] > 0.2
    assert scores["field samples"] == list(aligned.fixed_to_moving.values.shape[:2])
    assert scores["distance of field samples"] == pytest.approx(
        max(aligned.fixed_to_moving.spacing), rel=1e-3
    )
    assert scores["bent"] < 0.5 < scores["affine"]
    table = expected_error(aligned)
    assert not len(torn_places(aligned))
    assert len(table) > 50
    # Where nuclei lie, the bound holds for most; it would be no bound if it were as large as the bend.
    nearest = np.linalg.norm(bent.nuclei[:, None] - table[None, :, :2], axis=-1).argmin(1)
    within = errors(aligned.fixed_to_moving, bent) <= table[nearest, 2]
    assert within.mean() > 0.8
    assert np.median(table[:, 2]) < 0.6


def test_the_field_covers_what_both_slides_show_and_as_much_as_it_takes_to_run_out():
    slide = open_slide(np.zeros((4000, 6000), np.uint8), pixel_size_um=1.0)
    ground = Ground(np.ones((50, 40)), np.array([1000.0, 2000.0]), 10.0)
    places = np.random.default_rng(0).uniform([1000, 2000], [1500, 2400], (40, 2))
    field = fit_smooth_field(places, np.sin(places / 90), np.full(40, 0.01), prior=Prior(100.0, 1.0))
    origin, size = covered(slide, ground, PiecewiseField((field,)))
    np.testing.assert_allclose(origin, [700, 1700])
    np.testing.assert_allclose(origin + size, [1790, 2690])
    edges = np.array([origin, origin + size, [origin[0], 2200.0]])
    assert np.abs(PiecewiseField((field,)).carried_on(edges)).max() < 0.03
    wide = fit_smooth_field(places, np.sin(places / 90), np.full(40, 0.01), prior=Prior(1e4, 1.0))
    np.testing.assert_allclose(covered(slide, ground, PiecewiseField((wide,))), [[0, 0], [3999, 5999]])


def test_the_field_does_not_fold_and_turns_back(bent, aligned):
    field = aligned.fixed_to_moving
    assert isinstance(field, DisplacementField)
    assert field.folding().minimum > 0.2
    back = field.inverse()(field(bent.nuclei))
    assert np.linalg.norm(back - bent.nuclei, axis=1).max() < 1e-3


def test_the_record_keeps_it_and_the_report_draws_it(bent, aligned):
    again = from_json(to_json(aligned))
    np.testing.assert_array_equal(expected_error(again), expected_error(aligned))
    np.testing.assert_array_equal(again.fixed_to_moving.values, aligned.fixed_to_moving.values)
    assert len(to_json(aligned)) < 1_000_000
    found = assess(bent.fixed, bent.moving, aligned)
    assert found.pictures["bend_map"].shape[1] == pytest.approx(560, abs=10)
    page = report_page(aligned, found, bent.fixed, bent.moving)
    assert "nine of ten errors" in page
    assert "At y, x" not in page


def test_a_rigid_pair_stays_affine():
    case = bent_slides(1700, 0.0)
    result = register(case.fixed, case.moving, nonrigid=True)
    assert result.is_affine
    assert np.median(errors(result.fixed_to_moving, case)) < 0.3
    assert "the affine alignment stays" in " ".join(result.reasons)


def test_an_affine_result_says_that_the_tissue_is_bent(bent):
    result = register(bent.fixed, bent.moving)
    assert result.is_affine
    assert "The tissue is bent" in " ".join(result.reasons)
    assert "the same cells" not in " ".join(result.reasons)


def test_slides_no_finer_than_their_overviews_are_left_to_it():
    case = bent_slides(700, 0.0)
    assert bend_whole_slide(sides_of(case), start(case), {}) is None


def test_other_tissue_is_not_bent_onto_it():
    case, other = bent_slides(1700, 0.0), bent_slides(1700, 0.0, seed=5)
    sides = sides_of(case)[0], sides_of(other)[1]
    result = bend_whole_slide(sides, start(case), {})
    assert result is None or result.fixed_to_moving is None


def test_it_can_be_cancelled(bent):
    def stop(fraction, message):
        if fraction > 0.2:
            raise Cancelled

    with pytest.raises(Cancelled):
        bend_whole_slide(sides_of(bent), start(bent), {}, progress=stop)
