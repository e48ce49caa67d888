import numpy as np
import pytest
from skimage.metrics import structural_similarity

from napari_histreg.quality.fusion_quality import edge_preservation, measure_fusion, spatial_frequency

RNG = np.random.default_rng(0)
ONE, TWO = RNG.random((64, 80)), RNG.random((64, 80))


def test_a_perfect_copy_reaches_the_published_maximum():
    # 0.9994 / (1 + exp(-7.5)) times 0.9879 / (1 + exp(-4.4)), from the constants of the paper.
    highest = 0.9994 / (1 + np.exp(-7.5)) * 0.9879 / (1 + np.exp(-4.4))
    assert edge_preservation(ONE, ONE, ONE) == pytest.approx(highest, abs=1e-12)


def test_one_source_of_two_keeps_less_and_a_blank_picture_next_to_nothing():
    both, one = edge_preservation(ONE, ONE, ONE), edge_preservation(ONE, TWO, ONE)
    assert 0.45 * both < one < 0.85 * both
    assert edge_preservation(ONE, TWO, np.zeros_like(ONE)) < 0.01
    assert np.isnan(edge_preservation(np.ones((9, 9)), np.ones((9, 9)), ONE[:9, :9]))


def test_edges_are_weighed_by_their_strength():
    weak = 0.01 * TWO
    assert edge_preservation(ONE, weak, ONE) > edge_preservation(ONE, TWO, ONE)


def test_spatial_frequency_of_stripes_is_known():
    stripes = np.tile([0.0, 3.0], (10, 20))
    assert spatial_frequency(stripes) == pytest.approx(3.0)
    assert spatial_frequency(stripes.T) == pytest.approx(3.0)
    assert spatial_frequency(np.ones((5, 5))) == 0


def test_ssim_agrees_with_scikit_image():
    found = measure_fusion(ONE, TWO, (ONE + TWO) / 2)
    expected = structural_similarity(ONE, (ONE + TWO) / 2, data_range=1.0, win_size=7)
    assert found.ssim_first == pytest.approx(expected, abs=1e-6)
    assert set(found.to_dict()) >= {"entropy", "mi_first", "edge_preservation", "spatial_frequency"}


def test_pictures_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="one frame"):
        measure_fusion(ONE, TWO, ONE[:10])
