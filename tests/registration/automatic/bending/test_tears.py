"""Torn tissue: said where it is, cut where it is torn, and never taken for what bends or for mistakes."""

from dataclasses import replace

import numpy as np
import pytest

from napari_histreg.registration.automatic.bending.measurements import Measurements, best_of_each_tile
from napari_histreg.registration.automatic.bending.pieces import fit_pieces
from napari_histreg.registration.automatic.bending.sampled import write_field
from napari_histreg.registration.automatic.bending.tears import find_breaks

NORMAL = np.array([0.26, 0.966])
MIDDLE = 4000.0
CLEAR_Z = 5.5


def beyond(places):
    return (places - MIDDLE) @ NORMAL > 0


def smooth(places):
    return np.stack([15 * np.sin(places[:, 1] / 1500), 10 * np.cos(places[:, 0] / 1300)], -1)


def tiles(gap, *, wrong=0.05, count=400, seed=0):
    """Displacements of round tissue, the far side of a slanting line moved away by `gap`."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 8000, (count, 2))
    places = places[np.linalg.norm(places - MIDDLE, axis=1) < 3800]
    values = smooth(places) + np.where(beyond(places), gap, 0.0)[:, None] * NORMAL
    values += rng.normal(0, 0.3, values.shape)
    mistaken = rng.random(len(places)) < wrong
    values[mistaken] += rng.uniform(-40, 40, (int(mistaken.sum()), 2))
    n = len(places)
    full = [np.full(n, v) for v in (0.3, 20.0, 0.0, 5.0, 600.0)]
    return Measurements(places, values, *full, np.arange(float(n)))


@pytest.mark.parametrize("gap", [60.0, -200.0])
def test_tissue_cut_in_two_is_seen_and_parted(gap):
    measured = tiles(gap)
    breaks = find_breaks(measured, CLEAR_Z)
    assert breaks.count == 2
    for piece in range(2):
        share = beyond(measured.places[breaks.pieces == piece]).mean()
        assert min(share, 1 - share) < 0.02
    # They lie along the line, and tell by how much and which way.
    assert np.abs((breaks.middles - MIDDLE) @ NORMAL).max() < 700
    assert np.median(breaks.gaps) == pytest.approx(gap, rel=0.3)


def test_a_fold_is_seen_through_what_it_did_to_the_affine_start():
    """The start is pulled towards the jump, so that both sides seem stretched the other way."""
    measured = tiles(-200.0)
    design = np.c_[measured.places, np.ones(len(measured))]
    start = design @ np.linalg.lstsq(design, measured.values, rcond=None)[0]
    pulled = replace(measured, values=measured.values - start)
    assert find_breaks(pulled, CLEAR_Z).count == 2
    # As it is where a start of overviews is pulled further than the jump asks for.
    pulled = replace(measured, values=measured.values + 0.06 * (measured.places - MIDDLE))
    breaks = find_breaks(pulled, CLEAR_Z)
    assert breaks.count == 2
    assert np.median(breaks.gaps) == pytest.approx(-200.0, rel=0.3)


@pytest.mark.parametrize("seed", range(4))
def test_whole_tissue_with_mistaken_tiles_is_not_called_torn(seed):
    breaks = find_breaks(tiles(0.0, wrong=0.1, seed=seed), CLEAR_Z)
    assert breaks.count == 1
    assert not len(breaks.middles)


def test_few_or_unclear_tiles_tell_nothing():
    measured = tiles(60.0)
    assert find_breaks(measured[np.arange(10)], CLEAR_Z).count == 1
    assert find_breaks(measured, 30.0).count == 1
    assert find_breaks(Measurements.none(), CLEAR_Z).count == 0


@pytest.mark.parametrize("gap", [60.0, -200.0])
def test_each_piece_follows_its_own_tissue(gap):
    measured = tiles(gap)
    field, order = fit_pieces(measured, find_breaks(measured, CLEAR_Z))
    assert sorted(order) == list(range(len(measured)))
    np.testing.assert_array_equal(field.places, measured.places[order])
    points = np.random.default_rng(1).uniform(1500, 6500, (2000, 2))
    away = np.abs((points - MIDDLE) @ NORMAL) > 600
    truth = smooth(points) + np.where(beyond(points), gap, 0.0)[:, None] * NORMAL
    error = np.linalg.norm(field(points) - truth, axis=1)
    assert np.percentile(error[away], 95) < 1.0


@pytest.mark.parametrize("gap", [60.0, -200.0])
def test_the_written_field_passes_over_without_a_fold(gap):
    measured = tiles(gap)
    field, _ = fit_pieces(measured, find_breaks(measured, CLEAR_Z))
    written = write_field(field, np.eye(3), np.zeros(2), np.array([8000.0, 8000.0]))
    assert written is not None
    assert written.min_jacobian > 0.2


def test_of_a_tile_measured_twice_the_better_version_stays():
    measured = tiles(0.0)[np.arange(6)]
    low, high = measured[np.array([0, 1, 2])], measured[np.array([1, 2, 3])]
    low.z[:] = [9.0, 9.0, 7.0]
    high.z[:] = [8.0, 8.0, 8.0]
    best = best_of_each_tile([low, high])
    assert sorted(zip(best.tiles.tolist(), best.z.tolist(), strict=True)) == [(0, 9), (1, 9), (2, 8), (3, 8)]
