"""Landmarks: the wrong click stands out

Five pairs, one of them clicked on the wrong nucleus. The residuals of the fit hardly tell, because the
fit bends to please the wrong pair; the error of each pair as predicted by all others does.

Picture: Bars of residuals and of leave-one-out errors for five pairs; at pair 3 the second kind towers
above all others.
"""

import numpy as np
from matplotlib import pyplot as plt

from napari_histreg import Landmarks, Similarity, fit_landmarks

rng = np.random.default_rng(4)
fixed = rng.uniform(0, 1000, (5, 2))
truth = Similarity.of(scale=1.05, angle_deg=20, translation=(40, -30))
moving = truth(fixed) + rng.normal(0, 1.5, fixed.shape)
moving[3] += (22, -14)
fit = fit_landmarks(Landmarks.of(fixed, moving), "affine")
residuals = fit.residuals
places = np.arange(5)
figure, axis = plt.subplots(figsize=(8, 3.5))
axis.bar(places - 0.2, residuals, 0.4, label="residual of the fit", color="#2aa876")
axis.bar(places + 0.2, fit.leave_one_out, 0.4, label="predicted by the others", color="#d6338f")
axis.set(xlabel="pair", ylabel="µm", xticks=places)
axis.legend(frameon=False)
figure.tight_layout()
