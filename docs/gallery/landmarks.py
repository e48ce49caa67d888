"""Landmarks: the wrong click stands out

Eight pairs, pair 3 of them clicked 26 µm off, on the wrong nucleus. The residual of the fit makes it look
smaller than it is, because the fit gives way to the wrong pair; the error of each pair as predicted by all
others says nearly the whole of it. This takes pairs to spare: with five or six pairs and an affine model the
wrong pair drags the predictions of its neighbours along, and another one may stand out in its place.

Picture: Bars of residuals and of leave-one-out errors for eight pairs; pair 3 stands far above all others,
at 25 µm where predicted by the others and at 20 µm as a residual.
"""

import numpy as np
from matplotlib import pyplot as plt

from napari_histreg import Landmarks, Similarity, fit_landmarks

rng = np.random.default_rng(4)
fixed = rng.uniform(0, 1000, (8, 2))
truth = Similarity.of(scale=1.05, angle_deg=20, translation=(40, -30))
moving = truth(fixed) + rng.normal(0, 1.5, fixed.shape)
moving[3] += (22, -14)
fit = fit_landmarks(Landmarks.of(fixed, moving), "similarity")
residuals = fit.residuals
assert np.argmax(fit.leave_one_out) == 3
places = np.arange(8)
figure, axis = plt.subplots(figsize=(8, 3.5))
axis.bar(places - 0.2, residuals, 0.4, label="residual of the fit", color="#2aa876")
axis.bar(places + 0.2, fit.leave_one_out, 0.4, label="predicted by the others", color="#d6338f")
axis.set(xlabel="pair", ylabel="µm", xticks=places)
axis.legend(frameon=False)
figure.tight_layout()
