"""What training brings: benchmarks/learned.py DATA [--set tiles|fundus] [--minutes 10] [--networks unet,…].

DATA holds development images: restained/, serial/ and fundus/. "tiles" trains each network on all specimens
but one and tries it on 200 tiles of that one, under random displacements of up to 6 px at 128 px. "fundus"
compares ways of aligning retinas whose displacement is known, by four folds: overlap of vessels, NCC, SSIM,
L1, processor seconds.
"""

import argparse
import tempfile
import time
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from skimage.metrics import structural_similarity

from napari_histreg import open_slide, register
from napari_histreg.errors import MissingDependency
from napari_histreg.learning.deformations import inverse_of, random_deformation, shown
from napari_histreg.learning.recipe import Recipe
from napari_histreg.learning.splits import split_by_specimen
from napari_histreg.learning.train import train
from napari_histreg.learning.training_set import prepare_pairs, read_pairs
from napari_histreg.learning.trial import summary, try_model

PIXEL = 0.25
SIDE = 288
FOLDS = 4
HEADER = "case,fixed,moving,specimen,pixel_size"
BENDS = ("unet", "fcn", "pyramid", "cascade")


def recipe(name: str, minutes: float, **more: object) -> Recipe:
    cascade = {"network": "unet", "cascade": 2} if name == "cascade" else {"network": name}
    return Recipe.model_validate({**cascade, "minutes": minutes, **more})


def tiles_table(data: Path, folder: Path) -> Path:
    rows = [HEADER]
    for fixed, moving in (("ihc", "dapi"), ("hematoxylin", "dapi_on_hematoxylin")):
        paths = [data / "restained" / f"Lung1_{name}.png" for name in (fixed, moving)]
        rows.append(f"{fixed},{paths[0]},{paths[1]},Lung1,{PIXEL}")
    for fixed, moving in combinations(("cc10", "cd31", "he", "ki67", "prospc"), 2):
        paths = [data / "serial" / f"grey_lung_lesion_{name}.jpg" for name in (fixed, moving)]
        rows.append(f"{fixed}-{moving},{paths[0]},{paths[1]},grey,{PIXEL}")
    paths = [data / "serial" / f"lesion1_{name}.jpg" for name in ("HE", "proSPC")]
    rows.append(f"lesion1,{paths[0]},{paths[1]},lesion1,{PIXEL}")
    (folder / "pairs.csv").write_text("\n".join(rows))
    return folder / "pairs.csv"


