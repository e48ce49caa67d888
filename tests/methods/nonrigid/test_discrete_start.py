"""The start finds what gradients would not: shifts beyond the size of a structure."""

import cv2
import numpy as np

from napari_histreg.methods.nonrigid.discrete_start import discrete_start

SHAPE = (180, 150)


def texture():
    noise = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    plane = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return plane / plane.std()


def test_finds_a_smooth_displacement_larger_than_the_structures():
    y, x = np.indices(SHAPE, np.float32)
    truth = np.stack([8 * np.sin(x / 50), -7 * np.cos(y / 60)], -1).astype(np.float32)
    fixed = texture()
    moving = fixed.copy()
    # The moving plane shows at p + u(p) what the fixed one shows at p: solved by a fixed point.
    back = np.zeros_like(truth)
    for _ in range(30):
        back = -cv2.remap(
            truth, x + back[..., 1], y + back[..., 0], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    moving = cv2.remap(
        fixed, x + back[..., 1], y + back[..., 0], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    found = discrete_start([fixed], [moving], np.ones(SHAPE, np.float32), 12.0)
    error = np.linalg.norm(found - truth, axis=-1)[15:-15, 15:-15]
    assert np.median(np.linalg.norm(truth, axis=-1)) > 6
    assert np.median(error) < 1.5


def test_where_nothing_is_seen_the_neighbours_say():
    fixed = texture()
    weight = np.ones(SHAPE, np.float32)
    fixed[60:100, 50:90] = 0
    weight[60:100, 50:90] = 0
    moving = np.roll(fixed, 4, axis=0)
    found = discrete_start([fixed], [moving], weight, 6.0)
    assert np.abs(found[80, 70] - (4, 0)).max() < 1.5
