import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_histreg.errors import Cancelled
from napari_histreg.registration.template import choose_template, group_slides
from napari_histreg.slides import open_slide


def tissue(seed):
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(220, 240)), 6)
    return (noise - noise.min()) / np.ptp(noise)


def slides(*planes):
    return [
        open_slide((255 * np.clip(plane, 0, 1)).astype(np.uint8), pixel_size_um=2.0, name=f"slide {k}")
        for k, plane in enumerate(planes)
    ]


def series():
    """Three slides, the second half-way between the first and the third, and one of other tissue."""
    one, other = tissue(0), tissue(1)
    return slides(one, 0.5 * one + 0.5 * other, other, tissue(2))


@pytest.mark.parametrize("measure", ["ncc", "rmse", "mi"])
def test_the_slide_between_the_others_is_the_template(measure):
    choice = choose_template(series(), measure=measure, signal="grey")
    assert choice.index == choice.order[0] == 1
    assert np.allclose(choice.distances, choice.distances.T)
    assert (np.diag(choice.distances) == 0).all()


def test_the_mean_of_the_nearest_is_their_mean():
    choice = choose_template(series(), signal="grey")
    expected = choice.overviews[list(choice.order[:2])].mean(axis=0)
    assert np.array_equal(choice.mean(2), expected)
    with pytest.raises(ValueError, match="1 to 4"):
        choice.mean(5)


def test_slides_that_look_alike_fall_into_groups():
    rng = np.random.default_rng(3)
    planes = [tissue(seed) + rng.normal(0, 0.02, (220, 240)) for seed in (0, 0, 0, 1, 1, 2, 2, 2)]
    groups = group_slides(choose_template(slides(*planes), signal="grey"))
    assert groups.count == 3
    assert len({tuple(groups.labels[k] for k in group) for group in ((0, 1, 2), (3, 4), (5, 6, 7))}) == 3
    assert all(len(set(groups.labels[list(group)])) == 1 for group in ((0, 1, 2), (3, 4), (5, 6, 7)))
    assert (np.diff(groups.spread) <= 0).all()


def test_wishes_that_cannot_be_met_are_named():
    with pytest.raises(ValueError, match="two slides"):
        choose_template(series()[:1])
    with pytest.raises(ValueError, match="'magic'"):
        choose_template(series(), measure="magic")


def test_cancelling_passes_through():
    def stop(fraction, message):
        raise Cancelled

    with pytest.raises(Cancelled):
        choose_template(series(), progress=stop)


@pytest.mark.parametrize("measure", ["rmse", "ncc"])
def test_the_choice_is_that_of_trying_all_pairs(measure):
    """A plain double loop over the pixels of slides of one size comes to the same sums and order."""
    rng = np.random.default_rng(5)
    planes = [np.clip(tissue(k % 3) + rng.normal(0, 0.05, (220, 240)), 0, 1) for k in range(6)]
    given = slides(*planes)
    choice = choose_template(given, measure=measure, signal="grey")
    shown = choice.overviews.astype(float)
    sums = []
    for i in range(6):
        total = 0.0
        for j in range(6):
            if i != j:
                a, b = shown[i].ravel(), shown[j].ravel()
                far = np.sqrt(np.mean((a - b) ** 2)) if measure == "rmse" else 1 - np.corrcoef(a, b)[0, 1]
                total += far
        sums.append(total)
    assert choice.distances.sum(axis=1) == pytest.approx(sums, rel=1e-5)
    assert choice.index == int(np.argmin(sums))
    assert choice.order == tuple(np.argsort(sums))
    # The overviews are the pictures themselves, brought to 0 to 1.
    small = np.asarray(gaussian_filter(planes[0], 0.5))
    middle = shown[0][60:130, 60:130]
    assert np.corrcoef(middle.ravel(), _at_middle(small, middle.shape, shown[0].shape).ravel())[0, 1] > 0.98


def _at_middle(plane, shape, side):
    """Sample a plane at the pixels of an overview, which lie centre on centre."""
    from scipy.ndimage import map_coordinates

    step = 240 / 192
    lines = [
        (n - 1) / 2 + (np.arange(60, 60 + m) - (s - 1) / 2) * step
        for n, m, s in zip(plane.shape, shape, side, strict=True)
    ]
    return map_coordinates(plane, np.meshgrid(*lines, indexing="ij"), order=1)
