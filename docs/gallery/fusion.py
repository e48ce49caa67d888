"""Fusing two slides: six rules

One picture out of two, for looking. The mean keeps everything and dims it; the maximum keeps what is
brighter; the others keep detail of both. None of them is for measuring. How much each keeps is what
`histreg fuse --measure` says.

Picture: Six grey pictures of the same glands, one for each rule of fusion.
"""

from matplotlib import pyplot as plt

from napari_histreg import demo_pair, open_slide, warp_slide
from napari_histreg.fusion import RULES, fuse_slides
from napari_histreg.warping import Grid, select_channels

pair = demo_pair(".")
fixed, moving = open_slide(pair.fixed), open_slide(pair.moving)
grid = Grid.of(fixed)
warped = warp_slide(moving, pair.fixed_to_moving, grid, pixel_size_um=fixed.pixel_size_um)
figure, axes = plt.subplots(2, 3, figsize=(9, 6.4))
for axis, rule in zip(axes.flat, RULES, strict=True):
    fused = fuse_slides([select_channels(fixed, [0]), select_channels(warped, [0])], rule.name)
    axis.imshow(fused.read_level(0)[0], cmap="gray")
    axis.set_title(rule.title, fontsize=10)
    axis.axis("off")
figure.tight_layout()
