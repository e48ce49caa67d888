"""Single mistakes among few pairs, and peace for good ones."""

import numpy as np
import pytest

from napari_histreg.landmarks.outliers import find_outliers
from napari_histreg.transforms import Similarity

SCATTER = 2.0
TRUTH = Similarity.of(scale=1.3, angle_deg=70, translation=(300, -40))
MIRRORED = Similarity.of(scale=0.8, angle_deg=20, mirrored=True, translation=(30, 40))


def placed(count, seed, truth=TRUTH):
    rng = np.random.default_rng(seed)
    fixed = rng.uniform(0, 1000, (count, 2))
    return fixed, truth(fixed + rng.normal(0, SCATTER, fixed.shape))


def found(fixed, moving, truth=TRUTH):
    names = tuple(map(str, range(len(fixed))))
    return find_outliers(fixed, moving, names, mirrored=truth is MIRRORED)


@pytest.mark.parametrize("truth", [TRUTH, MIRRORED])
@pytest.mark.parametrize(("count", "share"), [(5, 0.6), (6, 0.9), (7, 0.7), (9, 0.9), (30, 0.95)])
def test_one_slip_among_few_pairs_is_seen(truth, count, share):
    seen = 0
    for seed in range(60):
        fixed, moving = placed(count, seed, truth)
        moving[1] = truth([fixed[1] + (25, 15)])[0]
        seen += [outlier.index for outlier in found(fixed, moving, truth)] == [1]
    assert seen >= share * 60


@pytest.mark.parametrize("count", [4, 5, 6, 7, 12, 40])
def test_good_pairs_are_seldom_called_wrong(count):
    alarms = sum(bool(found(*placed(count, seed))) for seed in range(300))
    # One in a hundred is meant; twelve of three hundred would be four standard deviations more.
    assert alarms <= 12


def test_the_reason_counts_in_the_scatter_of_the_others():
    fixed, moving = placed(10, 3)
    moving[4] = TRUTH([fixed[4] + (0, 60)])[0]
    (outlier,) = found(fixed, moving)
    assert outlier.factor == pytest.approx(60 / SCATTER, rel=0.5)
    assert outlier.reason == f"It lies {outlier.factor:.0f} times farther off than the others."


@pytest.mark.parametrize("far", [1e4, 1e6])
def test_a_cluster_far_from_the_corner_is_judged_like_one_beside_it(far):
    fixed, moving = placed(10, 3)
    moving[4] = TRUTH([fixed[4] + (0, 60)])[0]
    (near,) = found(fixed, moving)
    (away,) = found(fixed + far, moving + far)
    assert away.index == near.index
    assert away.factor == pytest.approx(near.factor, rel=1e-3)


def test_several_mistakes_are_all_seen():
    fixed, moving = placed(20, 5)
    for k, slip in ((2, (60, 0)), (7, (0, -80)), (11, (-90, 50))):
        moving[k] = TRUTH([fixed[k] + slip])[0]
    assert {outlier.index for outlier in found(fixed, moving)} == {2, 7, 11}
