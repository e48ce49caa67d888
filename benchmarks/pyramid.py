"""Opening a pyramid and reading its overview: bytes read and peak memory must not grow with level 0.

Each size runs in a process of its own, which reports what the kernel counted for it.
"""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import tifffile

SIZES = (4096, 8192, 16384)


def write_pyramid(path: Path, size: int) -> None:
    """Write a tiled RGB pyramid with SubIFDs without ever holding level 0."""
    tile = np.random.default_rng(0).integers(150, 255, (512, 512, 3), np.uint8)
    levels = [size]
    while levels[-1] > 512:
        levels.append(levels[-1] // 2)
    options = {"tile": (512, 512), "photometric": "rgb", "compression": "jpeg"}
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for number, side in enumerate(levels):
            tiles = (tile for _ in range((side // 512) ** 2))
            more = {"subifds": len(levels) - 1} if number == 0 else {"subfiletype": 1}
            writer.write(tiles, shape=(side, side, 3), dtype=np.uint8, **options, **more)


def counted_bytes() -> int:
    """Bytes that this process has read so far, from disk or cache."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("rchar")))


def measure(path: str) -> None:
    from napari_histreg import open_slide
    from napari_histreg.geometry import Region

    # Reading anything once loads the modules and codecs, whose bytes are not the slide's.
    with open_slide(np.zeros((64, 64, 3), np.uint8)) as small:
        small.read(0, Region(0, 0, 8, 8))
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm.tif"
        write_pyramid(warm, 1024)
        with open_slide(warm) as small:
            small.read_level(1)
    before, memory = counted_bytes(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open_slide(path) as slide:
        slide.read_level(slide.level_for_size(1024))
        number = len(slide.levels)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"levels": number, "read": counted_bytes() - before, "grown": 1024 * (after - memory)}))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = None
        for size in SIZES:
            path = Path(folder) / f"{size}.tif"
            write_pyramid(path, size)
            run = subprocess.run(
                [sys.executable, __file__, str(path)], check=True, capture_output=True, text=True
            )
            found = json.loads(run.stdout)
            first = first or found
            print(
                f"{size:6d} px, {path.stat().st_size / 1e6:7.1f} MB, {found['levels']} levels: overview read "
                f"{found['read'] / 1e6:5.2f} MB ({found['read'] / first['read']:4.2f} x the smallest), "
                f"peak memory grew by {found['grown'] / 1e6:5.1f} MB"
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1])
    else:
        main()
