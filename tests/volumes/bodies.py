"""Tiny bodies with an inside: a head-like phantom as two modalities see it."""

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from napari_histreg.volumes import Volume
from napari_histreg.volumes.pose import VolumePose


def head(seed=0, shape=(26, 34, 30), spacing=(7.0, 6.0, 6.0), grain=1.6):
    """Scalp, skull and soft tissue of a few kinds, uneven on all sides; 0 is air."""
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*[np.linspace(-1.2, 1.2, n) for n in shape], indexing="ij")
    radius = np.sqrt((z / 0.9) ** 2 + (y / 0.78) ** 2 + (x / 0.7) ** 2) + 0.12 * y * z + 0.08 * x
    soft = gaussian_filter(rng.normal(size=shape), grain)
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


def textured(places_mm, seed=3):
    """Tell what lies at (N, 3) places of a body 180 mm long: 0 is air, tissue goes from 0.2 to 1."""
    rng = np.random.default_rng(seed)
    soft = gaussian_filter(rng.normal(size=(24, 24, 24)), 1.2)
    soft = 0.2 + 0.8 * np.clip(
        (soft - np.quantile(soft, 0.02)) / np.ptp(np.quantile(soft, [0.02, 0.98])), 0, 1
    )
    at = np.asarray(places_mm).T / 9.0
    away = np.linalg.norm((places_mm - np.array([100.0, 105, 95])) / np.array([85.0, 90, 75]), axis=1)
    return np.where(away < 1, map_coordinates(soft, at, order=1, mode="nearest"), 0.0)


def drift(places_mm, size_mm=10.0):
    """A smooth displacement that no affine map follows, to be added to (N, 3) places."""
    z, y, x = np.asarray(places_mm).T
    bump = np.exp(-((z - 90) ** 2 + (y - 80) ** 2 + (x - 100) ** 2) / (2 * 40.0**2))
    return size_mm * np.stack([bump, np.sin(z / 32) * 0.8, bump - 0.5 * np.cos(y / 30)], axis=1)


def bent_pair(size_mm=10.0, shape=(50, 52, 48), spacing=4.0):
    """A body as MR, and bent as CT: bright and dark tissue there look alike. Returns also the way there.

    The moving body shows at each place what the fixed one has at ``place + drift``.
    """
    place = np.diag([spacing, spacing, spacing, 1.0])
    places = np.argwhere(np.ones(shape)) * spacing
    here, there = (textured(p).reshape(shape) for p in (places, places + drift(places, size_mm)))
    mr = Volume("mr", (1000 * here).astype(np.int16), place, modality="MR")
    grey = np.where(there > 0, 700 * np.sin(np.pi * there) ** 2, -1000.0)
    rng = np.random.default_rng(4)
    ct = Volume("ct", (grey + rng.normal(0, 15, shape)).astype(np.int16), place, modality="CT")
    inside = places[(here > 0).ravel()][::41]
    truth = inside.copy()
    for _ in range(60):
        truth = inside - drift(truth, size_mm)
    return mr, ct, inside, truth


def best_affine(points, moved):
    """The affine pose nearest to a bend."""
    matrix = np.eye(4)
    matrix[:3] = np.linalg.lstsq(np.c_[points, np.ones(len(points))], moved, rcond=None)[0].T
    return VolumePose(matrix)
