"""A tomographic series before and after

Jitter of the stage shows as a ragged sinogram. After alignment its curves are smooth, and the slice that
is reconstructed from it is sharp.

Picture: Above a ragged sinogram, below the same with smooth curves.
"""

from matplotlib import pyplot as plt

from napari_histreg.projections import align_projections, open_projections
from napari_histreg.samples import phantom_projections

made = phantom_projections(90, (96, 96), jitter_px=4)
series = open_projections(made.frames, angles=made.angles_deg)
found = align_projections(series)
straight = [found.aligned(frame, view=k) for k, frame in enumerate(made.frames)]
figure, axes = plt.subplots(2, 1, figsize=(7, 6))
axes[0].imshow(made.frames[:, 40], aspect="auto", cmap="gray")
axes[0].set_title("row 40 of all projections, as measured")
axes[1].imshow([frame[40] for frame in straight], aspect="auto", cmap="gray")
axes[1].set_title(f"aligned: {found.verdict}, expected error {max(found.error_px):.2f} px")
figure.tight_layout()
