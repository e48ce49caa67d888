"""Displacement fields as ITK images (.mha, .nrrd, .nii), as ANTs, elastix and SimpleITK use them."""

import re
from pathlib import Path

import numpy as np

from napari_histreg.errors import DamagedFile, UnsupportedDialect
from napari_histreg.files import regular_file
from napari_histreg.files.reading import opened
from napari_histreg.progress import Progress
from napari_histreg.transforms.formats._itk import disk_is_full, field_image, field_of
from napari_histreg.transforms.formats._itk_child import rewritten
from napari_histreg.transforms.formats.conventions import TransformDialect
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.transform import Transform

HEADER_BYTES = 1 << 16
_ELSEWHERE = re.compile(rb"(?:ElementDataFile[ \t]*=|data[ ]?file:)[ \t]*([^\r\n]*)", re.IGNORECASE)


def read(
    path: Path, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> Transform:
    """Read a field; between its samples it is smooth here, linear in ITK."""
    import SimpleITK as sitk

    _check_header(path)
    with rewritten(path, "image") as clean:
        image = sitk.ReadImage(str(clean), sitk.sitkVectorFloat64)
    return field_of(image)


def _check_header(path: Path) -> None:
    """Refuse a header that leads to anything but one file beside it."""
    with opened(path) as stream:
        head = stream.read(HEADER_BYTES)
    for found in _ELSEWHERE.finditer(head):
        name = found.group(1).decode("utf-8", "replace").strip()
        if name == "LOCAL":
            continue
        place = Path(name)
        if len(place.parts) != 1 or "%" in name or name.split()[0] == "LIST" or place.name in ("", ".."):
            raise DamagedFile(f"{path} names {name[:100]!r} as its data, which is no single file beside it.")
        regular_file(path.parent / place)


def write(
    transform: Transform,
    path: Path,
    dialect: TransformDialect,
    fixed: SlideFrame | None,
    moving: SlideFrame | None,
    progress: Progress,
) -> None:
    """Write the displacements over the fixed slide, dense enough for linear interpolation."""
    import SimpleITK as sitk

    image = field_image(transform, fixed, progress)
    try:
        sitk.WriteImage(image, str(path))
    except RuntimeError as error:
        raise UnsupportedDialect(
            f"Displacement fields are written to {', '.join(dialect.suffixes)}, not to {path.name}."
        ) from error
    try:
        found = sitk.ReadImage(str(path))
        is_whole = np.array_equal(sitk.GetArrayViewFromImage(found), sitk.GetArrayViewFromImage(image))
    except RuntimeError:
        is_whole = False
    if not is_whole:
        raise disk_is_full(path)
