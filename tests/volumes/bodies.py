"""Tiny bodies with an inside: a head-like phantom as two modalities see it."""

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_histreg.volumes import Volume
from napari_histreg.volumes.pose import VolumePose


def head(seed=0, shape=(26, 34, 30), spacing=(7.0, 6.0, 6.0)):
    """Scalp, skull and soft tissue of a few kinds, uneven on all sides; 0 is air."""
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*[np.linspace(-1.2, 1.2, n) for n in shape], indexing="ij")
    radius = np.sqrt((z / 0.9) ** 2 + (y / 0.78) ** 2 + (x / 0.7) ** 2) + 0.12 * y * z + 0.08 * x
    soft = gaussian_filter(rng.normal(size=shape), 1.6)
    tissue = 1 + np.digitize(soft, np.quantile(soft, [0.35, 0.6, 0.85]))
    kinds = np.select([radius > 1.05, radius > 0.94, radius > 0.82], [0, 6, 5], tissue)
    return kinds, np.diag([*spacing, 1.0])


def as_ct(kinds, place, seed=1):
    values = np.array([-1000.0, 10, 35, 60, 90, 900, -60])[kinds]
    noise = np.random.default_rng(seed).normal(0, 12, kinds.shape)
    return Volume("ct", (gaussian_filter(values, 0.5) + noise).astype(np.int16), place, modality="CT")


def as_mr(kinds, place, seed=2):
    values = np.array([5.0, 420, 250, 330, 120, 30, 600])[kinds]
    noise = np.random.default_rng(seed).normal(0, 12, kinds.shape)
    return Volume("mr", (gaussian_filter(values, 0.5) + noise).astype(np.int16), place, modality="MR")


def moved(volume, pose: VolumePose):
    """The same volume lying elsewhere: the truth is the pose."""
    return replace(volume, index_to_patient=pose.matrix @ volume.index_to_patient)