def tiles(data: Path, folder: Path, networks: list[str], minutes: float) -> None:
    table = tiles_table(data, folder)
    pairs = prepare_pairs(read_pairs(table), folder / "planes", 512)
    print("network     before after px  ratio  NCC before, after  folded %  epochs")
    for name in networks:
        plan = recipe(name, minutes, held_back=0.34, tiles_per_pair=16, seed=1)
        model = train(table, folder / name, plan)
        unseen = split_by_specimen(pairs.specimens, plan.held_back, plan.seed).validation
        rows = [
            row
            for seed in range(-(-200 // (8 * len(unseen))))
            for row in try_model(model, pairs, unseen, seed)
        ]
        found = summary(rows[:200])
        epochs = len((folder / name / "training.csv").read_text().splitlines()) - 1
        before, after = found["error before, px"], found["error after, px"]
        print(
            f"{name:10s} {before:7.2f} {after:8.2f} {after / before:6.2f} "
            f"{found['NCC before']:6.3f} {found['NCC after']:6.3f} {found['folded, %']:9.3f} {epochs:6d}",
            flush=True,
        )


def eye(data: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a retina and its vessels at the working size."""
    picture = cv2.imread(str(data / "fundus" / f"{name}_test.tif"))[:, :, ::-1]
    from PIL import Image

    vessels = np.array(Image.open(data / "fundus" / f"{name}_manual1.gif").convert("L")) > 127
    size = (SIDE, SIDE)
    small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    return small, cv2.resize(vessels.astype(np.float32), size, interpolation=cv2.INTER_AREA)


def displaced(picture: np.ndarray, seed: int) -> np.ndarray:
    """Return a displacement of a picture, to where it is looked for: turned, enlarged, shifted and bent."""
    rng = np.random.default_rng(seed)
    angle, scale = np.deg2rad(rng.uniform(-12, 12)), rng.uniform(0.94, 1.06)
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    y, x = np.indices((SIDE, SIDE), np.float32)
    centred = np.stack([y, x], -1) - (SIDE - 1) / 2
    linear = (centred @ (matrix - np.eye(2)).T + rng.uniform(-16, 16, 2)).astype(np.float32)
    bend = random_deformation((SIDE, SIDE), 6.0, rng)
    return np.asarray(bend + shown_field(linear, bend), np.float32)


def shown_field(field: np.ndarray, at: np.ndarray) -> np.ndarray:
    return np.stack([shown(np.ascontiguousarray(field[..., k]), at) for k in range(2)], -1)


def carried(result: object, plane: np.ndarray) -> np.ndarray:
    y, x = np.indices((SIDE, SIDE))
    points = np.stack([y, x], -1).reshape(-1, 2) * PIXEL
    found = (result.fixed_to_moving(points) / PIXEL).reshape(SIDE, SIDE, 2)  # type: ignore[attr-defined]
    return shown(plane, (found - np.stack([y, x], -1)).astype(np.float32))


def figures(fixed: np.ndarray, moving: np.ndarray, vessels: np.ndarray, found: np.ndarray) -> list[float]:
    first, second = vessels > 0.5, found > 0.5
    dice = 2 * (first & second).sum() / max(first.sum() + second.sum(), 1)
    ncc = np.corrcoef(fixed.ravel(), moving.ravel())[0, 1]
    ssim = structural_similarity(fixed, moving, data_range=255.0)
    return [float(dice), float(ncc), float(ssim), float(np.abs(fixed - moving).mean() / 255)]


def fundus(data: Path, folder: Path, networks: list[str], minutes: float) -> None:
    names = sorted(path.name[:2] for path in (data / "fundus").glob("*_manual1.gif"))
    rows: dict[str, list[list[float]]] = {}
    for k in range(FOLDS):
        where = folder / f"fold{k}"
        where.mkdir(parents=True, exist_ok=True)
        seen = [name for name in names if name not in names[k::FOLDS]]
        table = [HEADER]
        for name in seen:
            cv2.imwrite(str(where / f"{name}.png"), eye(data, name)[0][:, :, ::-1])
            table.append(f"{name},{name}.png,{name}.png,{name},{PIXEL}")
        (where / "pairs.csv").write_text("\n".join(table))
        for network in networks:
            plan = recipe(
                network, minutes, own=1.0, largest_px=9.0, tile_px=192, tiles_per_pair=8, max_side_px=SIDE
            )
            train(where / "pairs.csv", where / network, plan)
        for name in names[k::FOLDS]:
            one_eye(data, name, where, networks, rows)
    print(f"{'method':28s} {'Dice':>6s} {'NCC':>6s} {'SSIM':>6s} {'L1':>6s} {'CPU s':>6s}   n")
    for method, found in rows.items():
        middle = np.median(np.array(found), axis=0)
        print(
            f"{method:28s} " + " ".join(f"{value:6.3f}" for value in middle) + f" {len(found):3d}", flush=True
        )


def one_eye(
    data: Path, name: str, where: Path, networks: list[str], rows: dict[str, list[list[float]]]
) -> None:
    picture, vessels = eye(data, name)
    back = inverse_of(displaced(picture, int(name)))
    other = np.stack([shown(np.ascontiguousarray(picture[..., c]), back) for c in range(3)], -1)
    marked = shown(vessels, back)
    slides = [open_slide(p, pixel_size_um=PIXEL) for p in (picture, other)]
    green = [np.ascontiguousarray(p[..., 1]).astype(np.float32) for p in (picture, other)]
    rows.setdefault("none", []).append([*figures(*green, vessels, marked), 0.0])
    ways = {
        "auto": ("auto", {}),
        "auto, bent": ("auto", {"nonrigid": True}),
        "elastix affine": ("elastix", {"transform": "affine"}),
        "elastix B-spline": ("elastix", {"transform": "bspline"}),
        **{
            f"auto and {network}": ("learned", {"model": where / network, "compare": False})
            for network in networks
        },
    }
    for way, (method, parameters) in ways.items():
        began = time.process_time()
        try:
            result = register(*slides, method=method, must_find=False, **parameters)
        except (ValueError, MissingDependency) as error:
            print(f"{way}: {error}")
            continue
        seconds = time.process_time() - began
        if result.has_transform:
            seen = carried(result, green[1])
            rows.setdefault(way, []).append(
                [*figures(green[0], seen, vessels, carried(result, marked)), seconds]
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", default="tiles", choices=("tiles", "fundus"))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--networks", default=None)
    parser.add_argument("--folder", type=Path, help="Keep the models here; a stopped run goes on.")
    asked = parser.parse_args()
    usual = "unet,stn" if asked.set == "fundus" else ",".join(BENDS)
    networks = (asked.networks or usual).split(",")
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        (fundus if asked.set == "fundus" else tiles)(asked.data, folder, networks, asked.minutes)


if __name__ == "__main__":
    main()
