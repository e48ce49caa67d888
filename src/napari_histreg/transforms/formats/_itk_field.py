"""Displacement fields as ITK images (.mha, .nrrd, .nii), as ANTs, elastix and SimpleITK use them."""

from pathlib import Path

from napari_histreg.errors import DamagedFile, UnsupportedDialect
from napari_histreg.progress import Progress
from napari_histreg.transforms.formats._itk import field_image, field_of
from napari_histreg.transforms.formats.conventions import TransformDialect
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.transform import Transform


def read(
    path: Path, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> Transform:
    """Read a field; between its samples it is smooth here, linear in ITK."""
    import SimpleITK as sitk

    if not path.is_file():
        raise DamagedFile(f"{path} does not exist. Check the name.")
    try:
        image = sitk.ReadImage(str(path), sitk.sitkVectorFloat64)
    except RuntimeError as error:
        raise DamagedFile(f"{path} holds no displacement field that ITK can read.") from error
    return field_of(image)


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

    try:
        sitk.WriteImage(field_image(transform, fixed, progress), str(path))
    except RuntimeError as error:
        raise UnsupportedDialect(
            f"Displacement fields are written to {', '.join(dialect.suffixes)}, not to {path.name}."
        ) from error
