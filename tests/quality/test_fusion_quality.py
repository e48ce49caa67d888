import math
from collections import Counter

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


def sources():
    """A CT and an MR of one head, in a few greys, and their mean."""
    from scipy.ndimage import gaussian_filter

    y, x = np.mgrid[-1:1:40j, -1:1:44j]
    radius = np.hypot(y / 0.9, x / 0.75)
    inside = gaussian_filter(np.random.default_rng(4).normal(size=radius.shape), 3)
    ct = np.select([radius > 1, radius > 0.85], [0.0, 1.0], 0.3 + 0.4 * inside)
    mr = np.select([radius > 1, radius > 0.85], [0.0, 0.05], 0.6 - 1.5 * inside)
    ct, mr = (np.clip(np.round(63 * picture) / 63, 0, 1) for picture in (ct, mr))
    return ct, mr, (ct + mr) / 2


def counted(values, levels):
    """Count values in equal steps from the smallest to the greatest, one by one."""
    low, high = min(values), max(values)
    return [min(int((v - low) / (high - low) * levels), levels - 1) for v in values]


def bits(labels):
    counts = Counter(labels)
    return -sum(n / len(labels) * math.log2(n / len(labels)) for n in counts.values())


def test_entropy_and_mutual_information_are_those_of_counting():
    ct, mr, fused = sources()
    found = measure_fusion(ct, mr, fused)
    assert found.entropy == pytest.approx(bits(counted(fused.ravel().tolist(), 256)), abs=1e-9)
    for source, measured in ((ct, found.mi_first), (mr, found.mi_second)):
        a, b = (counted(picture.ravel().tolist(), 100) for picture in (source, fused))
        assert measured == pytest.approx(bits(a) + bits(b) - bits(list(zip(a, b, strict=True))), abs=1e-9)


def test_ssim_is_that_of_its_formula_window_by_window():
    ct, mr, fused = sources()
    found = measure_fusion(ct, mr, fused)
    for source, measured in ((ct, found.ssim_first), (mr, found.ssim_second)):
        each = []
        for y in range(source.shape[0] - 6):
            for x in range(source.shape[1] - 6):
                a, b = source[y : y + 7, x : x + 7], fused[y : y + 7, x : x + 7]
                both = ((a - a.mean()) * (b - b.mean())).sum() / 48
                light = (2 * a.mean() * b.mean() + 0.01**2) / (a.mean() ** 2 + b.mean() ** 2 + 0.01**2)
                each.append(light * (2 * both + 0.03**2) / (a.var(ddof=1) + b.var(ddof=1) + 0.03**2))
        assert measured == pytest.approx(np.mean(each), abs=1e-6)


def test_kept_edges_are_those_of_the_papers_formula_pixel_by_pixel():
    ct, mr, fused = sources()

    def edge(picture, y, x):
        around = np.pad(picture, 1, mode="symmetric")[y : y + 3, x : x + 3]
        sx = (around[:, 2] - around[:, 0]) @ [1, 2, 1]
        sy = (around[2] - around[0]) @ [1, 2, 1]
        return math.hypot(sx, sy), math.pi / 2 if sx == 0 else math.atan(sy / sx)

    total = weights = 0.0
    for y in range(ct.shape[0]):
        for x in range(ct.shape[1]):
            strength, angle = edge(fused, y, x)
            for source in (ct, mr):
                own, own_angle = edge(source, y, x)
                if own == 0:
                    continue
                kept = min(own, strength) / max(own, strength)
                aligned = abs(abs(own_angle - angle) - math.pi / 2) / (math.pi / 2)
                quality = (
                    0.9994
                    / (1 + math.exp(-15 * (kept - 0.5)))
                    * 0.9879
                    / (1 + math.exp(-22 * (aligned - 0.8)))
                )
                total, weights = total + own * quality, weights + own
    assert edge_preservation(ct, mr, fused) == pytest.approx(total / weights, abs=1e-9)


def test_pictures_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="one frame"):
        measure_fusion(ONE, TWO, ONE[:10])
