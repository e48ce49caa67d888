"""The pairs that benchmarks/peers.py gives to all programs: two picture files and the truth.

Those that a stranger can make come from this package; with a folder of the project's development images
(real pairs whose truth is known, not handed on) those come too.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

LONGEST_PX = 1024


@dataclass(frozen=True)
class Pair:
    """Two pictures, and true places in both, (x, y) in pixels.

    Parameters
    ----------
    name : str
    is_made : bool
        Whether anybody can make it with this package.
    fixed, moving : (Y, X) or (Y, X, 3) ndarray of uint8
        Colour as red, green, blue.
    fixed_points, moving_points : (N, 2) ndarray
    """

    name: str
    is_made: bool
    fixed: np.ndarray
    moving: np.ndarray
    fixed_points: np.ndarray
    moving_points: np.ndarray

    @property
    def is_mirrored(self) -> bool:
        """Whether one picture lies face down."""
        places = np.column_stack([self.fixed_points, np.ones(len(self.fixed_points))])
        linear = np.linalg.lstsq(places, self.moving_points, rcond=None)[0][:2]
        return bool(np.linalg.det(linear) < 0)

    @property
    def diagonal(self) -> float:
        """Of the fixed picture, in pixels."""
        return float(np.hypot(*self.fixed.shape[:2]))


def all_pairs(folder: Path, data: Path | None) -> Iterator[Pair]:
    """Yield all pairs; `folder` takes what the demo writes."""
    yield from made(folder)
    if data is not None:
        yield from real(data)


def made(folder: Path) -> Iterator[Pair]:
    """Yield the pairs that this package makes."""
    from napari_histreg import Rigid, demo_pair, open_slide, phantom_pair
    from napari_histreg.warping import Grid, warp_slide

    demo = demo_pair(folder)
    fixed, moving = open_slide(demo.fixed), open_slide(demo.moving)
    marks = demo.landmarks()
    size = fixed.pixel_size_um
    turn = Rigid.of(angle_deg=20, translation=(4, 3), centre=(128, 128))
    copy = warp_slide(fixed, turn, Grid.of(fixed), pixel_size_um=size)
    yield _pair("demo: one stain, turned by 20°", fixed, copy, marks.fixed, turn.inverse()(marks.fixed))
    off = Rigid.of(angle_deg=3, translation=(3, -2.6), centre=(128, 128))
    near = warp_slide(moving, off.then(demo.fixed_to_moving), Grid.of(fixed), pixel_size_um=size)
    yield _pair("demo: two stains, turned by 3°", fixed, near, marks.fixed, off.inverse()(marks.fixed))
    yield _pair("demo: two stains, turned by 152°, mirrored", fixed, moving, marks.fixed, marks.moving)
    phantom = phantom_pair(1500, angle_deg=35, mirrored=False)
    line = np.linspace(0.25, 0.75, 7)
    points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2) * phantom.fixed.size
    landed = phantom.fixed_to_moving(points)
    yield _pair("phantom: two stains, turned by 35°", phantom.fixed, phantom.moving, points, landed)


def _pair(name, fixed, moving, fixed_um, moving_um) -> Pair:
    pictures, places = [], []
    for slide, points in ((fixed, fixed_um), (moving, moving_um)):
        level = slide.level_for_size(LONGEST_PX)
        pixels = slide.read_level(level)
        pictures.append(np.moveaxis(pixels, 0, -1) if slide.is_rgb else _stretched(pixels[0]))
        places.append(slide.to_pixel(points, level)[:, ::-1])
    return Pair(name, True, *pictures, *places)


def _stretched(plane: np.ndarray) -> np.ndarray:
    """Return a plane of fluorescence as it is saved for looking at: 8 bits, the darkest and brightest cut."""
    low, high = np.percentile(plane, (0.5, 99.5))
    return (np.clip((plane - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def real(data: Path) -> Iterator[Pair]:
    """Yield the real pairs of the development images."""
    lung = data / "restained"
    matrix = json.loads((lung / "Lung1_dapi_rotated.json").read_text())["fixed_to_moving_px"]
    name = "lung: IHC and DAPI of one section, turned by 127°, enlarged by 1.37"
    yield _known(name, lung / "Lung1_ihc.png", lung / "Lung1_dapi_rotated.png", np.array(matrix))
    truth = json.loads((data / "shg" / "truth.json").read_text())["fixed_to_moving_px"]
    files = (data / "shg" / f"1B_A1_{kind}.png" for kind in ("he", "shg"))
    yield _known("tissue core: H&E and second harmonic", *files, np.array(truth["1B_A1"]))
    sections = ("lesion1_HE", "lesion1_proSPC")
    points = [_landmarks(data / "serial" / f"{one}.csv") for one in sections]
    count = min(map(len, points))
    pictures = [_read(data / "serial" / f"{one}.jpg") for one in sections]
    name = "lung lesion: neighbouring sections, H&E and proSPC"
    yield Pair(name, False, *pictures, *(one[:count] for one in points))


def _known(name: str, fixed: Path, moving: Path, matrix: np.ndarray) -> Pair:
    pictures = [_read(path) for path in (fixed, moving)]
    height, width = pictures[0].shape[:2]
    line = np.linspace(0.1, 0.9, 9)
    points = np.stack(np.meshgrid(line * (width - 1), line * (height - 1)), -1).reshape(-1, 2)
    landed = points @ matrix[:2, :2].T + matrix[:2, 2]
    seen = ((landed >= 0) & (landed <= np.array(pictures[1].shape[1::-1]) - 1)).all(axis=1)
    return Pair(name, False, *pictures, points[seen], landed[seen])


def _read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., 2::-1])


def _landmarks(path: Path) -> np.ndarray:
    with path.open(encoding="utf-8") as file:
        return np.array([[float(row[1]), float(row[2])] for row in list(csv.reader(file))[1:]])
