"""Accuracy of registration methods on pairs with known truth, beside plain OpenCV SIFT in the same run.

    python benchmarks/accuracy.py [--methods auto,sift,…] [--folder DIR] [-p KEY=VALUE]

Pairs: the bundled demo pair, phantoms whose truth is known, and with --folder the images of an ANHIR-like
folder: either a cover table (*.csv with the columns "Target image", "Source image", "Target landmarks" and
"Source landmarks") or pictures with a landmark file of the same stem beside each; then all combinations.
"""

import argparse
import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from napari_histreg import Slide, demo_pair, open_slide, phantom_pair, register
from napari_histreg.errors import HistregError
from napari_histreg.geometry import FloatArray

PHANTOMS = ((1500, 0.0, False), (1500, 35.0, True), (3000, 160.0, False), (3000, 75.0, True))
PICTURES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".svs", ".mrxs", ".ndpi"}


@dataclass
class Pair:
    """Two slides and places that show the same, in world units."""

    name: str
    fixed: Slide
    moving: Slide
    fixed_points: FloatArray
    moving_points: FloatArray


def bundled(folder: Path) -> Iterator[Pair]:
    """The demo pair and phantoms."""
    demo = demo_pair(folder)
    landmarks = demo.landmarks()
    yield Pair("demo", open_slide(demo.fixed), open_slide(demo.moving), landmarks.fixed, landmarks.moving)
    for size, angle, mirrored in PHANTOMS:
        pair = phantom_pair(size, angle_deg=angle, mirrored=mirrored)
        line = np.linspace(0.25, 0.75, 7)
        points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2) * pair.fixed.size
        name = f"phantom {size} px {angle:g}°{' mirrored' if mirrored else ''}"
        yield Pair(name, pair.fixed, pair.moving, points, pair.fixed_to_moving(points))


def from_folder(folder: Path) -> Iterator[Pair]:
    """Pairs of an ANHIR-like folder."""
    import pandas as pd

    def points(path: Path) -> FloatArray:
        table = pd.read_csv(path, skipinitialspace=True)
        return table[["Y", "X"]].to_numpy(float)

    covers = [p for p in folder.glob("*.csv") if "Target image" in p.read_text(encoding="utf-8")[:500]]
    if covers:
        table = pd.read_csv(covers[0])
        columns = ["Target image", "Source image", "Target landmarks", "Source landmarks"]
        rows = [tuple(folder / str(row[c]) for c in columns) for _, row in table.iterrows()]
    else:
        images = sorted(
            p for p in folder.iterdir() if p.suffix.lower() in PICTURES and p.with_suffix(".csv").exists()
        )
        rows = [
            (a, b, a.with_suffix(".csv"), b.with_suffix(".csv")) for a, b in itertools.combinations(images, 2)
        ]
    for fixed, moving, fixed_table, moving_table in rows:
        a, b = points(fixed_table), points(moving_table)
        n = min(len(a), len(b))
        slides = open_slide(fixed), open_slide(moving)
        scaled = [p[:n] * slide.world_pixel_size for p, slide in zip((a, b), slides, strict=True)]
        yield Pair(f"{fixed.stem} – {moving.stem}", *slides, *scaled)


Aligned = tuple[str, Callable[[FloatArray], FloatArray] | None]


def by_histreg(pair: Pair, method: str, parameters: dict[str, str]) -> Aligned:
    try:
        result = register(pair.fixed, pair.moving, method=method, **parameters)
    except HistregError as error:
        return f"refused ({error.__class__.__name__})", None
    return result.verdict, result.moving_to_fixed


def plain_sift(pair: Pair) -> Aligned:
    """What people try first: grey overviews, SIFT, ratio test, RANSAC."""
    greys, levels = [], []
    for slide in (pair.fixed, pair.moving):
        level = slide.level_for_size(1024)
        pixels = slide.read_level(level).astype(np.float32)
        grey = pixels.mean(0)
        greys.append(cv2.normalize(grey, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8))
        levels.append(level)
    sift = cv2.SIFT_create()
    (k1, d1), (k2, d2) = (sift.detectAndCompute(grey, None) for grey in greys)
    if d1 is None or d2 is None or min(len(k1), len(k2)) < 4:
        return "no keypoints", None
    matches = [m for m, n in cv2.BFMatcher().knnMatch(d2, d1, k=2) if m.distance < 0.75 * n.distance]
    if len(matches) < 4:
        return f"{len(matches)} matches", None
    source = np.array([k2[m.queryIdx].pt for m in matches])
    target = np.array([k1[m.trainIdx].pt for m in matches])
    matrix, inliers = cv2.estimateAffine2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=5)
    if matrix is None:
        return "no matrix", None

    def moving_to_fixed(points: FloatArray) -> FloatArray:
        pixels = pair.moving.to_pixel(points, levels[1])[:, ::-1]
        mapped = pixels @ matrix[:, :2].T + matrix[:, 2]
        return pair.fixed.to_world(mapped[:, ::-1], levels[0])

    return f"{int(inliers.sum())} inliers", moving_to_fixed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--methods", default="auto,sift,ecc")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("-p", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    parameters = dict(item.split("=", 1) for item in arguments.p)
    runs: dict[str, Callable[[Pair], Aligned]] = {"plain SIFT": plain_sift}
    for method in arguments.methods.split(","):
        runs[method] = lambda pair, method=method: by_histreg(pair, method, parameters)
    with tempfile.TemporaryDirectory() as scratch:
        pairs = list(from_folder(arguments.folder) if arguments.folder else bundled(Path(scratch)))
        for pair in pairs:
            known = None
            for name, run in runs.items():
                start = perf_counter()
                word, moving_to_fixed = run(pair)
                seconds = perf_counter() - start
                known = known or seconds
                text = "      –"
                if moving_to_fixed is not None:
                    off = np.linalg.norm(moving_to_fixed(pair.moving_points) - pair.fixed_points, axis=1)
                    pixels = off / np.mean(pair.fixed.world_pixel_size)
                    share = 100 * np.median(pixels) / np.hypot(*pair.fixed.shape)
                    text = f"median {np.median(pixels):8.2f} px ({share:6.2f} % of the diagonal)"
                print(
                    f"{pair.name:32s} {name:12s} {word:28s} {seconds / known:5.1f} x plain SIFT  {text}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
