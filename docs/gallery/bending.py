"""Tissue that stretched, affine and bent

A phantom slide is seen through a smooth bend of several micrometres. The affine alignment brings whole
regions together; with `nonrigid=True` single nuclei meet. Where the field would fold it is made stiffer.

Picture: Left the overlay of the affine alignment with coloured fringes, right that of the bent one,
whiter all over.
"""

import numpy as np
from matplotlib import pyplot as plt

from napari_histreg import open_slide, phantom_pair, register
from napari_histreg.geometry import grid_points
from napari_histreg.quality.pictures import overlay
from napari_histreg.quality.views import signal_raster
from napari_histreg.transforms import fit_thin_plate, resample
from napari_histreg.warping import Grid, warp_slide

pair = phantom_pair(1400, angle_deg=0, mirrored=False, scale=1.0)
line = np.linspace(0, 350, 5)
nodes = grid_points(line, line).reshape(-1, 2)
moved = nodes + np.random.default_rng(2).normal(0, 5, nodes.shape)
lens = fit_thin_plate(nodes, moved, smoothing=0)
bent = warp_slide(pair.fixed, lens, Grid.of(pair.fixed), pixel_size_um=pair.fixed.pixel_size_um)
seen = open_slide(bent.read_level(0), pixel_size_um=pair.fixed.pixel_size_um)
still, other = signal_raster(seen, 0.5), signal_raster(pair.moving, 0.5)
figure, axes = plt.subplots(1, 2, figsize=(9, 4.8))
for axis, nonrigid in zip(axes, (False, True), strict=True):
    result = register(seen, pair.moving, nonrigid=nonrigid)
    landed = result.fixed_to_moving(nodes[6:19])
    truth = pair.fixed_to_moving(lens(nodes[6:19]))
    error = float(np.median(np.linalg.norm(landed - truth, axis=1)))
    axis.imshow(overlay(still, resample(other, result.fixed_to_moving, still)))
    axis.set_title(f"{'bent' if nonrigid else 'affine'}: {error:.1f} µm")
    axis.axis("off")
figure.tight_layout()
