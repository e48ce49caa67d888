"""A raster of one slide seen through a transform on the frame of another."""

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, Frame, Region, grid_points, tiles
from napari_histreg.raster import Raster
from napari_histreg.transforms.transform import Transform

__all__ = ["resample"]

TILE = 1024
# OpenCV's remap refuses images of 32767 pixels or more on a side.
REMAP_LIMIT = 32000
# Half the growth of the footprint makes a Gaussian whose response at the new pixels' highest
# frequency is about a quarter: little aliasing, little blur.
ANTIALIAS_SIGMA = 0.5


def resample(
    moving: Raster, fixed_to_moving: Transform, frame: Frame | Raster, *, order: int = 1, fill: float = 0.0
) -> Raster:
    """Compute the moving raster as it looks on the fixed frame.

    Parameters
    ----------
    moving : Raster
        What to look at.
    fixed_to_moving : Transform
        Fixed to moving, both in world units.
    frame : Frame or Raster
        Where the pixels of the result lie in the fixed slide's world units: a frame, or a raster's own.
    order : int
        0 takes the nearest pixel (labels), 1 interpolates linearly, 3 cubically.
    fill : float
        Value where the moving raster ends.

    Returns
    -------
    Raster
        On the frame; the mask is True where the moving raster has a valid pixel. Where the result's
        pixels are larger than the moving ones, these are smoothed first (not with order 0).

    Examples
    --------
    >>> from napari_histreg.transforms.similarity import Translation
    >>> raster = Raster(np.arange(6).reshape(2, 3))
    >>> resample(raster, Translation.of((0, 1)), raster).pixels.tolist()
    [[1.0, 2.0, 0.0], [4.0, 5.0, 0.0]]
    """
    frame = frame.frame if isinstance(frame, Raster) else frame
    if order not in (0, 1, 3):
        raise ValueError(f"The order of interpolation is 0, 1 or 3, not {order}.")
    source = moving.pixels
    if order > 0:
        source = _smoothed(source, _footprint(moving, fixed_to_moving, frame))
    valid = moving.mask.astype(np.float32)
    pixels = np.full(frame.shape, fill, np.float32)
    mask = np.zeros(frame.shape, bool)
    for tile in tiles(frame.shape, TILE):
        _fill_tile(
            tile, source, valid, _sample_points(tile, moving, fixed_to_moving, frame), order, pixels, mask
        )
    return Raster.on(frame, pixels, mask)


def _sample_points(tile: Region, moving: Raster, fixed_to_moving: Transform, frame: Frame) -> FloatArray:
    """Return the moving pixel coordinates (H, W, 2) of a tile's pixels."""
    y = np.arange(tile.y, tile.y + tile.height) * frame.spacing[0] + frame.origin[0]
    x = np.arange(tile.x, tile.x + tile.width) * frame.spacing[1] + frame.origin[1]
    points = grid_points(y, x).reshape(-1, 2)
    return moving.to_pixel(fixed_to_moving(points)).reshape(*tile.shape, 2)


def _fill_tile(
    tile: Region,
    source: NDArray[np.float32],
    valid: NDArray[np.float32],
    at: FloatArray,
    order: int,
    pixels: NDArray[np.float32],
    mask: NDArray[np.bool_],
) -> None:
    import cv2

    y, x = np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])
    # The area of a pixel reaches half a pixel beyond its centre.
    rows, columns = source.shape
    inside = (y >= -0.5) & (y <= rows - 0.5) & (x >= -0.5) & (x <= columns - 0.5)
    if not inside.any():
        return
    window = _window(y[inside], rows), _window(x[inside], columns)
    if max(part.stop - part.start for part in window) > REMAP_LIMIT:
        for part in _quarters(tile):
            v, u = part.y - tile.y, part.x - tile.x
            _fill_tile(part, source, valid, at[v : v + part.height, u : u + part.width], order, pixels, mask)
        return
    maps = (
        np.where(inside, x - window[1].start, 0).astype(np.float32),
        np.where(inside, y - window[0].start, 0).astype(np.float32),
    )
    how = {0: cv2.INTER_NEAREST, 1: cv2.INTER_LINEAR, 3: cv2.INTER_CUBIC}[order]
    seen = cv2.remap(source[window], *maps, how, borderMode=cv2.BORDER_REPLICATE).reshape(tile.shape)
    np.copyto(pixels[tile.slices], seen, where=inside)
    if not valid[window].all():
        how = min(how, cv2.INTER_LINEAR)
        covered = cv2.remap(valid[window], *maps, how, borderMode=cv2.BORDER_REPLICATE)
        inside &= covered.reshape(tile.shape) > 0.5
    mask[tile.slices] = inside


def _window(places: FloatArray, size: int) -> slice:
    """Return the pixels along one axis that interpolation at these places can need."""
    margin = 3
    low = max(int(np.floor(places.min())) - margin, 0)
    return slice(low, min(int(np.ceil(places.max())) + margin + 1, size))


def _quarters(tile: Region) -> list[Region]:
    h, w = max(tile.height // 2, 1), max(tile.width // 2, 1)
    parts = [
        Region(tile.y, tile.x, h, w),
        Region(tile.y, tile.x + w, h, tile.width - w),
        Region(tile.y + h, tile.x, tile.height - h, w),
        Region(tile.y + h, tile.x + w, tile.height - h, tile.width - w),
    ]
    return [part for part in parts if not part.is_empty]


def _footprint(moving: Raster, fixed_to_moving: Transform, frame: Frame) -> FloatArray:
    """Return how many moving pixels (y, x) a frame's pixel spans, the median over the frame."""
    y = np.linspace(0, frame.shape[0] - 1, 5) * frame.spacing[0] + frame.origin[0]
    x = np.linspace(0, frame.shape[1] - 1, 5) * frame.spacing[1] + frame.origin[1]
    points = grid_points(y, x).reshape(-1, 2)
    local = fixed_to_moving.jacobian(points) * np.asarray(frame.spacing)
    spans = np.linalg.norm(local / np.asarray(moving.spacing)[:, None], axis=-1)
    spans = spans[np.isfinite(spans).all(-1)]
    return np.asarray(np.median(spans, 0)) if len(spans) else np.ones(2)


def _smoothed(pixels: NDArray[np.float32], footprint: FloatArray) -> NDArray[np.float32]:
    import cv2

    sigma = ANTIALIAS_SIGMA * np.sqrt(np.maximum(footprint**2 - 1, 0))
    if sigma.max() < 0.25:
        return pixels
    # OpenCV takes 0 as "like the other axis", so an axis that needs nothing gets next to nothing.
    sy, sx = np.maximum(sigma, 1e-3)
    blurred = cv2.GaussianBlur(pixels, (0, 0), sigmaX=sx, sigmaY=sy, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred)
