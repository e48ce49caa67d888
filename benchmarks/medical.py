"""Figures of medical images: CT on MR in planes and in volumes, retinas whose bends are known.

    python benchmarks/medical.py slices FOLDER [--seed 0]
    python benchmarks/medical.py volumes FIXED MOVING [--starts 10] [--out DIR]
    python benchmarks/medical.py fundus FOLDER [--signal vessels|frangi]

Times are CPU seconds of this machine.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from napari_histreg import open_slide, register, register_group
from napari_histreg.groups.evaluation import evaluate_group
from napari_histreg.preprocess.vessels import retina_field
from napari_histreg.transforms import Rigid
from napari_histreg.volumes import Volume, open_volume
from napari_histreg.volumes.body import body_of
from napari_histreg.volumes.folder import write_volume_folder
from napari_histreg.volumes.pose import VolumePose, mean_distance_mm
from napari_histreg.volumes.registering import register_volumes

RIGHT_PX, WRONG_PX = 2.0, 5.0
BEND_PX = 8.0
Field = NDArray[np.float64]


def slices(arguments: argparse.Namespace) -> None:
    """Move the CT of each pair MRI_*.png, CT_*.png a little and at will; lay CT on the MR of other heads."""
    pairs = {
        path.stem.removeprefix("MRI_"): (_grey(path), _grey(path.with_name(path.name.replace("MRI_", "CT_"))))
        for path in sorted(arguments.folder.glob("MRI_*.png"))
    }
    rng = np.random.default_rng(arguments.seed)
    names = list(pairs)
    for what, turn, shift in (("little", 10.0, 8.0), ("at will", 180.0, 15.0)):
        right = accepted = wrong = 0
        for name, (mr, ct) in pairs.items():
            truth = _motion(ct, rng.uniform(-turn, turn), rng.uniform(-shift, shift, 2))
            word, off = _aligned(mr, ct, truth)
            right += off <= RIGHT_PX
            accepted += word == "accepted" and off <= RIGHT_PX
            wrong += word == "accepted" and off > WRONG_PX
            print(f"{what} {name}: {word}, {off:.2f} px", flush=True)
        print(
            f"{what}: {right} of {len(names)} within {RIGHT_PX:g} px, {accepted} of these accepted; "
            f"{wrong} accepted and more than {WRONG_PX:g} px off"
        )
    words = []
    for k, name in enumerate(names):
        for other in (names[(k + 1) % len(names)], names[(k + 2) % len(names)]):
            ct = pairs[other][1]
            truth = _motion(ct, rng.uniform(-180, 180), rng.uniform(-15, 15, 2))
            words.append(_aligned(pairs[name][0], ct, truth)[0])
            print(f"MR of {name}, CT of {other}: {words[-1]}", flush=True)
    print(
        f"other heads: {words.count('accepted')} of {len(words)} accepted, {words.count('doubtful')} doubtful"
    )


def _grey(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path).convert("L"))


def _motion(image: NDArray[np.uint8], angle: float, shift: NDArray[np.float64]) -> Rigid:
    centre = (np.array(image.shape) - 1) / 2
    return Rigid.of(angle_deg=angle, translation=tuple(shift), centre=tuple(centre))


def _aligned(fixed: NDArray[np.uint8], moving: NDArray[np.uint8], truth: Rigid) -> tuple[str, float]:
    """Align after the moving image was moved; return verdict and mean error over the middle in pixels."""
    back = truth.inverse().matrix
    moved = ndimage.affine_transform(moving, back[:2, :2], back[:2, 2], order=1)
    found = register(open_slide(fixed), open_slide(moved), method="mi", transform="rigid", must_find=False)
    if not found.has_transform:
        return found.verdict, float("inf")
    lines = [np.linspace(0.25 * n, 0.75 * n, 9) for n in fixed.shape]
    points = np.stack(np.meshgrid(*lines, indexing="ij"), -1).reshape(-1, 2)
    off = np.linalg.norm(found.fixed_to_moving(points) - truth(points), axis=1)
    return found.verdict, float(off.mean())


def volumes(arguments: argparse.Namespace) -> None:
    """Turn and shift the moving volume by up to 30 degrees and 30 mm; all must come back to one pose."""
    fixed, moving = open_volume(arguments.fixed), open_volume(arguments.moving)
    rng = np.random.default_rng(arguments.seed)
    centre = body_of(moving, 8.0).centre_mm
    points = body_of(fixed, 8.0).points_mm
    found: list[tuple[VolumePose, str, float]] = []
    for k in range(arguments.starts):
        angles, shift = rng.uniform(-30, 30, 3), rng.uniform(-30, 30, 3)
        start = VolumePose.of(angles_deg=angles, shift_mm=shift, centre_mm=centre)
        begun = process_time()
        result = register_volumes(fixed, _moved(moving, start))
        assert result.fixed_to_moving is not None
        pose = result.fixed_to_moving.then(start.inverse())
        found.append((pose, result.verdict.word, result.verdict.confidence))
        print(
            f"start {k}: {np.round(angles).astype(int)}°, {np.round(shift).astype(int)} mm: "
            f"{result.verdict.word} {result.verdict.confidence:.2f}, {process_time() - begun:.0f} CPU s; "
            + " ".join(f"{name} {value:.2f}" for name, value in result.verdict.measures.items()),
            flush=True,
        )
        if arguments.out is not None:
            write_volume_folder(result, arguments.out / f"start{k}")
    poses = [pose for pose, _, _ in found]
    apart = np.array([[mean_distance_mm(a, b, points) for b in poses] for a in poses])
    middle = int(np.argmin(np.median(apart, axis=1)))
    for k, (pose, word, _) in enumerate(found):
        turn = pose.inverse().then(poses[middle]).angle_deg
        print(f"start {k}: {word}, {apart[middle, k]:.2f} mm and {turn:.2f}° from the pose of most")


def _moved(volume: Volume, by: VolumePose) -> Volume:
    return replace(volume, index_to_patient=by.matrix @ volume.index_to_patient)


def fundus(arguments: argparse.Namespace) -> None:
    """Deform each NN_test.tif smoothly, align it back with histreg group, and carry NN_manual1.gif along."""
    rows, folds = [], []
    for number, path in enumerate(sorted(arguments.folder.glob("*_test.tif"))):
        mask_path = path.with_name(path.name.replace("_test.tif", "_manual1.gif"))
        picture, mask = np.asarray(Image.open(path).convert("RGB")), np.asarray(Image.open(mask_path)) > 0
        rng = np.random.default_rng([arguments.seed, number])
        to_first, to_second = _deformation(mask.shape, rng)
        there = np.stack([_seen_through(picture[..., k], to_first, 1) for k in range(3)], -1)
        # Another visit has other light, and noise of its own.
        glow = 1 + 0.1 * _smooth(mask.shape, 4, rng)[..., None]
        there = there * glow + rng.normal(0, 3, there.shape) * (there.max(-1, keepdims=True) > 20)
        there = np.clip(there, 0, 255).astype(np.uint8)
        carried = _seen_through(mask, to_first, 0) > 0
        ceiling = _dice(mask, _seen_through(carried, to_second, 0) > 0)
        begun = process_time()
        slides = [open_slide(picture, name=path.name), open_slide(there, name="deformed")]
        group = register_group(slides, frame=0, signal=arguments.signal, nonrigid=True)
        seconds = process_time() - begun
        masks = {k: open_slide(m.astype(np.uint8)) for k, m in enumerate((mask, carried))}
        score = evaluate_group(group, dict(enumerate(slides)), masks).scores[0]
        if not score.after:
            print(f"{path.name}: refused: {' '.join(group.members[1].reasons)}", flush=True)
            continue
        points = np.argwhere(mask)
        off = np.linalg.norm(group.between(0, 1)(points) - to_second[mask], axis=1)
        grid = np.argwhere(retina_field(np.moveaxis(picture, -1, 0)))[::7]
        folds.append(float(np.linalg.det(group.between(0, 1).jacobian(grid)).min()))
        rows.append((score.before["dice"], score.after["dice"], ceiling))
        figures = ", ".join(
            f"{name.upper()} {score.before[name]:.2f} to {score.after[name]:.2f}"
            for name in ("l1", "ncc", "ssim")
        )
        print(
            f"{path.name}: {score.verdict}, Dice {rows[-1][0]:.3f} before, {rows[-1][1]:.3f} after, "
            f"ceiling {ceiling:.3f}; vessels {np.median(off):.2f} px off (median), "
            f"{np.percentile(off, 90):.2f} (9 of 10), least Jacobian {folds[-1]:.2f}; {figures}; "
            f"{seconds:.1f} CPU s",
            flush=True,
        )
    before, after, ceilings = np.array(rows).T
    print(
        f"{(after >= 0.85 * ceilings).sum()} of {len(rows)} at 0.85 of the ceiling or above; mean Dice "
        f"{before.mean():.3f} before, {after.mean():.3f} after, ceiling {ceilings.mean():.3f}; "
        f"least Jacobian of all {min(folds):.2f}"
    )


def _deformation(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Field, Field]:
    """Draw a turn of up to 10 degrees, a shift of up to 20 px and a smooth bend of up to 8 px.

    Returns the places (Y, X, 2) in the first visit that the second shows, and the other way round.
    """
    angle, shift = np.deg2rad(rng.uniform(-10, 10)), rng.uniform(-20, 20, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    places = np.moveaxis(np.indices(shape, float), 0, -1)
    centre = (np.array(shape) - 1) / 2
    bend = np.stack([_smooth(shape, 5, rng) for _ in range(2)], -1)
    bend *= BEND_PX / np.linalg.norm(bend, axis=-1).max()
    to_first = (places - centre) @ turn.T + centre + shift + bend
    # The inverse by a fixed point: what the turned places still miss is turned back.
    away = to_first - ((places - centre) @ turn.T + centre)
    back = places
    for _ in range(60):
        missed = np.stack([_seen_through(away[..., k], back, 1, mode="nearest") for k in range(2)], -1)
        back = (places - missed - centre) @ turn + centre
    return to_first, back


def _smooth(shape: tuple[int, ...], knots: int, rng: np.random.Generator) -> Field:
    drawn = ndimage.zoom(rng.normal(size=(knots, knots)), [n / knots for n in shape], order=3)
    return np.asarray(drawn[: shape[0], : shape[1]])


def _seen_through(plane: NDArray[Any], places: Field, order: int, mode: str = "constant") -> Field:
    return np.asarray(
        ndimage.map_coordinates(plane.astype(float), np.moveaxis(places, -1, 0), order=order, mode=mode)
    )


def _dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("slices", help=slices.__doc__)
    verb.add_argument("folder", type=Path)
    verb.add_argument("--seed", type=int, default=0)
    verb.set_defaults(run=slices)
    verb = verbs.add_parser("volumes", help=volumes.__doc__)
    verb.add_argument("fixed")
    verb.add_argument("moving")
    verb.add_argument("--starts", type=int, default=10)
    verb.add_argument("--seed", type=int, default=0)
    verb.add_argument("--out", type=Path)
    verb.set_defaults(run=volumes)
    verb = verbs.add_parser("fundus", help=fundus.__doc__)
    verb.add_argument("folder", type=Path)
    verb.add_argument("--signal", choices=("vessels", "frangi"))
    verb.add_argument("--seed", type=int, default=0)
    verb.set_defaults(run=fundus)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
