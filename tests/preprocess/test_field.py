import cv2
import numpy as np
import pytest

from napari_histreg.preprocess import valid_field


def picture(rng, shape=(200, 240)):
    return cv2.GaussianBlur(rng.uniform(20, 230, (*shape, 3)), (0, 0), 2)


def turned(image, angle, value):
    """A picture turned in a frame large enough, its corners filled, and where the picture truly is."""
    h, w = image.shape[:2]
    side = int(np.hypot(h, w)) + 10
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 1)
    matrix[:, 2] += side / 2 - np.array([w / 2, h / 2])
    out = cv2.warpAffine(image, matrix, (side, side), borderValue=[value] * 3)
    truth = cv2.warpAffine(np.ones((h, w)), matrix, (side, side)) > 0.5
    return np.moveaxis(out, -1, 0), truth


@pytest.mark.parametrize("value", [0, 255, 128])
@pytest.mark.parametrize("angle", [0, 3, 33, 90])
def test_filled_corners_of_a_turned_picture_are_left_out(angle, value):
    planes, truth = turned(picture(np.random.default_rng(0)), angle, value)
    found = valid_field(planes)
    rim = cv2.dilate(truth.astype(np.uint8), np.ones((5, 5))) - cv2.erode(
        truth.astype(np.uint8), np.ones((5, 5))
    )
    np.testing.assert_array_equal(found[rim == 0], truth[rim == 0])


@pytest.mark.parametrize("value", [0, 255])
def test_background_around_tissue_is_picture(value):
    rng = np.random.default_rng(1)
    planes = np.full((3, 200, 200), float(value))
    y, x = np.mgrid[:200, :200]
    tissue = (np.hypot(y - 70, x - 60) < 45) | (np.hypot(y - 140, x - 140) < 35)
    planes[:, tissue] = rng.uniform(60, 200, (3, tissue.sum()))
    assert valid_field(planes).all()


def test_noisy_background_is_picture():
    planes = np.random.default_rng(2).poisson(3, (1, 150, 150)).astype(float)
    assert valid_field(planes).all()


def test_nan_is_left_out_and_nothing_valid_is_nothing():
    planes = np.random.default_rng(3).uniform(0, 1, (2, 30, 30))
    planes[0, 4, 5] = np.nan
    planes[1, 6, 7] = np.inf
    field = valid_field(planes)
    assert field.sum() == 898
    assert not field[4, 5]
    assert not valid_field(np.full((1, 9, 9), np.nan)).any()


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_blank_picture_is_all_valid(value):
    assert valid_field(np.full((1, 40, 40), value)).all()
