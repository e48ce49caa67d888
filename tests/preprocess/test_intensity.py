import numpy as np
import pytest

from napari_histreg.preprocess import (
    equalise,
    gaussian_normalise,
    local_normalise,
    masked_blur,
    scale_percentiles,
)

EVERY = {
    "percentiles": scale_percentiles,
    "equalise": equalise,
    "gaussian": gaussian_normalise,
    "local": lambda plane, mask=None: local_normalise(plane, 5, mask),
    "blur": lambda plane, mask=None: masked_blur(plane, 2, mask),
}


@pytest.fixture
def plane():
    rng = np.random.default_rng(0)
    return (rng.normal(500, 40, (60, 70)) + np.arange(70) * 3).astype(np.float32)


@pytest.mark.parametrize("function", EVERY.values(), ids=EVERY.keys())
def test_what_is_masked_or_not_a_number_changes_nothing_elsewhere(function, plane):
    mask = np.ones(plane.shape, bool)
    mask[:, :15] = False
    dirty = plane.copy()
    dirty[:, :15] = 1e6
    dirty[3, 3], dirty[4, 4] = np.nan, -np.inf
    before = dirty.copy()
    clean = function(plane, mask)
    found = function(dirty, mask)
    np.testing.assert_allclose(found[mask], clean[mask], atol=1e-5)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(dirty, before)


@pytest.mark.parametrize("function", list(EVERY.values())[:4], ids=list(EVERY)[:4])
@pytest.mark.parametrize("value", [0.0, 7.0, 1e5])
def test_a_constant_plane_gives_zeros(function, value):
    assert not function(np.full((20, 20), value)).any()
    assert not function(np.full((20, 20), np.nan)).any()


@pytest.mark.parametrize("function", list(EVERY.values())[:4], ids=list(EVERY)[:4])
def test_gain_and_offset_do_not_matter(function, plane):
    # float32 keeps 7 digits: an offset of 30 times the contrast costs two of them
    np.testing.assert_allclose(function(plane * 40 + 300), function(plane), atol=2e-3)


def test_percentiles_go_to_zero_and_one(plane):
    scaled = scale_percentiles(plane, low=10, high=90)
    assert np.percentile(scaled, 50) == pytest.approx(0.5, abs=0.05)
    assert (scaled == 0).mean() == pytest.approx(0.10, abs=0.01)
    assert (scaled == 1).mean() == pytest.approx(0.10, abs=0.01)


def test_percentiles_keep_sparse_signal():
    plane = np.zeros((100, 100))
    plane[50, 50] = 9
    assert scale_percentiles(plane)[50, 50] == 1


def test_equalised_histogram_is_flat(plane):
    counts, _ = np.histogram(equalise(plane**4), bins=10, range=(0, 1))
    assert counts.min() > 0.9 * counts.mean()


def test_local_normalisation_takes_away_shading(plane):
    flat = np.random.default_rng(1).normal(0, 1, (80, 80))
    shaded = flat * (1 + np.arange(80) / 20) + np.arange(80)[:, None] * 2
    inner = (slice(15, -15), slice(15, -15))
    reference = local_normalise(flat, 8)[inner]
    found = local_normalise(shaded, 8)[inner]
    assert np.corrcoef(reference.ravel(), found.ravel())[0, 1] > 0.98
    left, right = found[:, :15].std(), found[:, -15:].std()
    assert left / right == pytest.approx(1, abs=0.25)


def test_shapes_are_checked():
    with pytest.raises(ValueError, match="one plane"):
        scale_percentiles(np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match="mask"):
        scale_percentiles(np.zeros((3, 4)), np.ones((4, 3), bool))
    with pytest.raises(ValueError, match="Percentiles"):
        scale_percentiles(np.zeros((3, 4)), low=90, high=10)
