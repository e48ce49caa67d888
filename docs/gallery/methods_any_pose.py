"""Every method, two stains, turned by 152 degrees and mirrored

The same pair for all: immunohistochemistry in brightfield, and fluorescence of the same section that lies
face down. The true error is measured at 49 landmarks that no method sees. Magenta is the fixed slide, green
the moving one, white where both are bright. Methods that ask for a start that is nearly right get none here,
so they are refused; the next page gives them one. This pair is kinder than most: its fluorescence is
computed from the brightfield picture, nucleus by nucleus, so that methods which match points find them.

Picture: A grid of overlays, one for each method. Where one is accepted nuclei are white; where it is refused
the two slides lie across each other as they came.
"""

from matplotlib import pyplot as plt

from napari_histreg import demo_pair, list_methods, open_slide, register
from napari_histreg.quality.pictures import overlay
from napari_histreg.quality.target_error import target_error
from napari_histreg.quality.views import centred, signal_raster
from napari_histreg.transforms import resample

pair = demo_pair(".")
fixed, moving = open_slide(pair.fixed), open_slide(pair.moving)
still, other = signal_raster(fixed, 1.0), signal_raster(moving, 0.8)
as_it_came = centred(fixed, moving)
others = ("landmarks", "learned")  # these want pairs of points, and a network of your own
specs = [spec for spec in list_methods() if spec.is_available and not spec.needs_start]
names = [spec.name for spec in specs if spec.name not in others]

figure, axes = plt.subplots(-(-len(names) // 3), 3, figsize=(9, 3.3 * -(-len(names) // 3)))
for axis in axes.flat:
    axis.axis("off")
for axis, name in zip(axes.flat, names, strict=False):
    result = register(fixed, moving, method=name, must_find=False)
    if result.outcome.fixed_to_moving is None:
        axis.imshow(overlay(still, resample(other, as_it_came, still)))
        axis.set_title(f"{name}: refused, as it came", fontsize=10)
        print(f"{name:12} refused: {result.outcome.reasons[0][:80]}")
        continue
    found = result.outcome.fixed_to_moving
    error = target_error(pair.landmarks(), found, shape=fixed.shape, pixel_size_um=fixed.pixel_size_um)
    axis.imshow(overlay(still, resample(other, found, still)))
    axis.set_title(f"{name}: {result.verdict}, {error.median_px:.2g} px", fontsize=10)
    print(f"{name:12} {result.verdict:9} median error {error.median_px:.2f} px")
figure.tight_layout()
