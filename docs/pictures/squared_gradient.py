"""The squared gradient field

Drawn for the page on the automatic method.

Picture: The same tissue in brightfield and fluorescence with opposite contrast, and below each its
squared gradient, in which both look alike.
"""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import hsv_to_rgb

from napari_histreg import demo_pair, open_slide
from napari_histreg.geometry import Frame
from napari_histreg.matching.orientation import orientation_field
from napari_histreg.registration.automatic.overview import look_at

pair = demo_pair(".")
fixed, moving = (look_at(open_slide(path)).picture for path in (pair.fixed, pair.moving))
frame = Frame((220, 220), (0.6, 0.6), (60.0, 60.0))
matrix = pair.fixed_to_moving.matrix
views = (fixed.sampled(frame, np.eye(3)), moving.sampled(frame, matrix))
figure, axes = plt.subplots(2, 2, figsize=(8, 8))
titles = ("brightfield", "fluorescence")
for (above, below), view, title in zip(axes.T, views, titles, strict=True):
    shown = view.channels[0]
    above.imshow(1 - shown if title == "brightfield" else shown, cmap="gray")
    above.set_title(title)
    field = orientation_field(view, sigma_px=1.5)
    length = np.abs(field) / np.quantile(np.abs(field), 0.99)
    hue = (np.angle(field) / (2 * np.pi)) % 1
    below.imshow(hsv_to_rgb(np.stack([hue, np.full_like(hue, 0.8), length.clip(0, 1)], -1)))
    below.set_title("its squared gradient")
    above.axis("off")
    below.axis("off")
figure.tight_layout()
