"""The search over all poses

Drawn for the page on the automatic method.

Picture: Scores of all rotations, plain and mirrored. One peak, at 152 degrees mirrored, towers above the
noise of the others.
"""

import numpy as np
from matplotlib import pyplot as plt

from napari_histreg import demo_pair, open_slide
from napari_histreg.matching.pose_search import search_poses
from napari_histreg.registration.automatic.overview import look_at

pair = demo_pair(".")
fixed, moving = (look_at(open_slide(path)).picture for path in (pair.fixed, pair.moving))
poses = search_poses(fixed, moving, [0.96, 1.02, 1.08])
mirrored = np.linalg.det(poses.matrices[:, :2, :2]) < 0
turns = poses.matrices[:, :2, :2] * np.where(mirrored, -1, 1)[:, None, None] ** np.array([0, 1])
angle = np.degrees(np.arctan2(turns[:, 1, 0], turns[:, 0, 0]))
figure, axis = plt.subplots(figsize=(8, 3.5))
for flag, colour, label in ((False, "#2aa876", "as it lies"), (True, "#d6338f", "mirrored")):
    axis.plot(angle[mirrored == flag], poses.z[mirrored == flag], ".", color=colour, label=label)
axis.set(xlabel="rotation (degrees)", ylabel="score, in standard deviations\nof wrong shifts")
axis.legend(frameon=False)
figure.tight_layout()
