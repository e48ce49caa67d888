"""The development images as the rasters that methods see; their truth lies beside them."""

import json
from pathlib import Path

import numpy as np
from skimage import color, io

from napari_histreg.raster import Raster
from napari_histreg.transforms import from_pixel_matrix
from phantoms import Pair


def haematoxylin(path: Path) -> Raster:
    """Give the haematoxylin density of a brightfield image: nuclei are bright."""
    return Raster(color.rgb2hed(io.imread(path)[..., :3])[..., 0].astype(np.float32))


def grey(path: Path) -> Raster:
    return Raster(io.imread(path, as_gray=True).astype(np.float32))


def restained(shared: Path, moving: str) -> Pair:
    """Give the immunohistochemistry's haematoxylin with the DAPI image `moving` of the same section."""
    folder = shared / "data" / "restained"
    truth = folder / f"{moving}.json"
    matrix = json.loads(truth.read_text())["fixed_to_moving_px"] if truth.exists() else np.eye(3)
    return Pair(
        haematoxylin(folder / "Lung1_ihc.png"), grey(folder / f"{moving}.png"), from_pixel_matrix(matrix)
    )


def unrelated(shared: Path) -> list[tuple[Raster, Raster]]:
    """Give pairs of different tissue, or of places that do not overlap."""
    data = shared / "data"
    ihc = haematoxylin(data / "restained" / "Lung1_ihc.png")
    dapi = grey(data / "restained" / "Lung1_dapi.png")
    lesion = haematoxylin(data / "serial" / "lesion1_HE.jpg")
    part = Raster(lesion.pixels[200:700, 200:700])
    left, right = Raster(ihc.pixels[:, :250]), Raster(dapi.pixels[:, 262:])
    return [(ihc, part), (part, dapi), (left, right), (ihc, grey(data / "shg" / "1B_A1_shg.png"))]
