"""Blocks that took no part

Drawn for the page on the automatic method.

Picture: The overlay of an aligned pair with a chessboard of blocks. An arrow in each shows where it fits
best; nearly all are points.
"""

import numpy as np
from matplotlib import pyplot as plt

from napari_histreg import demo_pair, open_slide
from napari_histreg.matching.affine_refinement import orientation_planes
from napari_histreg.matching.block_correlation import correlate_blocks
from napari_histreg.matching.picture import overlap_frame
from napari_histreg.registration.automatic.overview import look_at

pair = demo_pair(".")
fixed, moving = (look_at(open_slide(path)).picture for path in (pair.fixed, pair.moving))
matrix = pair.fixed_to_moving.matrix
wrong = matrix.copy()
wrong[:2, 2] += (6.0, 4.0)
figure, axes = plt.subplots(1, 2, figsize=(9, 4.8))
for axis, pose, title in zip(
    axes, (matrix, wrong), ("the right pose", "a pose that is 7 µm off"), strict=True
):
    frame = overlap_frame(fixed, moving, pose, 224)
    one, other = fixed.sampled(frame, np.eye(3)), moving.sampled(frame, pose)
    shifts = correlate_blocks(*orientation_planes(one, other), block=32, reach=14, step=32).shifts()
    axis.imshow(one.channels[0], cmap="gray_r")
    y, x = shifts.centres.T
    off = shifts.offsets
    axis.quiver(
        x, y, off[:, 1], off[:, 0], angles="xy", scale_units="xy", scale=1, color="#d6338f", width=0.006
    )
    axis.plot(x, y, ".", color="#2aa876", markersize=4)
    axis.set_title(title)
    axis.axis("off")
figure.tight_layout()
