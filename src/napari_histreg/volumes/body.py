"""A volume made comparable: the body on a coarse even grid, its values spread over 0 to 1."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.errors import NoTissue
from napari_histreg.geometry import FloatArray
from napari_histreg.volumes.volume import Volume

__all__ = ["Body", "body_of", "rim"]

LEAST_BODY_VOXELS = 60
AIR = 0.15
"""Air around the body, as a share of its length."""
CUT_OFF = 0.01
"""Share of a face that the body may touch; more, and the volume ends within it."""


@dataclass(frozen=True, eq=False)
class Body:
    """A volume on a grid of cubes along its own axes.

    Parameters
    ----------
    values : (Z, Y, X) ndarray of float32
        0 is air; the body's values are spread evenly over 0 to 1, so that no gain and no window counts.
    mask : (Z, Y, X) ndarray of bool
        The body: what is not air, its holes filled, and the greatest piece of it.
    index_to_patient : (4, 4) ndarray
        As in `Volume`.
    spacing_mm : float
        Side of a cube.
    """

    values: NDArray[np.float32]
    mask: NDArray[np.bool_]
    index_to_patient: FloatArray
    spacing_mm: float

    @property
    def points_mm(self) -> FloatArray:
        """The centres (N, 3) of the body's voxels in the patient's frame."""
        return self.to_patient(np.argwhere(self.mask))

    @property
    def centre_mm(self) -> FloatArray:
        """Centre of gravity of the body's mask, (3,)."""
        return np.asarray(self.points_mm.mean(axis=0))

    def to_patient(self, indices: ArrayLike) -> FloatArray:
        """Map (N, 3) indices to mm."""
        return np.asarray(
            np.asarray(indices, float) @ self.index_to_patient[:3, :3].T + self.index_to_patient[:3, 3]
        )


def body_of(volume: Volume, spacing_mm: float) -> Body:
    """Reduce a volume to a grid of cubes.

    Parameters
    ----------
    volume : Volume
        Colours are averaged.
    spacing_mm : float
        Side of a cube; finer than the volume's own voxels it interpolates.

    Returns
    -------
    Body

    Raises
    ------
    NoTissue
        Nothing stands out from the background.
    """
    grey = volume.pixels.mean(axis=-1) if volume.is_rgb else volume.pixels
    cubes, matrix = _cubes(np.asarray(grey, np.float32), volume, spacing_mm)
    mask = _mask(cubes)
    if mask.sum() < LEAST_BODY_VOXELS:
        raise NoTissue(f"{volume.name} shows no body that stands out from its background.")
    before, after = _room(mask)
    wide = list(zip(before, after, strict=True))
    shifted = np.eye(4)
    shifted[:3, 3] = -np.array(before)
    return Body(np.pad(_spread(cubes, mask), wide), np.pad(mask, wide), matrix @ shifted, spacing_mm)


def rim(body: Body) -> NDArray[np.bool_]:
    """Return the body and a rim of about 15 mm of air around it: its outline counts too."""
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(body.mask, iterations=max(1, round(15 / body.spacing_mm))))


def _room(mask: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Say how much air may be added before and after each axis: none where the body is cut off.

    With air around it a pose cannot win by pushing what does not fit out of the volume.
    """
    room = int(np.ceil(AIR * np.ptp(np.argwhere(mask), axis=0).max()))
    ends = [(np.take(mask, 0, axis=axis), np.take(mask, -1, axis=axis)) for axis in range(3)]
    free = [[face.mean() < CUT_OFF for face in pair] for pair in ends]
    return [room * first for first, _ in free], [room * last for _, last in free]


def _cubes(
    pixels: NDArray[np.float32], volume: Volume, spacing_mm: float
) -> tuple[NDArray[np.float32], FloatArray]:
    from scipy.ndimage import affine_transform, gaussian_filter

    step = spacing_mm / np.array(volume.spacing_mm)
    # Half of the new step, less what the voxels themselves have averaged: no alias, no blur beyond it.
    sigma = 0.5 * np.sqrt(np.maximum(step**2 - 1, 0))
    finite = np.nan_to_num(pixels, nan=float(np.nanmin(pixels)))
    smooth = gaussian_filter(finite, sigma, mode="nearest", truncate=3.0)
    shape = np.maximum(np.rint(np.array(pixels.shape) / step), 1).astype(int)
    first = (np.array(pixels.shape) - 1) / 2 - (shape - 1) / 2 * step
    cubes = affine_transform(smooth, step, first, tuple(shape), order=1, mode="nearest")
    to_index = np.eye(4)
    to_index[:3, :3], to_index[:3, 3] = np.diag(step), first
    return cubes.astype(np.float32), volume.index_to_patient @ to_index


def _mask(cubes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell the body from air, headrest and noise."""
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    low, high = np.percentile(cubes, [1, 99])
    if not high > low:
        return np.zeros(cubes.shape, bool)
    # Cut off above, or bone or bright vessels alone would be the body; half, or fat in MR would.
    clipped = np.clip(cubes, low, high)
    body = clipped > low + 0.6 * (threshold_otsu(clipped) - low)
    thin = np.ones((1, 3, 3), bool)
    opened = ndimage.binary_opening(body, thin)
    labels, count = ndimage.label(opened if opened.any() else body)
    if count == 0:
        return np.zeros(cubes.shape, bool)
    greatest = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    closed = ndimage.binary_closing(np.pad(greatest, 2, mode="edge"), iterations=2)[2:-2, 2:-2, 2:-2]
    return np.stack([ndimage.binary_fill_holes(plane) for plane in closed | greatest])


def _spread(cubes: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Spread the body's values over 0 to 1: half by rank, half by brightness; air outside is 0."""
    inside = cubes[mask]
    low, high = np.percentile(inside, [1, 99])
    levels = np.quantile(inside, np.linspace(0, 1, 65))
    rank = np.interp(cubes, np.maximum.accumulate(levels + np.arange(65) * 1e-9), np.linspace(0, 1, 65))
    bright = np.clip((cubes - low) / max(float(high - low), 1e-9), 0, 1)
    return np.where(mask, 0.15 + 0.85 * (rank + bright) / 2, 0).astype(np.float32)
