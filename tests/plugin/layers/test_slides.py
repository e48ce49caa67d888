"""Slides as layers: channels, colours, limits, lazy levels that lie where they should."""

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Layer

from napari_histreg.caching import ArrayCache
from napari_histreg.geometry import Region
from napari_histreg.plugin.layers.lazy_levels import level_arrays
from napari_histreg.plugin.layers.slides import (
    CHANNEL,
    SLIDE,
    add_slide,
    image_layers,
    link_channels,
    short_name,
    slide_from_layer,
    slide_layers,
    slides_in,
    volume_name,
)
from napari_histreg.slides import Channel, Level, Slide, open_slide


class Source:
    """Pixels that tell where they lie, and count what is read."""

    def __init__(self, count, dtype):
        self.count, self.dtype, self.reads = count, dtype, []

    def read(self, level, region, channels=None):
        self.reads.append((level, region))
        y, x = np.mgrid[region.y : region.y + region.height, region.x : region.x + region.width]
        plane = (7 * y + 3 * x + level).astype(self.dtype)
        return np.stack([plane + k for k in (range(self.count) if channels is None else channels)])

    def close(self):
        pass


def big_slide(count=3, *, is_rgb=False, names=("DAPI", "CD3", "CD8"), colours=(None, (1.0, 0.5, 0.0), None)):
    """A slide of 40 001 x 30 003 px whose odd levels are rounded up."""
    levels = tuple(
        Level((-(-40_001 // f), -(-30_003 // f)), (float(f), float(f))) for f in (1, 2, 4, 8, 16, 32, 64)
    )
    dtype = np.dtype(np.uint8 if is_rgb else np.uint16)
    channels = tuple(Channel(name, colour) for name, colour in zip(names, colours, strict=True))
    return Slide("big", levels, channels, dtype, Source(count, dtype), (0.25, 0.25), is_rgb)


def test_brightfield_is_one_rgb_layer_in_um():
    slide = open_slide(np.zeros((300, 400, 3), np.uint8), pixel_size_um=(0.5, 0.25), name="HE")
    ((data, options, kind),) = slide_layers(slide)
    layer = Layer.create(data, options, kind)
    assert layer.rgb
    assert layer.multiscale
    assert layer.scale.tolist() == [0.5, 0.25]
    assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]
    assert layer.metadata[SLIDE] is slide
    assert layer.name == "HE"


def test_fluorescence_is_a_layer_for_each_channel_with_names_and_colours():
    layers = [Layer.create(*data) for data in slide_layers(big_slide())]
    assert [layer.name for layer in layers] == ["big: DAPI", "big: CD3", "big: CD8"]
    assert [layer.metadata[CHANNEL] for layer in layers] == [0, 1, 2]
    ends = [layer.colormap.colors[-1][:3].round(2).tolist() for layer in layers]
    # Blue for the nuclei, the file's own colour, and one of the palette.
    assert ends == [[0.25, 0.5, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.0]]


def test_contrast_limits_are_percentiles_of_the_overview():
    pixels = np.full((1, 500, 500), 100, np.uint16)
    pixels[:, :50] = 4000  # a tenth of the slide
    pixels[0, 499, 499] = 65535  # one hot pixel must not set the limit
    low, high = slide_layers(open_slide(pixels))[0][1]["contrast_limits"]
    assert (low, high) == (100.0, 4000.0)


def test_many_channels_do_not_add_up_to_white():
    slide = open_slide(np.zeros((9, 60, 60), np.uint16))
    visible = [options["visible"] for _, options, _ in slide_layers(slide)]
    assert visible == [True] * 4 + [False] * 5


def test_a_blank_channel_has_usable_limits():
    low, high = slide_layers(open_slide(np.zeros((2, 60, 60), np.float32)))[1][1]["contrast_limits"]
    assert high > low


def test_opening_reads_the_overview_only():
    slide = big_slide()
    slide_layers(slide)
    levels = {level for level, _ in slide.source.reads}
    assert levels == {slide.level_for_size()}


def test_a_view_of_level_0_reads_its_tiles_only():
    slide = big_slide()
    array = level_arrays(slide, 1)[0]
    view = np.asarray(array[20_000:20_600, 10_000:10_700])
    assert np.array_equal(view, slide.read(0, Region(20_000, 10_000, 600, 700), [1])[0])
    read = sum(region.height * region.width for _, region in slide.source.reads[:-1])
    assert read <= (600 + 2 * 512) * (700 + 2 * 512)


def test_tiles_are_kept_and_the_memory_is_bounded():
    cache = ArrayCache(limit=2_000_000)
    slide = big_slide()
    array = level_arrays(slide, 0, cache=cache)[0]
    for y in range(0, 8192, 512):
        np.asarray(array[y : y + 512, :512])
    count = len(slide.source.reads)
    np.asarray(array[7680:8192, :512])
    assert len(slide.source.reads) == count
    assert cache.size <= 2_000_000


@pytest.mark.parametrize("is_rgb", [False, True])
def test_levels_lie_where_they_should_to_the_half_pixel(is_rgb):
    layer = Layer.create(*slide_layers(big_slide(is_rgb=is_rgb))[0])
    # napari stretches a level to the extent of level 0, so the ratio of shapes must be the downsample.
    expected = np.array([[f, f] for f in (1, 2, 4, 8, 16, 32, 64)], float)
    assert np.array_equal(layer.downsample_factors[:, :2], expected)


def test_levels_with_odd_ratios_are_left_as_they_are():
    levels = (Level((1000, 900), (1.0, 1.0)), Level((300, 280), (1000 / 300, 900 / 280)))
    slide = Slide("odd", levels, (Channel("a"),), np.dtype(np.uint8), Source(1, np.uint8))
    assert [array.shape for array in level_arrays(slide, 0)] == [(1000, 900), (300, 280)]


def test_16_bit_colours_are_shown_as_8_bit():
    pixels = np.full((40, 50, 3), 65535, np.uint16)
    pixels[:20] = 32768
    shown = np.asarray(level_arrays(open_slide(pixels))[0])
    assert shown.dtype == np.uint8
    assert shown[30, 0].tolist() == [255, 255, 255]
    assert shown[0, 0].tolist() == [127, 127, 127]


def test_channels_move_together():
    from napari.components import ViewerModel

    viewer = ViewerModel()
    add_slide(viewer, open_slide(np.zeros((3, 60, 60), np.uint16)))
    add_slide(viewer, open_slide(np.zeros((2, 60, 60), np.uint16)))
    viewer.layers[1].affine = np.array([[1, 0, 5.0], [0, 1, 0], [0, 0, 1]])
    moved = [layer.affine.translate[0] for layer in viewer.layers]
    assert moved == [5.0, 5.0, 5.0, 0.0, 0.0]


def test_layers_of_others_become_slides():
    from napari.layers import Image

    layer = Image(np.zeros((60, 80), np.uint8), scale=(0.5, 0.5), units=("um", "um"), name="theirs")
    slide = slide_from_layer(layer)
    assert slide.shape == (60, 80)
    assert slide.pixel_size_um == (0.5, 0.5)
    assert slide_from_layer(layer) is slide
    assert slides_in([layer]) == [slide]
    assert image_layers([layer], slide) == [layer]
    link_channels([layer])


def test_a_layer_in_pixels_has_no_pixel_size():
    from napari.layers import Image

    assert slide_from_layer(Image(np.zeros((60, 80), np.uint8))).pixel_size_um is None


def test_short_names(tmp_path):
    from napari_histreg.samples import demo_pair

    with open_slide(demo_pair(tmp_path).fixed) as slide:
        assert short_name(slide) == "demo_ihc"
    assert short_name(open_slide(np.zeros((30, 30), np.uint8), name="S12.34")) == "S12.34"
    for stored, shown in (("mr.nii.gz", "mr"), ("a.b.NRRD", "a.b"), ("CT.1", "CT.1"), (".dcm", ".dcm")):
        plane = replace(
            open_slide(np.zeros((30, 30), np.uint8), name=f"{stored} axial 3"),
            metadata={"plane": "axial", "index": 3},
            path=f"/a/{stored}#axial=3",
        )
        assert (short_name(plane), volume_name(plane)) == (f"{shown} axial 3", shown)
