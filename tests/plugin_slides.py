"""Small slides for the tests of the plugin."""

import numpy as np


def tissue(seed, shape, channels=3):
    """Return smooth blobs, so that pictures have means and details."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(seed).normal(size=(*shape, channels))
    smooth = gaussian_filter(noise, (4, 4, 0))
    return np.clip(128 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)
