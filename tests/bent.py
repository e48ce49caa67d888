"""One synthetic tissue seen straight and bent, in two stains; the bend is known."""

from functools import lru_cache

import numpy as np

from napari_histreg.transforms import Affine, Similarity
from napari_histreg.transforms.displacement import DisplacementField
from phantoms import Pair, Tissue

__all__ = ["BASE", "SIDE", "bend", "bent_pair"]

SIDE = 320
BASE = Similarity.of(angle_deg=30.0, scale=0.9, mirrored=True, translation=(400.0, 20.0))


def bend(amplitude: float, base: Affine = BASE) -> DisplacementField:
    """Waves of 200 px over the fixed frame: as much bend as sections show, and none that an affine holds."""
    y, x = np.meshgrid(np.arange(0.0, SIDE + 1, 10), np.arange(0.0, SIDE + 1, 10), indexing="ij")
    waves = np.stack([np.sin(x / 32) * np.cos(y / 40), np.cos(x / 36 + 1) * np.sin(y / 30)], -1)
    return DisplacementField(amplitude * waves, spacing=(10.0, 10.0), base=base)


@lru_cache
def bent_pair(amplitude: float, stain: str = "other") -> Pair:
    """See the tissue straight in nuclear stain, and bent, turned and mirrored in another."""
    tissue = _grown()
    corners = BASE(np.array([[0, 0], [0, SIDE], [SIDE, 0], [SIDE, SIDE]], float))
    low, high = corners.min(0) - 10, corners.max(0) + 10
    moving = tissue.view(
        bend(amplitude).inverse(),
        shape=(int(high[0] - low[0]), int(high[1] - low[1])),
        origin=(float(low[0]), float(low[1])),
        stain=stain,
        seed=1,
    )
    return Pair(tissue.view(shape=(SIDE, SIDE)), moving, bend(amplitude))


@lru_cache
def _grown() -> Tissue:
    return Tissue.random(400.0, seed=3, nuclei=1500)
