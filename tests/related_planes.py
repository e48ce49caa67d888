"""One slice of a head-like phantom as two modalities see it, and the same slice lying elsewhere."""

import numpy as np
from scipy import ndimage

from napari_histreg.geometry import Frame
from napari_histreg.matching.picture import Picture
from napari_histreg.transforms import Rigid

SIDE = 96


def modalities(seed=0, noise=0.02):
    """Return (MR, CT) of one slice: scalp, skull, three soft tissues; uneven on all sides."""
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(*[np.linspace(-1.35, 1.35, SIDE)] * 2, indexing="ij")
    radius = np.sqrt((y / 0.95) ** 2 + (x / 0.75) ** 2) + 0.1 * y * x + 0.06 * x
    soft = ndimage.gaussian_filter(rng.normal(size=y.shape), 3.5)
    tissue = 1 + np.digitize(soft, np.quantile(soft, [0.3, 0.65]))
    kinds = np.select([radius > 1.05, radius > 0.98, radius > 0.9], [0, 5, 4], tissue)
    mr = np.array([0.0, 0.75, 0.35, 0.55, 0.1, 0.95])[kinds]
    ct = np.array([0.0, 0.3, 0.45, 0.38, 1.0, 0.25])[kinds]
    return tuple(_picture(ndimage.gaussian_filter(p, 0.6) + rng.normal(0, noise, p.shape)) for p in (mr, ct))


def moved_plane(picture, angle_deg, shift):
    """Return the picture lying elsewhere, and the truth, fixed to moving."""
    truth = Rigid.of(angle_deg=angle_deg, translation=shift, centre=((SIDE - 1) / 2,) * 2)
    back = truth.inverse().matrix
    plane = ndimage.affine_transform(picture.channels[0], back[:2, :2], back[:2, 2], order=1)
    return _picture(plane), truth


def off_px(matrix, truth):
    """Return the mean distance over the slice."""
    line = np.linspace(0.25 * SIDE, 0.75 * SIDE, 7)
    points = np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    return float(np.linalg.norm(points @ matrix[:2, :2].T + matrix[:2, 2] - truth(points), axis=1).mean())


def _picture(plane):
    return Picture(np.clip(plane, 0, 1).astype(np.float32)[None], Frame(plane.shape, (1.0, 1.0), (0.0, 0.0)))
