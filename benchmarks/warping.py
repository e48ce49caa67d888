"""Warping a whole slide into a pyramidal JPEG OME-TIFF, beside libvips and beside the machine's ceiling.

    python benchmarks/warping.py [--size 20000] [--no-large] [--channels]

All three read the same tiled JPEG pyramid (or its tiles) and turn it by 33 degrees. The ceiling decodes,
warps and encodes as many tiles as the output has, from memory, with nothing around it. Each run has a
process of its own, so that its peak memory is its own too.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from napari_histreg.transforms import Rigid

TILE, QUALITY, ANGLE = 512, 85, 33.0
CORES = os.cpu_count() or 1


def tissue(index: int) -> np.ndarray:
    """A tile of real tissue, another one for each index."""
    from skimage.data import immunohistochemistry

    picture = immunohistochemistry()
    return np.ascontiguousarray(np.roll(picture, (37 * index % 512, 91 * index % 512), (0, 1)))


def write_source(path: Path, size: int) -> None:
    """Write an RGB pyramid of JPEG tiles; few different tiles, since decoding costs the same."""
    import tifffile

    tiles = [tissue(k) for k in range(16)]
    sides = [size]
    while sides[-1] > 1024:
        sides.append(sides[-1] // 2)
    common = {
        "tile": (TILE, TILE),
        "photometric": "rgb",
        "compression": "jpeg",
        "compressionargs": {"level": QUALITY},
    }
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for number, side in enumerate(sides):
            count = (-(-side // TILE)) ** 2
            more = {"subifds": len(sides) - 1} if number == 0 else {"subfiletype": 1}
            data = (tiles[k % len(tiles)] for k in range(count))
            writer.write(data, shape=(side, side, 3), dtype=np.uint8, maxworkers=CORES, **common, **more)


def turn(size: int) -> Rigid:
    return Rigid.of(angle_deg=ANGLE, centre=((size - 1) / 2, (size - 1) / 2))


def by_histreg(source: str, output: str, transform: str) -> None:
    from napari_histreg import Grid, open_slide, warp_slide, write_slide

    with open_slide(source) as slide:
        size = slide.shape[0]
        if transform == "thin plate":
            from napari_histreg.transforms.thin_plate_fit import fit_thin_plate

            rng = np.random.default_rng(0)
            points = rng.uniform(0, size, (100, 2))
            fixed_to_moving = fit_thin_plate(points, turn(size)(points) + rng.normal(0, 20, points.shape))
        else:
            fixed_to_moving = turn(size)
        write_slide(warp_slide(slide, fixed_to_moving, Grid(slide.shape)), output)


def by_libvips(source: str, output: str) -> None:
    import pyvips

    image = pyvips.Image.new_from_file(source, access="random")
    cosine, sine = np.cos(np.deg2rad(ANGLE)), np.sin(np.deg2rad(ANGLE))
    area = [0, 0, image.width, image.height]
    half = image.width / 2
    odx, ody = half - (cosine * half + sine * half), half - (-sine * half + cosine * half)
    warped = image.affine(
        [cosine, sine, -sine, cosine], oarea=area, odx=odx, ody=ody, background=[255, 255, 255]
    )
    warped.tiffsave(
        output, tile=True, tile_width=TILE, tile_height=TILE, pyramid=True, subifd=True, bigtiff=True,
        compression="jpeg", Q=QUALITY,
    )  # fmt: skip


def ceiling(size: int) -> None:
    """Decode, warp and encode the tiles of level 0, and encode a third more for the lower levels."""
    import cv2
    import imagecodecs

    cv2.setNumThreads(1)

    def encode(tile: np.ndarray) -> bytes:
        return imagecodecs.jpeg8_encode(
            tile, level=QUALITY, colorspace="RGB", outcolorspace="YCBCR", subsampling=(2, 2)
        )

    encoded = [encode(tissue(k)) for k in range(16)]
    matrix = cv2.getRotationMatrix2D((TILE / 2, TILE / 2), ANGLE, 1.0)

    def one(index: int) -> None:
        decoded = imagecodecs.jpeg8_decode(encoded[index % 16])
        warped = cv2.warpAffine(decoded, matrix, (TILE, TILE), flags=cv2.INTER_LINEAR)
        encode(warped)
        if index % 3 == 0:
            encode(warped)

    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(one, range((-(-size // TILE)) ** 2)))


def views(source: str) -> list[tuple[int, float, float]]:
    """Return, for each level, the median seconds for a view of 512 px: of the slide and of the warped one.

    Each view is of another place and of a slide opened anew, so that no tile is in memory yet.
    """
    from napari_histreg import Grid, open_slide, warp_slide
    from napari_histreg.geometry import Region

    def seconds(level: int, *, warped: bool) -> float:
        rng, found = np.random.default_rng(level), []
        for _ in range(24):
            with open_slide(source) as slide:
                shape = slide.levels[level].shape
                side = min(512, *shape)
                y, x = (int(v) for v in rng.uniform(0.25, 0.75, 2) * (np.array(shape) - side))
                shown = slide
                if warped:
                    shown = warp_slide(slide, turn(slide.shape[0]), Grid(slide.shape))
                start = perf_counter()
                shown.read(level, Region(y, x, side, side))
                found.append(perf_counter() - start)
        return float(np.median(found))

    with open_slide(source) as slide:
        count = len(slide.levels)
    return [(k, seconds(k, warped=False), seconds(k, warped=True)) for k in range(count)]


def many_channels(output: str, size: int) -> None:
    """Warp a lazily made slide of seven 16-bit channels."""
    import dask.array as da

    from napari_histreg import Grid, open_slide, warp_slide, write_slide

    tile = np.random.default_rng(0).gamma(2.0, 300.0, (7, TILE, TILE)).astype(np.uint16)
    count = -(-size // TILE)
    block = da.from_array(tile, chunks=tile.shape)
    data = da.tile(block, (1, count, count))[:, :size, :size]
    write_slide(warp_slide(open_slide(data), turn(size), Grid((size, size))), output)


def alone(*arguments: object) -> dict[str, float]:
    """Run one of the above in a process of its own."""
    run = subprocess.run(
        [sys.executable, __file__, "--run", *map(str, arguments)], capture_output=True, text=True
    )
    if run.returncode:
        raise RuntimeError(run.stderr[-2000:])
    return json.loads(run.stdout.splitlines()[-1])


def run(what: str, *arguments: str) -> None:
    start, used = perf_counter(), process_time()
    if what == "histreg":
        by_histreg(*arguments)
    elif what == "libvips":
        by_libvips(*arguments)
    elif what == "channels":
        many_channels(arguments[0], int(arguments[1]))
    else:
        ceiling(int(arguments[0]))
    found = {"seconds": perf_counter() - start, "cpu": process_time() - used}
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--no-large", action="store_true", help="leave out the slide of twice the size")
    parser.add_argument("--channels", action="store_true", help="also seven 16-bit channels")
    parser.add_argument("--run", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        run(*arguments.run)
        return
    size = arguments.size
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "source.tif", Path(folder) / "out.ome.tif"
        write_source(source, size)
        known = alone("libvips", source, Path(folder) / "vips.tif")
        top = alone("ceiling", size)
        ours = alone("histreg", source, output, "affine")
        bent = alone("histreg", source, output, "thin plate")
        rows = {"libvips": known, "ceiling": top, "affine": ours, "thin plate, 100 pairs": bent}
        for name, found in rows.items():
            print(
                f"{name:22s} {known['seconds'] / found['seconds']:5.2f} x the throughput of libvips, "
                f"{top['seconds'] / found['seconds']:5.2f} of the ceiling, "
                f"processor time {found['cpu'] / known['cpu']:5.2f} x, "
                f"peak {found['peak']:6.0f} MB, {found['seconds']:6.1f} s"
            )
        print(f"thin plate takes {bent['seconds'] / ours['seconds']:.2f} x the time of the affine")
        for level, plain, warped in views(str(source)):
            print(f"a view of level {level} takes {warped / plain:.2f} x the time of the unwarped slide's")
        if not arguments.no_large:
            write_source(source, 2 * size)
            large = alone("histreg", source, output, "affine")
            print(f"twice the size: peak {large['peak']:.0f} MB, {large['peak'] / ours['peak']:.2f} x")
        if arguments.channels:
            seven = alone("channels", output, size)
            print(f"seven 16-bit channels: peak {seven['peak']:.0f} MB, {seven['seconds']:.0f} s")


if __name__ == "__main__":
    main()
