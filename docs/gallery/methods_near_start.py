"""Every method, two stains, from a start that is nearly right

The same pair, and a start that is off by three degrees and four micrometres, as three quick clicks give it.
Methods that climb (ecc, mi, elastix) are made for this.

**Read the errors, not only the verdicts.** Correlation can only shift. It leaves the three degrees as they
are, so that cells lie some 12 px (6 µm) off, a whole nucleus, and it is accepted all the same: "accepted"
has meant the right place to two per cent of the diagonal (14 px here), and no more. That is good enough to
begin from, and not to count cells. The reasons tell the difference: below, of the blocks that took no part,
few agree with correlation, and most or all with the others.

Picture: A grid of overlays, one for each method that takes a start, with verdict and true error above
each.
"""

from matplotlib import pyplot as plt

from napari_histreg import Rigid, demo_pair, list_methods, open_slide, register
from napari_histreg.quality.pictures import overlay
from napari_histreg.quality.target_error import target_error
from napari_histreg.quality.views import signal_raster
from napari_histreg.transforms import resample

pair = demo_pair(".")
fixed, moving = open_slide(pair.fixed), open_slide(pair.moving)
still, other = signal_raster(fixed, 1.0), signal_raster(moving, 0.8)
start = Rigid.of(angle_deg=3, translation=(3, -2.6), centre=(128, 128)).then(pair.fixed_to_moving)
others = ("landmarks", "learned")  # these want pairs of points, and a network of your own
specs = [spec for spec in list_methods() if spec.is_available]
names = [spec.name for spec in specs if spec.name not in others]

figure, axes = plt.subplots(-(-len(names) // 3), 3, figsize=(9, 3.3 * -(-len(names) // 3)))
for axis in axes.flat:
    axis.axis("off")
for axis, name in zip(axes.flat, names, strict=False):
    result = register(fixed, moving, method=name, initial=start, must_find=False)
    if result.outcome.fixed_to_moving is None:
        axis.imshow(overlay(still, resample(other, start, still)))
        axis.set_title(f"{name}: refused, at its start", fontsize=10)
        print(f"{name:12} refused: {result.outcome.reasons[0][:80]}")
        continue
    found = result.outcome.fixed_to_moving
    error = target_error(pair.landmarks(), found, shape=fixed.shape, pixel_size_um=fixed.pixel_size_um)
    axis.imshow(overlay(still, resample(other, found, still)))
    axis.set_title(f"{name}: {result.verdict}, {error.median_px:.2g} px", fontsize=10)
    blocks = next((said.split(" blocks")[0] for said in result.reasons if " blocks" in said), "no")
    print(f"{name:12} {result.verdict:9} median error {error.median_px:5.2f} px, {blocks} blocks agree")
figure.tight_layout()
