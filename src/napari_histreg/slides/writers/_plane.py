"""A slide as one plane without a pyramid: PNG, NIfTI, or a DICOM secondary capture that names no patient."""

from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.errors import MissingPixelSize, WriteError
from napari_histreg.files import written_whole
from napari_histreg.progress import Progress
from napari_histreg.slides.slide import Slide
from napari_histreg.volumes import Volume, write_volume

__all__ = ["PLANE_SUFFIXES", "write_plane"]

PLANE_SUFFIXES = (".png", ".nii", ".nii.gz", ".dcm")
MOST_PIXELS = 100_000_000
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def write_plane(slide: Slide, path: Path, progress: Progress) -> None:
    """Write level 0 of a slide as one plane; the name decides the format.

    Parameters
    ----------
    slide : Slide
        One channel, or RGB.
    path : Path
        Ends in .png, .nii, .nii.gz or .dcm.
    progress : Progress
        Told before and after; may raise `Cancelled`.

    Raises
    ------
    WriteError
        The slide is too large for one plane, has other channels, or values that the format cannot hold.
    MissingPixelSize
        A NIfTI of a slide whose pixel size is not known.
    """
    name = path.name
    if slide.shape[0] * slide.shape[1] > MOST_PIXELS:
        raise WriteError(
            f"{name}: {slide.name} has {slide.shape[1]} x {slide.shape[0]} pixels, too many for a file "
            "without a pyramid. Write .ome.tif."
        )
    if len(slide.channels) != 1 and not slide.is_rgb:
        raise WriteError(
            f"{name} holds one channel or colours, and {slide.name} has {len(slide.channels)} channels. "
            "Choose one of them, or write .ome.tif."
        )
    progress(0.0, f"reading {slide.name}")
    pixels = slide.read_level(0)
    plane = np.ascontiguousarray(np.moveaxis(pixels, 0, -1) if slide.is_rgb else pixels[0])
    size = slide.pixel_size_um
    if name.lower().endswith((".nii", ".nii.gz")):
        if slide.is_rgb:
            raise WriteError(f"{name} holds one channel, and {slide.name} has colours. Write .png or .dcm.")
        if size is None:
            raise MissingPixelSize(f"{name}: NIfTI wants millimetres, and {slide.name} has no pixel size.")
        scale = np.diag([1.0, size[0] / 1000, size[1] / 1000, 1.0])
        write_volume(Volume(slide.name, plane[None], scale), path)
    else:
        if plane.dtype not in (np.uint8, np.uint16) or (slide.is_rgb and plane.dtype != np.uint8):
            raise WriteError(f"{name} holds 8-bit colours, or grey of 8 or 16 bit, not {plane.dtype} pixels.")
        with written_whole(path) as temporary:
            (_write_png if name.lower().endswith(".png") else _write_dicom)(plane, size, temporary)
    progress(1.0, f"wrote {name}")


def _write_png(plane: Any, size: tuple[float, float] | None, path: Path) -> None:
    from PIL import Image

    inch = {} if size is None else {"dpi": (25400 / size[1], 25400 / size[0])}
    Image.fromarray(plane).save(path, format="PNG", **inch)


def _write_dicom(plane: Any, size: tuple[float, float] | None, path: Path) -> None:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(plane, isVector=plane.ndim == 3)
    tags = {
        "0008|0016": SECONDARY_CAPTURE,
        "0008|0060": "OT",
        "0008|0064": "WSD",
        "0010|0010": "",
        "0010|0020": "",
    }
    if size is not None:
        image.SetSpacing((size[1] / 1000, size[0] / 1000))
        # A secondary capture has no spacing of the detector, only one of its pixels.
        tags["0028|0030"] = f"{size[0] / 1000:.8g}\\{size[1] / 1000:.8g}"
    for tag, value in tags.items():
        image.SetMetaData(tag, value)
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.SetFileName(str(path))
    try:
        writer.Execute(image)
    except RuntimeError as error:
        raise WriteError(f"{path.name} cannot be written. Check the disk and its free space.") from error
