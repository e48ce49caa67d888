import numpy as np
import pytest
from PIL import Image

from napari_histreg.preprocess import guess_modality


def load(path):
    array = np.asarray(Image.open(path))
    return array[None] if array.ndim == 2 else np.moveaxis(array[..., :3], -1, 0)


@pytest.mark.thorough
def test_every_shared_picture_is_told_right(shared):
    wrong = []
    slides = ("restained", "serial", "shg")  # the other folders hold what is no microscope slide
    for path in sorted(found for name in slides for found in (shared / "data" / name).glob("*.*g")):
        kind = "fluorescence" if "dapi" in path.name or "shg" in path.name else "brightfield"
        planes = load(path)
        if guess_modality(planes) != kind:
            wrong.append(path.name)
        if kind == "brightfield" and len(planes) == 3 and guess_modality(planes.mean(0)[None]) != kind:
            wrong.append(f"grey {path.name}")
        if kind == "fluorescence":
            blue = planes * np.array([0.1, 0.3, 1.0])[:, None, None]
            if guess_modality(blue, is_rgb=True) != kind:
                wrong.append(f"rendered {path.name}")
            if guess_modality(np.repeat(planes, 3, 0), is_rgb=True) != kind:
                wrong.append(f"grey rgb {path.name}")
    assert wrong == []


def test_the_bundled_immunohistochemistry_is_brightfield():
    from skimage.data import immunohistochemistry

    assert guess_modality(np.moveaxis(immunohistochemistry(), -1, 0)) == "brightfield"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_depth_does_not_matter(dtype):
    y, x = np.mgrid[:128, :128]
    nuclei = ((y % 20 - 10) ** 2 + (x % 20 - 10) ** 2 < 30).astype(float)
    top = {np.uint8: 255, np.uint16: 65535, np.float32: 1.0}[dtype]
    dark = (nuclei * 0.6 * top)[None].astype(dtype)
    bright = ((0.9 - nuclei * 0.6) * top)[None].astype(dtype)
    assert guess_modality(dark) == "fluorescence"
    assert guess_modality(bright) == "brightfield"


def test_the_hint_decides_only_what_the_pixels_leave_open():
    flat = np.full((1, 20, 20), 7.0)
    assert guess_modality(flat, is_rgb=True) == "brightfield"
    assert guess_modality(flat, is_rgb=False) == "fluorescence"
    glow = np.zeros((3, 64, 64))
    glow[2, 20:30, 20:30] = 200
    assert guess_modality(glow, is_rgb=True) == "fluorescence"
