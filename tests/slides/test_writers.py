"""What is written comes back: pixels, levels, names, colours, sizes; and nothing half-done stays."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import tracemalloc
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
import zarr

import napari_histreg.slides.writers._ome_tiff as ome_tiff
import napari_histreg.slides.writers._pyramid as streaming
from napari_histreg.errors import OutputIsInput, WriteError
from napari_histreg.geometry import pixel_to_world
from napari_histreg.progress import Cancelled
from napari_histreg.slides import Channel, Level, Slide, open_slide, write_slide
from napari_histreg.slides.writers import WRITERS
from napari_histreg.slides.writers._ome_zarr import SHARD_BYTES, shard_side
from napari_histreg.slides.writers._pyramid import _z_order
from slides.slide_files import channels, rgb

ENDINGS = ["copy.ome.tif", "copy.ome.zarr"]
LOSSLESS = [
    (ending, name) for spec, ending in zip(WRITERS, ENDINGS, strict=True) for name in spec.compressions
]
LOSSLESS = [(ending, name) for ending, name in LOSSLESS if name != "jpeg"]


@pytest.mark.parametrize(("ending", "compression"), LOSSLESS)
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "i4", "f4", "f8", "i1"])
def test_every_type_comes_back_exactly(tmp_path, ending, compression, dtype):
    rng = np.random.default_rng(0)
    pixels = (rng.random((2, 301, 117)) * 120).astype(dtype)
    pixels[:, 40:90, 30:60] = np.iinfo(dtype).max if np.dtype(dtype).kind in "ui" else -1e6
    with open_slide(pixels) as slide:
        write_slide(slide, tmp_path / ending, compression=compression, tile=64)
    with open_slide(tmp_path / ending) as copy:
        assert copy.dtype == np.dtype(dtype)
        assert np.array_equal(copy.read_level(0), pixels)
        assert copy.pixel_size_um is None


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("shape", [(1025, 1999), (2048, 1024), (1, 3000), (2077, 16), (5, 7)])
def test_levels_equal_those_computed_when_reading(tmp_path, ending, shape):
    pixels = np.random.default_rng(1).integers(0, 60000, (3, *shape)).astype(np.uint16)
    with open_slide(pixels, pixel_size_um=(0.5, 0.25)) as slide:
        write_slide(slide, tmp_path / ending, tile=128)
        with open_slide(tmp_path / ending) as copy:
            assert copy.levels == slide.levels
            assert copy.pixel_size_um == pytest.approx((0.5, 0.25))
            for level in range(len(slide.levels)):
                assert np.array_equal(copy.read_level(level), slide.read_level(level))


@pytest.mark.parametrize("ending", ENDINGS)
def test_names_and_colours(tmp_path, ending):
    named = [
        Channel('<CD3 & "x">', (1.0, 0.0, 0.0)),
        Channel("αSMA", (0.0, 1.0, 0.0)),
        Channel("DAPI", (0.0, 0.0, 1.0)),
    ]
    slide = open_slide(channels(3, (80, 70)))
    slide = Slide("Größe µ", slide.levels, tuple(named), slide.dtype, slide.source, pixel_size_um=(0.3, 0.3))
    write_slide(slide, tmp_path / ending)
    with open_slide(tmp_path / ending) as copy:
        assert copy.channels == tuple(named)


@pytest.mark.parametrize("ending", ENDINGS)
def test_60_channels(tmp_path, ending):
    pixels = channels(60, (1100, 300))
    names = [f"marker {k}" for k in range(60)]
    write_slide(open_slide(pixels, channel_names=names), tmp_path / ending, tile=256)
    with open_slide(tmp_path / ending) as copy:
        assert [channel.name for channel in copy.channels] == names
        assert np.array_equal(copy.read_level(0), pixels)
        assert len(copy.levels) == 2


@pytest.mark.parametrize("compression", [None, "jpeg:95", "zstd"])
def test_rgb_tiff(tmp_path, compression):
    picture = rgb((1500, 1301))
    with open_slide(picture, pixel_size_um=0.25) as slide:
        write_slide(slide, tmp_path / "a.ome.tif", compression=compression)
        with open_slide(tmp_path / "a.ome.tif") as copy:
            assert copy.is_rgb
            assert copy.pixel_size_um == (0.25, 0.25)
            # Smooth colours; JPEG with halved colours changes single pixels by up to 20, few by much.
            most, mean = {None: (24, 2.0), "jpeg:95": (12, 1.0), "zstd": (0, 0)}[compression]
            for level in range(2):
                difference = np.abs(copy.read_level(level).astype(int) - slide.read_level(level))
                assert difference.max() <= most
                assert difference.mean() <= mean


def test_other_readers_see_the_pyramid(tmp_path):
    picture, path = rgb((1500, 1301)), tmp_path / "a.ome.tif"
    with open_slide(picture, pixel_size_um=0.25) as slide:
        write_slide(slide, path, compression="deflate")
        with tifffile.TiffFile(path) as tif:
            assert tif.is_ome
            assert not tif.is_bigtiff
            (series,) = tif.series
            assert [level.shape for level in series.levels] == [(1500, 1301, 3), (750, 651, 3)]
            assert all(level.keyframe.is_tiled and level.keyframe.tilewidth == 512 for level in series.levels)
            assert np.array_equal(series.levels[0].asarray(), picture)
            assert np.array_equal(np.moveaxis(series.levels[1].asarray(), -1, 0), slide.read_level(1))
            assert tif.pages.first.resolution == (40000, 40000)
            assert 'PhysicalSizeX="0.25"' in tif.ome_metadata
    with openslide.OpenSlide(str(path)) as oracle:
        assert oracle.dimensions == (1301, 1500)
        assert np.array_equal(
            np.asarray(oracle.read_region((700, 600), 0, (99, 98)))[..., :3], picture[600:698, 700:799]
        )


def test_other_readers_see_all_channels(tmp_path):
    pixels, path = channels(5, (1100, 900)), tmp_path / "a.ome.tif"
    write_slide(open_slide(pixels), path)
    with tifffile.TiffFile(path) as tif:
        assert tif.series[0].axes == "CYX"
        assert np.array_equal(tif.series[0].asarray(), pixels)
        assert [level.shape for level in tif.series[0].levels] == [(5, 1100, 900), (5, 550, 450)]


def test_tiles_of_one_colour_are_encoded_once(tmp_path, monkeypatch):
    picture = np.full((1000, 1000, 3), 255, np.uint8)
    picture[:100, :100] = rgb((100, 100))
    picture[600:, 600:] = (9, 8, 7)
    asked = []
    original = ome_tiff.tile_encoder

    def counting(*arguments):
        encode = original(*arguments)
        return lambda tile: asked.append(1) or encode(tile)

    monkeypatch.setattr(ome_tiff, "tile_encoder", counting)
    monkeypatch.setattr(streaming, "thread_count", lambda: 1)
    write_slide(open_slide(picture), tmp_path / "a.ome.tif", compression="zstd", tile=64)
    with open_slide(tmp_path / "a.ome.tif") as copy:
        assert np.array_equal(np.moveaxis(copy.read_level(0), 0, -1), picture)
    # 4 tiles hold the picture, 13 the edges of the square, 2 are of one colour.
    assert len(asked) == 4 + 13 + 2


def test_bigtiff_when_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(ome_tiff, "CLASSIC_BYTES", 10_000)
    pixels, path = channels(2, (1100, 300)), tmp_path / "a.ome.tif"
    write_slide(open_slide(pixels), path)
    with tifffile.TiffFile(path) as tif:
        assert tif.is_bigtiff
        assert np.array_equal(tif.series[0].asarray(), pixels)
    with open_slide(path) as copy:
        assert np.array_equal(copy.read_level(0), pixels)


def test_zarr_metadata_places_the_levels(tmp_path):
    write_slide(
        open_slide(channels(2, (2100, 900)), pixel_size_um=(0.5, 0.25)), tmp_path / "a.ome.zarr", tile=128
    )
    group = zarr.open_group(tmp_path / "a.ome.zarr", mode="r")
    told = group.attrs["ome"]
    assert told["version"] == "0.5"
    (multiscale,) = told["multiscales"]
    assert [axis["name"] for axis in multiscale["axes"]] == ["c", "y", "x"]
    assert multiscale["axes"][1] == {"name": "y", "type": "space", "unit": "micrometer"}
    for level, dataset in enumerate(multiscale["datasets"]):
        scale, shift = dataset["coordinateTransformations"]
        assert scale == {"type": "scale", "scale": [1.0, 0.5 * 2**level, 0.25 * 2**level]}
        assert shift["type"] == "translation"
        assert shift["translation"] == [0.0, *pixel_to_world([0, 0], 2**level, (0.5, 0.25)).tolist()]
        array = group[dataset["path"]]
        assert array.chunks == (1, 128, 128)
        assert array.shards == (2, 512, 512)
        assert array.metadata.dimension_names == ("c", "y", "x")


def test_rgb_zarr(tmp_path):
    picture = rgb((1100, 700))
    write_slide(open_slide(picture), tmp_path / "a.ome.zarr")
    with open_slide(tmp_path / "a.ome.zarr") as copy:
        assert copy.is_rgb
        assert copy.background == 255
        assert copy.unit == "px"
        assert np.array_equal(copy.read_level(0), np.moveaxis(picture, -1, 0))


def test_truth_values_and_half_floats(tmp_path):
    bits = np.random.default_rng(0).random((64, 64)) > 0.5
    write_slide(open_slide(bits), tmp_path / "a.ome.tif")
    with open_slide(tmp_path / "a.ome.tif") as copy:
        assert np.array_equal(copy.read_level(0)[0], bits * np.uint8(255))
    write_slide(open_slide(bits), tmp_path / "a.ome.zarr")
    with open_slide(tmp_path / "a.ome.zarr") as copy:
        assert np.array_equal(copy.read_level(0)[0], bits)
    half = np.random.default_rng(0).random((64, 64)).astype(np.float16)
    write_slide(open_slide(half), tmp_path / "a.ome.tif")
    with open_slide(tmp_path / "a.ome.tif") as copy:
        assert np.array_equal(copy.read_level(0)[0], half.astype(np.float32))


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.mrxs", "a.ome.tif.txt"])
def test_unknown_ending(tmp_path, name):
    with pytest.raises(WriteError, match=r"\.ome\.tif"):
        write_slide(open_slide(np.zeros((4, 4), np.uint8)), tmp_path / name)


@pytest.mark.parametrize(
    ("compression", "ending", "message"),
    [
        ("gif", "a.ome.tif", "no compression"),
        ("jpeg:0", "a.ome.tif", "1 to 100"),
        ("jpeg:high", "a.ome.tif", "1 to 100"),
        ("zstd:3", "a.ome.tif", "no compression"),
        ("jpeg", "a.ome.tif", "8 bits"),
        ("lzw", "a.ome.zarr", "knows no compression lzw"),
    ],
)
def test_impossible_compression(tmp_path, compression, ending, message):
    with pytest.raises(ValueError, match=message):
        write_slide(open_slide(np.zeros((4, 4), np.uint16)), tmp_path / ending, compression=compression)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tile", [0, -16, 100, 8])
def test_impossible_tile(tmp_path, tile):
    with pytest.raises(ValueError, match="multiple of 16"):
        write_slide(open_slide(np.zeros((4, 4), np.uint8)), tmp_path / "a.ome.tif", tile=tile)


def test_a_type_that_ome_tiff_does_not_know(tmp_path):
    with pytest.raises(WriteError, match="int64"):
        write_slide(open_slide(np.zeros((4, 4), np.int64)), tmp_path / "a.ome.tif")
    assert list(tmp_path.iterdir()) == []


def test_missing_folder(tmp_path):
    with pytest.raises(WriteError, match="does not exist"):
        write_slide(open_slide(np.zeros((4, 4), np.uint8)), tmp_path / "gone" / "a.ome.tif")


def test_too_small_a_disk_is_found_beforehand(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(WriteError, match="MB free"):
        write_slide(open_slide(np.zeros((2000, 2000), np.uint16)), tmp_path / "a.ome.tif")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_was_there_is_replaced(tmp_path, ending):
    for value in (1, 2):
        write_slide(open_slide(np.full((2000, 40), value, np.uint8)), tmp_path / ending)
        with open_slide(tmp_path / ending) as copy:
            assert (copy.read_level(0) == value).all()
    assert [p.name for p in tmp_path.iterdir()] == [ending]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("after", [1, 3, 6])
def test_cancelling_leaves_what_was_there(tmp_path, ending, after):
    write_slide(open_slide(np.full((60, 60), 9, np.uint8)), tmp_path / ending)
    calls = []

    def stop(fraction, message):
        calls.append(fraction)
        if len(calls) == after:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_slide(open_slide(channels(2, (2100, 2100))), tmp_path / ending, tile=128, progress=stop)
    assert [p.name for p in tmp_path.iterdir()] == [ending]
    with open_slide(tmp_path / ending) as copy:
        assert copy.shape == (60, 60)


class Failing:
    """A source that breaks half way down."""

    def read(self, level, region, channels=None):
        if region.y > 1000:
            raise RuntimeError("the disk went away")
        return np.zeros((1, *region.shape), np.uint8)

    def close(self):
        pass


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_error_while_reading_leaves_nothing(tmp_path, ending):
    slide = Slide("x", (Level((2500, 2500), (1.0, 1.0)),), (Channel("a"),), np.dtype("u1"), Failing())
    with pytest.raises(RuntimeError, match="the disk went away"):
        write_slide(slide, tmp_path / ending)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_a_killed_run_is_never_taken_for_a_result(tmp_path):
    code = """
        import sys, time
        import numpy as np
        from napari_histreg.slides import Channel, Level, Slide, write_slide

        class Slow:
            def read(self, level, region, channels=None):
                print("reading", flush=True)
                time.sleep(0.2)
                return np.zeros((1, *region.shape), np.uint8)

        slide = Slide("x", (Level((30000, 30000), (1.0, 1.0)),), (Channel("a"),), np.dtype("u1"), Slow())
        write_slide(slide, sys.argv[1])
    """
    path = tmp_path / "a.ome.tif"
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(path)], stdout=subprocess.PIPE, text=True
    ) as run:
        run.stdout.readline()
        time.sleep(0.3)
        run.send_signal(signal.SIGKILL)
    left = [p.name for p in tmp_path.iterdir()]
    assert len(left) == 1
    assert left[0].startswith(".")
    assert ".part." in left[0]
    assert not path.exists()


def test_progress_tells_bytes_and_ends_at_one(tmp_path):
    told = []
    write_slide(
        open_slide(channels(2, (2100, 1500))),
        tmp_path / "a.ome.tif",
        tile=128,
        progress=lambda *a: told.append(a),
    )
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert "13 MB of 13 MB" in told[-1][1]
    assert "written" in told[-1][1]


class Once:
    """A source that counts how often each pixel of level 0 is computed."""

    def __init__(self, shape):
        self.count = np.zeros(shape, np.uint8)

    def read(self, level, region, channels=None):
        assert level == 0
        self.count[region.slices] += 1
        return np.full((1, *region.shape), 7, np.float32)

    def close(self):
        pass


@pytest.mark.parametrize("ending", ENDINGS)
def test_level_0_is_computed_once(tmp_path, ending):
    source = Once((3001, 2503))
    slide = Slide("x", (Level((3001, 2503), (1.0, 1.0)),), (Channel("a"),), np.dtype("f4"), source)
    write_slide(slide, tmp_path / ending, tile=256)
    assert (source.count == 1).all()
    with open_slide(tmp_path / ending) as copy:
        assert all((copy.read_level(level) == 7).all() for level in range(len(copy.levels)))


class Rows:
    """A large source that costs no memory of its own."""

    def read(self, level, region, channels=None):
        return np.full((1, *region.shape), region.y % 200, np.uint8)

    def close(self):
        pass


def test_memory_does_not_grow_with_the_slide(tmp_path):
    peaks = []
    for side in (6_000, 18_000):
        slide = Slide("x", (Level((side, side), (1.0, 1.0)),), (Channel("a"),), np.dtype("u1"), Rows())
        tracemalloc.start()
        write_slide(slide, tmp_path / "a.ome.tif", compression="zstd")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Two more levels hold two more nodes of 4 MB on the way to the top.
    assert peaks[1] < peaks[0] + 24e6
    assert peaks[1] < 100e6


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 5), (8, 8), (1, 9), (7, 2)])
def test_z_order_visits_all_once_and_completes_parents_early(rows, columns):
    visited = list(_z_order(rows, columns))
    assert sorted(visited) == [(r, c) for r in range(rows) for c in range(columns)]
    opened = {(r // 2, c // 2) for r, c in visited}
    for parent in opened:
        places = [k for k, (r, c) in enumerate(visited) if (r // 2, c // 2) == parent]
        assert places == list(range(places[0], places[0] + len(places)))


@pytest.mark.parametrize("px", [1, 3, 14, 60, 240, 1000])
def test_shards_stay_small(px):
    side = shard_side(512, px)
    assert side % 512 == 0
    assert side == 512 or side**2 * px <= SHARD_BYTES


def test_a_slide_that_is_read_is_not_written_over(tmp_path: Path):
    pixels, path = channels(2, (1200, 400)), tmp_path / "a.ome.tif"
    write_slide(open_slide(pixels), path)
    before = path.read_bytes()
    with open_slide(path) as slide, pytest.raises(OutputIsInput, match="would be lost"):
        write_slide(slide, path, compression="zstd")
    assert path.read_bytes() == before
    write_slide(open_slide(pixels), path, compression="zstd")
    assert path.read_bytes() != before
