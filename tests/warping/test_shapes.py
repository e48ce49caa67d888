from itertools import pairwise

import numpy as np
import pytest

from napari_histreg.transforms import Affine, Rigid, Sequence, Translation
from napari_histreg.transforms.displacement import DisplacementField
from napari_histreg.warping.shapes import PixelMap, carry_outline


def waves(size=1000.0):
    rng = np.random.default_rng(0)
    return DisplacementField(rng.uniform(-15, 15, (12, 12, 2)), spacing=(size / 11, size / 11))


def test_corners_and_centres_differ_by_half_a_pixel():
    # A slide seen with pixels twice as large: the middle of the first large pixel is the corner between
    # the first four small ones, at (1, 1) counted from the corner and at (0.5, 0.5) counted from centres.
    to_small = Affine([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    corners = PixelMap(to_small, (2.0, 2.0), (1.0, 1.0))
    centres = PixelMap(to_small, (2.0, 2.0), (1.0, 1.0), corner=False)
    assert np.allclose(corners([[0.5, 0.5], [0, 0]]), [[1, 1], [0, 0]])
    assert np.allclose(centres([[0, 0]]), [[0.5, 0.5]])


def test_an_uncropped_slide_counts_from_its_own_corner():
    shift = PixelMap(
        Translation.identity(), (1, 1), (1, 1), source_offset_px=(100, 30), target_offset_px=(7, 9)
    )
    assert np.allclose(shift([[30, 100]]), [[9, 7]])


def test_there_and_back_is_the_same_place():
    transform = Sequence.of(Rigid.of(angle_deg=50, centre=(500, 500)), waves())
    there = PixelMap(transform, (0.5, 0.5), (0.25, 0.25))
    back = PixelMap(transform.inverse(), (0.25, 0.25), (0.5, 0.5))
    points = np.random.default_rng(1).uniform(100, 1900, (1000, 2))
    assert np.abs(back(there(points)) - points).max() < 0.01


@pytest.mark.parametrize("tolerance", [0.05, 0.5])
def test_a_bent_outline_follows_the_map_within_the_tolerance(tolerance):
    bent = PixelMap(waves(), (1, 1), (1, 1))
    square = np.array([[100, 100], [900, 100], [900, 900], [100, 900], [100, 100.0]])
    outline = carry_outline(square, bent, tolerance_px=tolerance)
    assert np.array_equal(outline[0], outline[-1])
    for corner in bent(square):
        assert np.linalg.norm(outline - corner, axis=1).min() < 1e-9
    # Walk the original edges finely; each mapped point must lie on the new outline.
    share = np.linspace(0, 1, 400)[:, None]
    for start, stop in pairwise(square):
        for point in bent(start + share * (stop - start)):
            assert distance(point, outline) < 1.5 * tolerance


def distance(point, outline):
    a, b = outline[:-1], outline[1:]
    along = np.clip(((point - a) * (b - a)).sum(1) / ((b - a) ** 2).sum(1), 0, 1)
    return np.linalg.norm(a + along[:, None] * (b - a) - point, axis=1).min()


def test_straight_maps_add_no_points():
    turned = PixelMap(Rigid.of(angle_deg=10), (1, 1), (1, 1))
    assert len(carry_outline([[0, 0], [500, 0], [500, 500]], turned)) == 3


@pytest.mark.parametrize(("angle", "keeps"), [(0, True), (90, True), (180, True), (1, False), (45, False)])
def test_quarter_turns_keep_the_axes(angle, keeps):
    assert PixelMap(Rigid.of(angle_deg=angle), (1, 1), (1, 1)).keeps_axes is keeps
