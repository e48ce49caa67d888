"""A real retina that ships with scikit-image, seen again as on further visits, and a mask of its vessels."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_histreg.preprocess.vessels import enhanced_vessels, retina_field
from napari_histreg.transforms import Similarity, Transform

STEP = 4


@cache
def retina() -> NDArray[np.uint8]:
    """Return the photograph, (353, 353, 3), with a black rim around its field."""
    from skimage import data

    large = np.asarray(data.retina(), np.float32)[: 352 * STEP, : 352 * STEP]
    small = large.reshape(352, STEP, 352, STEP, 3).mean((1, 3))
    return np.pad(small, ((12, 12), (12, 12), (0, 0))).astype(np.uint8)


@cache
def vessels() -> NDArray[np.bool_]:
    """Return what is clearly a vessel."""
    planes = np.moveaxis(retina(), -1, 0)
    return np.asarray(enhanced_vessels(planes[1], retina_field(planes), "frangi") > 110)


def moved(angle_deg: float, shift: tuple[float, float]) -> Similarity:
    """Return where the first visit's points lie on another visit, in pixels."""
    centre = tuple((np.array(retina().shape[:2]) - 1) / 2)
    return Similarity.of(scale=1.03, angle_deg=angle_deg, translation=shift, centre=centre)


def visit(first_to_visit: Transform, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """See the retina and its vessels through a transform, with other light and noise."""
    rng = np.random.default_rng(seed)
    back = first_to_visit.inverse()
    shape = retina().shape[:2]
    places = back(np.argwhere(np.ones(shape))).T.reshape(2, *shape)
    seen = np.stack([ndimage.map_coordinates(retina()[..., k], places, order=1) for k in range(3)], -1)
    lit = 0.9 * seen + rng.normal(0, 2, seen.shape) * (seen.max(-1, keepdims=True) > 20)
    mask = ndimage.map_coordinates(vessels().astype(np.uint8), places, order=0) > 0
    return np.clip(lit, 0, 255).astype(np.uint8), mask
