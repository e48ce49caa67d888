"""Small textured planes to learn from, and a prepared set of them."""

import numpy as np
from scipy import ndimage

from napari_histreg.learning.tensors import write_tensors
from napari_histreg.learning.training_set import PreparedPair, TrainingSet

__all__ = ["SIDE", "prepared_set", "texture"]

SIDE = 48


def texture(seed, side=SIDE):
    plane = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(side, side)), 2.0)
    return np.asarray(plane / plane.std(), np.float32)


def prepared_set(folder, count=6):
    """Pairs that lie on one another exactly; two of each specimen."""
    rows = []
    for k in range(count):
        fixed = texture(k)
        arrays = {"fixed": fixed, "moving": np.float32(0.8) * fixed, "weight": np.ones_like(fixed)}
        write_tensors(folder / f"{k}.safetensors", arrays)
        rows.append(
            PreparedPair(
                name=f"pair {k}",
                specimen=f"specimen {k // 2}",
                planes=folder / f"{k}.safetensors",
                digests=(f"a{k}", f"b{k}"),
                lights=("brightfield", "fluorescence"),
                spacing_um=0.5,
            )
        )
    return TrainingSet(rows, {})
