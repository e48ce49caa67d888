"""Phantom slides of which the moving one is bent as it is read; the bend is known."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import Slide
from napari_histreg.transforms.thin_plate_fit import fit_thin_plate
from napari_histreg.warping.grid import Grid
from napari_histreg.warping.warp import warp_slide

__all__ = ["BentSlides", "bent_slides"]


@dataclass(frozen=True, eq=False)
class BentSlides:
    """A fixed slide, a bent moving one, nuclei of the fixed one and where they are in the moving one."""

    fixed: Slide
    moving: Slide
    nuclei: FloatArray
    moved: FloatArray


@lru_cache(maxsize=8)
def bent_slides(
    size_px: int, amplitude_um: float, *, nodes: int = 4, seed: int = 0, pixel_um: float = 0.5
) -> BentSlides:
    """Bend the moving slide of a phantom pair by a thin plate over a grid of nodes."""
    pair = phantom_pair(size_px, pixel_size_um=pixel_um, seed=seed)
    moving = pair.moving
    nuclei = pair.fixed.source.nuclei(200)
    truth = pair.fixed_to_moving(nuclei)
    if not amplitude_um:
        return BentSlides(pair.fixed, moving, nuclei, truth)
    extent = np.array(moving.shape) * moving.world_pixel_size
    grid = np.stack(np.meshgrid(*(np.linspace(0, e, nodes) for e in extent), indexing="ij"), -1).reshape(
        -1, 2
    )
    shifts = np.random.default_rng(seed).uniform(-amplitude_um, amplitude_um, grid.shape)
    bend = fit_thin_plate(grid, grid + shifts, smoothing=0)
    bent = warp_slide(
        moving, bend, Grid(moving.shape, moving.world_pixel_size), pixel_size_um=moving.pixel_size_um
    )
    return BentSlides(pair.fixed, bent, nuclei, bend.inverse()(truth))
