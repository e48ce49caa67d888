"""Figures of medical images: CT on MR in planes and in volumes, retinas whose bends are known.

    python benchmarks/medical.py slices FOLDER [--seed 0]
    python benchmarks/medical.py volumes FIXED MOVING [--starts 10] [--out DIR]

Times are CPU seconds of this machine.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from napari_histreg import open_slide, register
from napari_histreg.transforms import Rigid
from napari_histreg.volumes import Volume, open_volume
from napari_histreg.volumes.body import body_of
from napari_histreg.volumes.folder import write_volume_folder
from napari_histreg.volumes.pose import VolumePose, mean_distance_mm
from napari_histreg.volumes.registering import register_volumes

RIGHT_PX, WRONG_PX = 2.0, 5.0


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
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
