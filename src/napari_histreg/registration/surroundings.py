"""The surroundings of a point, as the orientation of edges on a grid that both slides can be seen on."""

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import NotConverged
from napari_histreg.geometry import FloatArray, Frame, Region
from napari_histreg.matching.block_correlation import correlate_patch
from napari_histreg.matching.orientation import orientation_field
from napari_histreg.matching.picture import Picture
from napari_histreg.preprocess import find_nuclear_name
from napari_histreg.raster import Raster
from napari_histreg.registration.automatic.overview import structure_shares
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform, resample

__all__ = ["correlate_fields", "edge_field", "seen_pixel"]

LEAST_ENERGY = 1e-3
"""Mean squared length of the edge directions below which the surroundings are flat."""
MOST_CHANNELS = 4


def edge_field(
    slide: Slide, frame_to_slide: Transform, centre: FloatArray, spacing: float, side: int
) -> NDArray[np.complex64]:
    """Return the orientation of edges on a square grid round a point, 0 where the slide shows nothing."""
    half = (side - 1) / 2 * spacing
    grid = Frame.square((side, side), spacing, centre - half)
    rasters = _read_round(slide, frame_to_slide, grid)
    seen = [resample(raster, frame_to_slide, grid) for raster in rasters]
    mask = seen[0].mask
    if mask.mean() < 0.3:
        raise NotConverged("The surroundings lie outside the slide, so there is nothing to compare.")
    planes = np.stack([raster.pixels for raster in seen])
    kept = _telling(slide, planes, mask)
    return orientation_field(Picture(planes[kept], grid, mask), local=0.25)


def _read_round(slide: Slide, frame_to_slide: Transform, grid: Frame) -> list[Raster]:
    """Read what a grid shows of a slide, at the level that is fine enough, one raster per channel."""
    rows, columns = grid.shape
    edge = np.array([[y, x] for y in (0, rows // 2, rows - 1) for x in (0, columns // 2, columns - 1)])
    seen = frame_to_slide(grid.to_world(edge))
    seen = seen[np.isfinite(seen).all(axis=1)]
    local = frame_to_slide.jacobian(grid.to_world(edge[4:5]))[0]
    level = slide.level_for_spacing(float(np.sqrt(abs(np.linalg.det(local)))) * grid.spacing[0])
    corners = slide.to_pixel(seen, level) if len(seen) else np.zeros((1, 2))
    low, high = np.floor(corners.min(0)).astype(int) - 4, np.ceil(corners.max(0)).astype(int) + 5
    region = Region(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
    inside = region.clipped(slide.levels[level].shape)
    if inside.is_empty:
        raise NotConverged("The surroundings lie outside the slide, so there is nothing to compare.")
    pixels = slide.read(level, inside).astype(np.float32)
    y, x = slide.to_world([float(inside.y), float(inside.x)], level)
    finite = np.asarray(np.isfinite(pixels).all(0))
    return [
        Raster(np.where(finite, plane, 0), slide.spacing(level), (float(y), float(x)), finite)
        for plane in pixels
    ]


def _telling(slide: Slide, planes: NDArray[np.float32], mask: NDArray[np.bool_]) -> list[int]:
    """Return the channels to compare: all colours, or those of a fluorescence slide that hold structure."""
    filled = [k for k, plane in enumerate(planes) if float(np.ptp(plane[mask])) > 0]
    if not filled:
        raise NotConverged(
            "The surroundings are flat: there is nothing to compare. Click where there is detail."
        )
    if slide.is_rgb or len(filled) == 1:
        return filled
    shares = structure_shares(planes[filled], mask)
    good = [filled[k] for k in np.argsort(-shares, kind="stable") if shares[k] > 0.1 * shares.max()]
    nuclear = find_nuclear_name([channel.name for channel in slide.channels])
    if nuclear in filled:
        good = [nuclear, *(k for k in good if k != nuclear)]
    return good[:MOST_CHANNELS] or filled[:1]


def correlate_fields(patch: NDArray[np.complex64], area: NDArray[np.complex64]) -> FloatArray:
    """Return the correlation of a patch, weighted towards its middle, with every place in an area."""
    if float((np.abs(patch) ** 2).mean()) < LEAST_ENERGY:
        raise NotConverged(
            "The surroundings are flat: there is nothing to compare. Click where there is detail."
        )
    return correlate_patch([patch.real, patch.imag], [area.real, area.imag])


def seen_pixel(slide: Slide, to_slide: Transform, at: FloatArray) -> tuple[float, float]:
    """Return the size of a slide's pixels as seen through a transform."""
    local = to_slide.jacobian(at[None])[0]
    scale = max(float(np.sqrt(abs(np.linalg.det(local)))), 1e-12)
    return slide.world_pixel_size[0] / scale, slide.world_pixel_size[1] / scale
