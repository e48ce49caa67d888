import numpy as np
import pytest

from napari_histreg.geometry import Frame
from napari_histreg.matching.picture import Picture, overlap_frame


def ramp(shape=(60, 90), spacing=(0.5, 0.5), origin=(3.0, -2.0), mask=None):
    """A picture whose pixels are their own world coordinates."""
    y = np.arange(shape[0])[:, None] * spacing[0] + origin[0]
    x = np.arange(shape[1])[None, :] * spacing[1] + origin[1]
    return Picture(np.stack([y + 0 * x, x + 0 * y]).astype(np.float32), Frame(shape, spacing, origin), mask)


@pytest.mark.parametrize("spacing", [0.75, 1.0, 1.7, 4.0])
def test_reducing_moves_nothing(spacing):
    small = ramp().reduced(spacing)
    h, w = small.frame.shape
    (sy, sx), (oy, ox) = small.frame.spacing, small.frame.origin
    # Averages of pixels that are cut jitter about the ramp, and must not lie to one side of it.
    for found, expected in (
        (small.channels[0][:, w // 2], np.arange(h) * sy + oy),
        (small.channels[1][h // 2], np.arange(w) * sx + ox),
    ):
        assert np.abs(found - expected).max() < 0.12 * spacing
        assert abs((found - expected).mean()) < 0.01 * spacing


def test_a_picture_is_never_enlarged():
    assert ramp().reduced(0.1).frame.shape == (60, 90)


def test_sampling_follows_the_map():
    angle = np.deg2rad(30)
    turn = np.array([[np.cos(angle), -np.sin(angle), 4], [np.sin(angle), np.cos(angle), 2], [0, 0, 1]])
    frame = Frame((12, 15), (0.7, 0.7), (12.0, 8.0))
    seen = ramp().sampled(frame, turn)
    index = np.stack(np.meshgrid(np.arange(12), np.arange(15), indexing="ij"), -1).reshape(-1, 2)
    world = index * 0.7 + [12.0, 8.0]
    expected = world @ turn[:2, :2].T + turn[:2, 2]
    inside = seen.mask.ravel()
    assert inside.sum() > 100
    # OpenCV rounds sample points to 1/32 pixel before version 5.
    assert np.allclose(seen.channels.reshape(2, -1).T[inside], expected[inside], atol=0.02)


def test_masked_pixels_hold_their_nearest_valid_value():
    mask = np.ones((60, 90), bool)
    mask[:, :30] = False
    picture = ramp(mask=mask)
    assert np.allclose(picture.channels[1][:, :30], picture.channels[1][:, 30:31])
    assert picture.extent == 30.0


def test_the_overlap_is_what_both_show():
    fixed = ramp(shape=(100, 100), spacing=(1, 1), origin=(0, 0))
    moving = ramp(shape=(100, 100), spacing=(1, 1), origin=(0, 0))
    shift = np.array([[1.0, 0, 0], [0, 1, 40], [0, 0, 1]])
    frame = overlap_frame(fixed, moving, shift, 50)
    assert np.allclose(frame.size, [100, 60], atol=2.1)
    assert overlap_frame(fixed, moving, np.array([[1.0, 0, 0], [0, 1, 400], [0, 0, 1]]), 50) is None


def test_planes_and_frame_must_match():
    with pytest.raises(ValueError, match="must match"):
        Picture(np.zeros((1, 4, 4), np.float32), Frame((5, 4), (1.0, 1.0), (0.0, 0.0)))
