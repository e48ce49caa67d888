"""Writes one phantom into every kind of file that the readers know."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
import zarr
from PIL import Image

from napari_histreg.slides import open_slide, write_slide
from napari_histreg.volumes import Volume, write_volume
from slides.mirax import write_mirax

TOOLS = Path(__file__).resolve().parents[3] / "shared" / "tools"
SHAPE = 1057, 641
PIXEL_UM = 0.25
PER_CM = 1e4 / PIXEL_UM
JPEG = {"level": 95}


def rgb(shape=SHAPE, dtype=np.uint8, seed=1):
    """A smooth coloured picture (Y, X, 3); smooth, so that JPEG changes it little."""
    rng = np.random.default_rng(seed)
    small = rng.integers(30, 225, (shape[0] // 60 + 2, shape[1] // 60 + 2, 3)).astype(np.uint8)
    picture = cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return picture if dtype == np.uint8 else picture.astype(dtype) * 257


def channels(count, shape=SHAPE, dtype=np.uint16, seed=2):
    """Different smooth planes (C, Y, X)."""
    picture = [rgb(shape, seed=seed + k)[..., 0].astype(np.float64) * (40 + k) for k in range(count)]
    return np.stack(picture).astype(dtype)


def halves(pixels, count):
    """The levels (Y, X, S) or (C, Y, X) of a pyramid, halved by floor as most programs do."""
    levels, first = [pixels], pixels.ndim == 3 and pixels.shape[2] == 3
    for _ in range(count):
        a = levels[-1].astype(np.float64)
        if first:
            a = a[: a.shape[0] // 2 * 2, : a.shape[1] // 2 * 2]
            a = (a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2]) / 4
        else:
            a = a[..., : a.shape[-2] // 2 * 2, : a.shape[-1] // 2 * 2]
            a = (a[..., ::2, ::2] + a[..., 1::2, ::2] + a[..., ::2, 1::2] + a[..., 1::2, 1::2]) / 4
        levels.append(np.floor(a + 0.5).astype(pixels.dtype))
    return levels


def write_pyramid(path, pixels, *, subifds, levels=2, first: dict | None = None, **options):
    """Write a pyramidal TIFF, its levels as SubIFDs or as pages of their own."""
    first = first or {}
    planes = halves(pixels, levels)
    with tifffile.TiffWriter(
        path, bigtiff=options.pop("bigtiff", False), ome=options.pop("ome", None)
    ) as tif:
        common = {"tile": (256, 256), **options}
        tif.write(planes[0], subifds=levels if subifds else None, **common, **first)
        for plane in planes[1:]:
            tif.write(plane, subfiletype=1, **common, metadata=None)


def make_mirax():
    """The module of the development machine that writes .mrxs slides."""
    spec = importlib.util.spec_from_file_location("make_mirax", TOOLS / "make_mirax.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Case:
    """One kind of file."""

    name: str
    suffix: str
    write: Callable[[Path], Any]
    truth: Callable[[], np.ndarray]  # (C, Y, X)
    tolerance: float = 0
    pixel_size_um: float | None = None
    names: tuple[str, ...] | None = None
    native_levels: int = 1
    is_rgb: bool = True
    reader: str = "tiff"
    options: dict = field(default_factory=dict)


# JPEG mixes what lies beyond the edge into blocks of 16; whole blocks keep that out of the comparison.
BLOCKS = 1088, 640


def _rgb_truth():
    return np.moveaxis(rgb(), -1, 0)


def _blocks_truth():
    return np.moveaxis(rgb(BLOCKS), -1, 0)


def _tif(name, suffix=".tif", *, tolerance=0, size=PIXEL_UM, **options):
    def write(path):
        where = {"resolution": (PER_CM, PER_CM), "resolutionunit": "CENTIMETER"} if size else {}
        pixels = rgb(BLOCKS if tolerance else SHAPE)
        if options.get("planarconfig") == "separate":
            pixels = np.moveaxis(pixels, -1, 0)
        tifffile.imwrite(path, pixels, photometric="rgb", metadata=None, **where, **options)

    return Case(name, suffix, write, _blocks_truth if tolerance else _rgb_truth, tolerance, size)


def _ome_subifds(path, count=7, **options):
    names = [f"marker {k}" for k in range(count)]
    names[0] = "DAPI"
    write_pyramid(
        path, channels(count), subifds=True, ome=True, photometric="minisblack", compression="zlib",
        first={"metadata": {
            "axes": "CYX", "PhysicalSizeX": PIXEL_UM * 1000, "PhysicalSizeXUnit": "nm",
            "PhysicalSizeY": PIXEL_UM, "PhysicalSizeYUnit": "µm",
            "Channel": {"Name": names, "Color": [65535] + [-16776961] * (count - 1)},
        }},
        **options,
    )  # fmt: skip


def _flat_pyramid(path):
    write_pyramid(
        path, rgb(), subifds=False, levels=2, photometric="rgb", compression="zlib",
        first={"metadata": None}, resolution=(PER_CM, PER_CM), resolutionunit="CENTIMETER",
    )  # fmt: skip


def _aperio(path):
    description = "Aperio Image Library v1\r\n640x1088 (256x256) JPEG/RGB Q=90|AppMag = 40|MPP = 0.25"
    planes = halves(rgb(BLOCKS), 2)
    with tifffile.TiffWriter(path) as tif:
        common = {
            "tile": (16, 16),
            "photometric": "rgb",
            "compression": "jpeg",
            "compressionargs": JPEG,
            "subsampling": (1, 1),
        }
        tif.write(planes[0], description=description, metadata=None, **common)
        tif.write(
            cv2.resize(planes[0], (200, 200)), photometric="rgb", compression="jpeg", rowsperstrip=16,
            description=description, metadata=None,
        )  # fmt: skip
        for plane in planes[1:]:
            tif.write(plane, description=description, metadata=None, subfiletype=0, **common)


def _qptiff(path, count=5):
    pixels = channels(count, dtype=np.uint8, shape=(1060, 650)).astype(np.uint8)
    xml = "<Image><Name>Opal {}</Name><Color>255,0,{}</Color></Image>"
    planes = halves(pixels, 1)
    where = {"resolution": (PER_CM, PER_CM), "resolutionunit": "CENTIMETER", "metadata": None}
    with tifffile.TiffWriter(path) as tif:

        def put(level, tile):
            for k, plane in enumerate(level):
                tif.write(
                    plane, software="PerkinElmer-QPI", description=xml.format(500 + k, k),
                    photometric="minisblack", compression="zlib", tile=tile, **where,
                )  # fmt: skip

        put(planes[0], (512, 512))
        tif.write(rgb((100, 100)), software="PerkinElmer-QPI", photometric="rgb", metadata=None)
        put(planes[1], (512, 512))


def _qptiff_truth():
    return channels(5, dtype=np.uint8, shape=(1060, 650)).astype(np.uint8)


def _flat_channels(path):
    with tifffile.TiffWriter(path) as tif:
        for level in halves(channels(7), 1):
            for plane in level:
                tif.write(plane, tile=(256, 256), compression="zlib", metadata=None, photometric="minisblack")


def _imagej(path):
    tifffile.imwrite(
        path, channels(3), imagej=True, resolution=(1 / PIXEL_UM, 1 / PIXEL_UM),
        metadata={"axes": "CYX", "unit": "micron", "Labels": ["a", "b", "c"]},
    )  # fmt: skip


def _ome_zarr(path):
    write_slide(open_slide(channels(7), pixel_size_um=PIXEL_UM, channel_names=SEVEN), path, tile=128)


def _ome_zarr_4(path):
    """As ome-zarr-py and bioformats2raw write NGFF 0.4: five axes, Zarr 2, nanometres here."""
    group = zarr.open_group(path, mode="w", zarr_format=2)
    datasets = []
    for k, level in enumerate(halves(channels(7), 2)):
        five = level[None, :, None]
        array = group.create_array(str(k), shape=five.shape, chunks=(1, 1, 1, 100, 100), dtype=five.dtype)
        array[...] = five
        scale = {"type": "scale", "scale": [1, 1, 1, PIXEL_UM * 1000 * 2**k, PIXEL_UM * 1000 * 2**k]}
        datasets.append({"path": str(k), "coordinateTransformations": [scale]})
    axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    axes += [{"name": name, "type": "space", "unit": "nanometer"} for name in "zyx"]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    group.attrs["omero"] = {"channels": [{"label": name, "color": "FF0000"} for name in SEVEN]}


def _volume_plane(path):
    spacing_mm = PIXEL_UM / 1000
    write_volume(Volume("plane", channels(1), np.diag([1, spacing_mm, spacing_mm, 1])), path)


def _mirax(**options):
    return lambda path: write_mirax(path, rgb((1152, 640)), pixel_size_um=PIXEL_UM, **options)


def _mirax_truth():
    return np.moveaxis(rgb((1152, 640)), -1, 0)


OPALS = tuple(f"Opal {500 + k}" for k in range(5))
SEVEN = ("DAPI", *(f"marker {k}" for k in range(1, 7)))
NUMBERED = tuple(f"channel {k}" for k in range(7))

CASES = [
    Case("png", ".png", lambda p: Image.fromarray(rgb()).save(p), _rgb_truth, reader="image"),
    Case(
        "jpeg", ".jpg", lambda p: Image.fromarray(rgb()).save(p, quality=95, subsampling=0), _rgb_truth, 6,
        reader="image",
    ),
    Case("bmp", ".bmp", lambda p: Image.fromarray(rgb()).save(p), _rgb_truth, reader="image"),
    _tif("tiff strips"),
    _tif("tiff strips lzw", compression="lzw", predictor=True, rowsperstrip=37),
    _tif("tiff tiled deflate", tile=(256, 128), compression="zlib", predictor=True),
    _tif("tiff tiled zstd", tile=(256, 256), compression="zstd"),
    _tif(
        "tiff tiled jpeg", tile=(256, 256), compression="jpeg", compressionargs=JPEG, subsampling=(1, 1),
        tolerance=8,
    ),
    _tif("tiff tiled jpeg2000", tile=(256, 256), compression="jpeg2000"),
    _tif("tiff planar", planarconfig="separate", tile=(256, 256), compression="zlib"),
    _tif("tiff planar in one piece", planarconfig="separate"),
    _tif("tiff big", ".btf", bigtiff=True, tile=(256, 256), compression="zlib"),
    _tif("tiff big endian", byteorder=">"),
    _tif("tiff twice named", ".tiff.tiff", tile=(256, 256), compression="zlib"),
    _tif("tiff without unit", size=None),
    Case("tiff flat pyramid", ".tif", _flat_pyramid, _rgb_truth, 0, PIXEL_UM, native_levels=3),
    Case("aperio", ".svs", _aperio, _blocks_truth, 8, PIXEL_UM, native_levels=3, reader="openslide"),
    Case(
        "ome-tiff subifds", ".ome.tif", _ome_subifds, lambda: channels(7), 0, PIXEL_UM, SEVEN, 3, False,
    ),
    Case(
        "ome-tiff big", ".ome.tiff", lambda p: _ome_subifds(p, bigtiff=True), lambda: channels(7), 0,
        PIXEL_UM, SEVEN, 3, False,
    ),
    Case(
        "ome-tiff rgb", ".ome.tif",
        lambda p: write_pyramid(
            p, rgb(), subifds=True, ome=True, photometric="rgb", first={"metadata": {"axes": "YXS"}}
        ),
        _rgb_truth, native_levels=3,
    ),
    Case(
        "tiff 7 channels, no header", ".tif",
        lambda p: write_pyramid(
            p, channels(7), subifds=True, photometric="minisblack", compression="zlib",
            first={"metadata": None},
        ),
        lambda: channels(7), names=NUMBERED, native_levels=3, is_rgb=False,
    ),
    Case(
        "tiff 7 channels, flat pyramid", ".tif", _flat_channels, lambda: channels(7), names=NUMBERED,
        native_levels=2, is_rgb=False,
    ),
    Case(
        "tiff 60 channels", ".tif",
        lambda p: tifffile.imwrite(p, channels(60, (200, 220)), photometric="minisblack", compression="zlib"),
        lambda: channels(60, (200, 220)), is_rgb=False,
    ),
    Case(
        "tiff 60 channels in one piece", ".tif",
        lambda p: tifffile.imwrite(p, channels(60, (200, 220)), photometric="minisblack"),
        lambda: channels(60, (200, 220)), is_rgb=False,
    ),
    Case(
        "tiff samples as channels", ".tif",
        lambda p: tifffile.imwrite(
            p, channels(5), photometric="minisblack", planarconfig="separate", tile=(256, 256), metadata=None
        ),
        lambda: channels(5), is_rgb=False,
    ),
    Case(
        "tiff float", ".tif",
        lambda p: tifffile.imwrite(p, channels(1, dtype=np.float32)[0], tile=(256, 256), compression="zlib"),
        lambda: channels(1, dtype=np.float32), names=("channel 0",), is_rgb=False,
    ),
    Case("imagej", ".tif", _imagej, lambda: channels(3), 0, PIXEL_UM, ("a", "b", "c"), 1, False),
    Case(
        "qptiff", ".qptiff", _qptiff, _qptiff_truth, 0, PIXEL_UM, OPALS, 2, False,
    ),
    Case(
        "ome-zarr 0.5", ".ome.zarr", _ome_zarr, lambda: channels(7), 0, PIXEL_UM, SEVEN, 2, False, "ome-zarr",
    ),
    Case(
        "ome-zarr 0.4", ".zarr", _ome_zarr_4, lambda: channels(7), 0, PIXEL_UM, SEVEN, 3, False, "ome-zarr",
    ),
    Case("mirax", ".mrxs", _mirax(), _mirax_truth, 0, PIXEL_UM, native_levels=4, reader="openslide"),
    Case(
        "mirax with border", ".mrxs", _mirax(empty_tiles=(2, 1, 0, 3)), _mirax_truth, 0, PIXEL_UM,
        native_levels=4, reader="openslide",
    ),
    Case("nifti", ".nii.gz", _volume_plane, lambda: channels(1), 0, PIXEL_UM, is_rgb=False, reader="volume"),
    Case("nrrd", ".nrrd", _volume_plane, lambda: channels(1), 0, PIXEL_UM, is_rgb=False, reader="volume"),
]  # fmt: skip
