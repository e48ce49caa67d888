"""How often the verdict is wrong: false accepts on mismatched pairs, false refusals on true ones.

    python benchmarks/verdict.py [--mismatched 300] [--method auto] [--development DIR]

Pictures: the tissue that ships with scikit-image, phantoms, and, where the folder of development images lies
beside the checkout (or is named), its pictures and its pairs with known truth. Two pictures of one tissue are
never taken for a mismatch. Half of the mismatched pairs are given equal pixel sizes, half have none.
"""

import argparse
import importlib
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from napari_histreg import open_slide, phantom_pair, register
from napari_histreg.errors import HistregError
from napari_histreg.geometry import FloatArray

ROOT = Path(__file__).resolve().parents[1]
PIXEL_UM = 0.25
WRONG_SHARE = 0.02


def pictures(development: Path | None) -> list[tuple[str, np.ndarray]]:
    """Name the tissue of each picture, with its pixels."""
    from skimage import data

    found = [("ihc", data.immunohistochemistry()), ("retina", data.retina()[::2, ::2])]
    for seed in range(4):
        pair = phantom_pair(700, seed=seed)
        found.append((f"phantom {seed}", np.moveaxis(pair.fixed.read_level(0), 0, -1)))
        found.append((f"phantom {seed}", pair.moving.read_level(0)[0]))
    if development is not None:
        for path in sorted((development / "data").glob("*/*")):
            if path.suffix in {".png", ".jpg"}:
                tissue = path.parent.name if path.parent.name != "shg" else path.stem.rsplit("_", 1)[0]
                found.append((tissue, np.asarray(Image.open(path))))
    return found


def verdict(fixed: np.ndarray, moving: np.ndarray, method: str, *, known: bool) -> str:
    size = PIXEL_UM if known else None
    try:
        slides = [open_slide(picture, pixel_size_um=size) for picture in (fixed, moving)]
        return register(*slides, method=method, must_find=False).verdict
    except HistregError:
        return "refused"


def true_pairs(
    development: Path | None,
) -> Iterator[tuple[str, bool, np.ndarray, np.ndarray, FloatArray, FloatArray]]:
    """Give name, whether the scale is known, both pictures and true points (x, y) in pixels."""
    for seed, angle in enumerate((0.0, 20.0, 100.0, 170.0)):
        pair = phantom_pair(900, seed=10 + seed, angle_deg=angle, mirrored=bool(seed % 2))
        points = np.stack(np.meshgrid(np.linspace(0.2, 0.8, 7), np.linspace(0.2, 0.8, 7)), -1).reshape(-1, 2)
        points = points * pair.fixed.size
        moving = pair.moving.to_pixel(pair.fixed_to_moving(points))[:, ::-1]
        fixed = np.moveaxis(pair.fixed.read_level(0), 0, -1)
        known = bool(np.allclose(pair.fixed.world_pixel_size, pair.moving.world_pixel_size))
        yield (
            f"phantom {seed}",
            known,
            fixed,
            pair.moving.read_level(0),
            pair.fixed.to_pixel(points)[:, ::-1],
            moving,
        )
    if development is None:
        return
    sys.path.insert(0, str(development / "bench"))
    sets = importlib.import_module("dev_pairs").SETS
    known_scale = importlib.import_module("accuracy").known_scale
    for case in itertools.chain.from_iterable(make() for make in sets.values()):
        yield (
            case.name,
            known_scale(case.name),
            case.fixed,
            case.moving,
            case.points_fixed,
            case.points_moving,
        )


def judge_true(development: Path | None, method: str) -> None:
    words: Counter[str] = Counter()
    wrong = []
    for name, known, fixed, moving, fixed_xy, moving_xy in true_pairs(development):
        unit = PIXEL_UM if known else 1.0
        slides = [
            open_slide(picture, pixel_size_um=PIXEL_UM if known else None) for picture in (fixed, moving)
        ]
        result = register(*slides, method=method, must_find=False)
        words[result.verdict] += 1
        if result.verdict == "accepted":
            back = result.moving_to_fixed(moving_xy[:, ::-1] * unit)[:, ::-1] / unit
            share = np.median(np.linalg.norm(back - fixed_xy, axis=1)) / np.hypot(*fixed.shape[:2])
            if share > WRONG_SHARE:
                wrong.append(f"{name} ({100 * share:.1f} % of the diagonal)")
    total = sum(words.values())
    good = words["accepted"] + words["doubtful"]
    print(f"true pairs {total}: {dict(words)}, accepted or doubtful {100 * good / total:.1f} %")
    print(
        f"accepted but worse than {100 * WRONG_SHARE:.0f} % of the diagonal: {len(wrong)} {', '.join(wrong)}"
    )


def judge_mismatched(development: Path | None, method: str, count: int) -> None:
    shown = pictures(development)
    pairs = [(a, b) for a, b in itertools.permutations(range(len(shown)), 2) if shown[a][0] != shown[b][0]]
    np.random.default_rng(0).shuffle(pairs)
    words: Counter[str] = Counter()
    for number, (a, b) in enumerate(pairs[:count]):
        word = verdict(shown[a][1], shown[b][1], method, known=number % 2 == 0)
        words[word] += 1
        if number % 25 == 24:
            print(f"  {number + 1} of {min(count, len(pairs))}: {dict(words)}", flush=True)
        if word == "accepted":
            print(f"  accepted: {shown[a][0]} with {shown[b][0]}")
    total = sum(words.values())
    print(
        f"mismatched pairs {total}: {dict(words)}, falsely accepted {100 * words['accepted'] / total:.2f} %"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mismatched", type=int, default=300)
    parser.add_argument("--method", default="auto")
    parser.add_argument("--development", type=Path, default=ROOT.parent / "shared")
    arguments = parser.parse_args()
    development = arguments.development if (arguments.development / "data").is_dir() else None
    judge_true(development, arguments.method)
    judge_mismatched(development, arguments.method, arguments.mismatched)


if __name__ == "__main__":
    main()
