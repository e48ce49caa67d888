"""A displacement by every pixel: it finds a known bend, its slopes are right, and pixels can be left out."""

import cv2
import numpy as np

from napari_histreg.matching.pixel_fit import PixelFit
from napari_histreg.matching.smooth_basis import SmoothBasis

SIDE = 120
ALONG = np.arange(float(SIDE))
BASIS = SmoothBasis((SIDE - 1.0, SIDE - 1.0), modes=4)
NONE = np.zeros((16, 2))


def texture(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(SIDE, SIDE)).astype(np.float32)
    plane = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return plane / plane.std()


def bent(plane: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """What is at p in the plane is at p + u(p) in the result, to first order of the bend."""
    u = BASIS.lattice(weights, ALONG, ALONG).astype(np.float32)
    y, x = np.indices(plane.shape, np.float32)
    back = np.zeros_like(u)
    for _ in range(20):
        back = np.stack(
            [cv2.remap(u[..., k], x - back[..., 1], y - back[..., 0], cv2.INTER_LINEAR) for k in range(2)], -1
        )
    return cv2.remap(plane, x - back[..., 1], y - back[..., 0], cv2.INTER_CUBIC)


def a_bend(size: float = 1.2) -> np.ndarray:
    weights = np.random.default_rng(3).normal(size=(16, 2))
    return size * weights / np.abs(BASIS.lattice(weights, ALONG, ALONG)).max()


def pair(noise: float = 0.2) -> PixelFit:
    fixed = [texture(0), texture(1)]
    moving = [bent(p, a_bend()) + noise * texture(10 + k) for k, p in enumerate(fixed)]
    return PixelFit(fixed, moving, ALONG, ALONG, BASIS, NONE)


def errors(weights: np.ndarray) -> np.ndarray:
    return np.linalg.norm(BASIS.lattice(weights - a_bend(), ALONG, ALONG), axis=-1)


def test_finds_a_bend_under_noise():
    found = pair().weights(1e-5, NONE)
    assert np.median(errors(NONE)) > 0.4
    assert np.median(errors(found)) < 0.15


def test_stiffer_bends_less():
    fit = pair()
    stiff, soft = (float((BASIS.bending[:, None] * fit.weights(s, NONE) ** 2).sum()) for s in (1.0, 1e-5))
    assert stiff < 0.1 * soft


def test_whole_pixels_are_not_preferred():
    """What lies between pixels does not look fainter: the likeness is largest at the true bend."""
    fit = pair(noise=0.0)
    at = [fit._likeness(t * a_bend(), 0.0)[0] for t in (0.0, 0.5, 1.0, 1.5)]
    assert at[2] == max(at)
    assert at[2] > 0.995


def test_slopes_lead_uphill():
    fit, here = pair(), 0.3 * a_bend()
    likeness, slope = fit._likeness(here, 1e-4)
    step = 0.3 * slope / np.abs(BASIS.lattice(slope, ALONG, ALONG)).max()
    assert fit._likeness(here + step, 1e-4)[0] > likeness
    assert fit._likeness(here - step, 1e-4)[0] < likeness


def test_pixels_left_out_have_no_say():
    """Half of the moving picture is nonsense: left out, it does not matter what it shows."""
    fit = pair()
    keep = np.ones((SIDE, SIDE), np.float32)
    keep[:, SIDE // 2 :] = 0
    spoilt = [p.copy() for p in fit.fixed]
    for k, plane in enumerate(spoilt):
        plane[:, SIDE // 2 :] = texture(20 + k)[:, SIDE // 2 :]
    other = PixelFit(spoilt, fit.moving, ALONG, ALONG, BASIS, NONE).without(keep)
    found = errors(other.weights(1e-5, NONE))[:, : SIDE // 2 - 10]
    assert np.median(found) < 0.5 * np.median(errors(NONE)[:, : SIDE // 2 - 10])
