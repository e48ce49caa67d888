import numpy as np
import pytest

from napari_histreg.quality.similarity import (
    entropy,
    measure_similarity,
    mutual_information,
    similarity_before_after,
)


@pytest.fixture
def pair():
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    first = gaussian_filter(rng.random((90, 110)), 2)
    second = gaussian_filter(rng.random((90, 110)), 2) * 0.3 + first
    return first, second


def test_ssim_and_nmi_are_those_of_scikit_image(pair):
    from skimage.metrics import normalized_mutual_information, structural_similarity

    found = measure_similarity(*pair)
    _, each = structural_similarity(*pair, win_size=7, data_range=1.0, full=True)
    assert found.nmi == pytest.approx(normalized_mutual_information(*pair, bins=100), abs=1e-6)
    assert found.ssim == pytest.approx(each[3:-3, 3:-3].mean(), abs=1e-6)
    assert found.ssim == pytest.approx(structural_similarity(*pair, win_size=7, data_range=1.0), abs=1e-6)


def test_differences_and_correlation_are_those_of_numpy(pair):
    mask = np.zeros(pair[0].shape, bool)
    mask[20:70, 30:100] = True
    a, b = pair[0][mask], pair[1][mask]
    found = measure_similarity(*pair, mask)
    assert found.l1 == pytest.approx(np.abs(a - b).mean())
    assert found.rmse == pytest.approx(np.sqrt(((a - b) ** 2).mean()))
    assert found.ncc == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert found.pixels == mask.sum()


def test_masked_mutual_information_is_that_of_scikit_image(pair):
    from skimage.metrics import normalized_mutual_information

    mask = np.zeros(pair[0].shape, bool)
    mask[20:70, 30:100] = True
    cut = [picture[20:70, 30:100] for picture in pair]
    found = measure_similarity(*pair, mask)
    assert found.nmi == pytest.approx(normalized_mutual_information(*cut, bins=100), abs=1e-6)


def test_what_lies_outside_the_mask_changes_nothing(pair):
    mask = np.zeros(pair[0].shape, bool)
    mask[20:70, 30:100] = True
    dirty = pair[1].copy()
    dirty[~mask] = np.nan
    clean, found = measure_similarity(*pair, mask), measure_similarity(pair[0], dirty, mask)
    assert found == clean


def test_entropy_of_known_distributions():
    assert entropy(np.repeat([1.0, 2.0, 3.0, 4.0], 25)) == pytest.approx(2.0)
    assert entropy(np.full(10, 3.0)) == 0
    from skimage.measure import shannon_entropy

    picture = np.random.default_rng(1).integers(0, 256, (64, 64))
    picture[0, :2] = 0, 255
    assert entropy(picture) == pytest.approx(shannon_entropy(picture), abs=1e-6)


def test_unrelated_pictures_share_nothing():
    rng = np.random.default_rng(2)
    assert mutual_information(rng.random(200_000), rng.random(200_000), bins=10) < 1e-3


def test_nothing_in_common_is_refused(pair):
    with pytest.raises(ValueError, match="No pixel"):
        measure_similarity(*pair, np.zeros(pair[0].shape, bool))
    with pytest.raises(ValueError, match="one frame"):
        measure_similarity(pair[0], pair[1][:50])
    found = similarity_before_after(pair[0], pair[1], pair[1], tissue=np.zeros(pair[0].shape, bool))
    assert found["tissue"] == {"before": None, "after": None}
    assert found["everything"]["after"]["ncc"] > 0.5


def test_constant_pictures_have_no_correlation():
    found = measure_similarity(np.ones((20, 20)), np.random.default_rng(0).random((20, 20)))
    assert np.isnan(found.ncc)
    assert found.entropy_fixed == 0
