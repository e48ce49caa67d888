import numpy as np
import pytest

from napari_histreg.quality.overlap import dice, iou, label_overlap


def test_half_overlapping_squares():
    a, b = np.zeros((10, 20), bool), np.zeros((10, 20), bool)
    a[:, :10], b[:, 5:15] = True, True
    assert dice(a, b) == pytest.approx(0.5)
    assert iou(a, b) == pytest.approx(1 / 3)


def test_empty_masks_have_no_overlap_to_speak_of():
    empty = np.zeros((3, 3), bool)
    assert np.isnan(dice(empty, empty))
    assert np.isnan(iou(empty, empty))
    assert dice(empty, ~empty) == 0


def test_labels_one_by_one():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, (2, 40, 50))
    found = label_overlap(a, b)
    assert list(found) == [1, 2, 3, 4, 5]
    for label, value in found.items():
        assert value == pytest.approx(dice(a == label, b == label))


def test_shapes_must_match():
    with pytest.raises(ValueError, match="one frame"):
        dice(np.zeros((2, 2)), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="one frame"):
        label_overlap(np.zeros((2, 2), int), np.zeros((3, 3), int))
