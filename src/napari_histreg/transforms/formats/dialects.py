"""Transforms to and from the files of other tools: the table of dialects."""

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from napari_histreg.errors import UnsupportedDialect
from napari_histreg.files import written_whole
from napari_histreg.progress import Progress, silent
from napari_histreg.transforms.formats.conventions import TransformDialect
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.formats.sniffing import guess_dialect
from napari_histreg.transforms.transform import Transform

__all__ = ["DIALECTS", "convert_transform", "read_transform", "write_transform"]

ROOM = "napari_histreg.transforms.formats"
SIZES = ("pixel sizes",)
SIZES_AND_SHAPE = ("pixel sizes", "size of the fixed slide")

DIALECTS: Mapping[str, TransformDialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            TransformDialect(
                "csv",
                "plain CSV matrix",
                (".csv", ".txt"),
                f"{ROOM}._matrix_csv",
                "fixed_to_moving",
                "xy",
                "px",
                carries=("affine", "projective"),
                needs=SIZES,
                note="The matrix.csv that `histreg register` writes.",
            ),
            TransformDialect(
                "npy",
                "NumPy matrix",
                (".npy",),
                f"{ROOM}._npy",
                "fixed_to_moving",
                "xy",
                "px",
                carries=("affine", "projective"),
                needs=SIZES,
            ),
            TransformDialect(
                "qupath",
                "QuPath affine text",
                (".txt",),
                f"{ROOM}._qupath",
                "fixed_to_moving",
                "xy",
                "px",
                "corner",
                needs=SIZES,
                note="For the window of Interactive image alignment: the fixed slide is its base image.",
            ),
            TransformDialect(
                "xenium",
                "Xenium Explorer matrix CSV",
                (".csv",),
                f"{ROOM}._matrix_csv",
                "moving_to_fixed",
                "xy",
                "px",
                needs=SIZES,
                note="The fixed slide is the Xenium morphology image, the moving one the image added to it.",
            ),
            TransformDialect(
                "itk",
                "ITK transform file",
                (".tfm", ".h5", ".txt"),
                f"{ROOM}._itk",
                "fixed_to_moving",
                "xy",
                "world",
                carries=("affine", "bspline", "any"),
                needs=("size of the fixed slide, for what bends and is no B-spline",),
                note="Physical units are µm, as are the spacings that other tools must give their images.",
            ),
            TransformDialect(
                "itk_field",
                "ITK displacement field",
                (".mha", ".nrrd", ".nii", ".nii.gz", ".mhd"),
                f"{ROOM}._itk_field",
                "fixed_to_moving",
                "xy",
                "world",
                carries=("any",),
                needs=SIZES_AND_SHAPE,
                note="Linear interpolation of the samples is within 0.02 px, where 1025 a side suffice.",
            ),
            TransformDialect(
                "elastix",
                "elastix TransformParameters",
                (".txt",),
                f"{ROOM}._elastix",
                "fixed_to_moving",
                "xy",
                "world",
                carries=("affine", "bspline"),
                needs=SIZES_AND_SHAPE,
                note="Physical units are µm. Chains of files are read; one step is written.",
            ),
            TransformDialect(
                "ngff",
                "OME-NGFF transformation (RFC-5)",
                (".json",),
                f"{ROOM}._ngff",
                "moving_to_fixed",
                "yx",
                "world",
                note='Forward: from "physical" coordinates of the moving slide to those of the fixed one.',
            ),
            TransformDialect(
                "spatialdata",
                "SpatialData transformation",
                (".json",),
                f"{ROOM}._ngff",
                "moving_to_fixed",
                "yx",
                "px",
                "corner",
                needs=SIZES,
                note="Between the pixels of two images. The file names its axes; any order is read.",
            ),
            TransformDialect(
                "affinder",
                "affinder matrix text",
                (".txt", ".csv"),
                f"{ROOM}._matrix_csv",
                "moving_to_fixed",
                "yx",
                "world",
                note="The affine of a napari layer whose scale is its pixel size; the fixed layer has none.",
            ),
            TransformDialect(
                "warpy",
                "Warpy JSON",
                (".json",),
                f"{ROOM}._warpy",
                "moving_to_fixed",
                "xy",
                "px",
                "corner",
                carries=("affine", "thin_plate", "any"),
                needs=SIZES_AND_SHAPE,
                note="`transform_<fixed>_<moving>.json` in the fixed entry's folder of a QuPath project.",
            ),
        )
    }
)
"""Name → dialect. One more layout is one more entry here and one more file beside this one."""


def read_transform(
    path: str | os.PathLike[str],
    dialect: str | None = None,
    *,
    fixed: SlideFrame | None = None,
    moving: SlideFrame | None = None,
) -> Transform:
    r"""Read a transform from a file.

    Parameters
    ----------
    path : path-like
    dialect : str, optional
        A name in `DIALECTS`; told by suffix and content where none is given.
    fixed, moving : SlideFrame, optional
        What is known of the slides; each dialect needs what its entry says.

    Returns
    -------
    Transform
        Fixed to moving in world units, whatever the file's own direction.

    Raises
    ------
    DamagedFile
        The file is missing or cannot be understood.
    UnsupportedDialect
        There is no such dialect, or the file holds something that cannot be used.
    MissingPixelSize
        The file counts in pixels, and nothing is said of a slide.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "matrix.csv"
    ...     _ = path.write_text("1,0,20\n0,1,10\n0,0,1\n")
    ...     half_um = SlideFrame(pixel_size_um=(0.5, 0.5))
    ...     read_transform(path, "csv", fixed=half_um, moving=half_um).shift
    (5.0, 10.0)
    """
    path = Path(path)
    kind = _dialect(guess_dialect(path) if dialect is None else dialect)
    found: Transform = importlib.import_module(kind.module).read(path, kind, fixed, moving)
    return found


def write_transform(
    fixed_to_moving: Transform,
    path: str | os.PathLike[str],
    dialect: str,
    *,
    fixed: SlideFrame | None = None,
    moving: SlideFrame | None = None,
    progress: Progress = silent,
) -> None:
    """Write a transform to a file, under a temporary name until it is whole.

    Parameters
    ----------
    fixed_to_moving : Transform
        In world units, whatever the dialect's own direction.
    path : path-like
    dialect : str
        A name in `DIALECTS`.
    fixed, moving : SlideFrame, optional
        What is known of the slides; each dialect needs what its entry says.
    progress : Progress, optional
        Told of the progress where something is sampled; may raise `Cancelled`.

    Raises
    ------
    UnsupportedDialect
        There is no such dialect, or it cannot hold the transform.
    MissingPixelSize
        The dialect counts in pixels, and nothing is said of a slide.
    NotInvertible
        The dialect goes the other way, and the transform has no inverse.
    WriteError
        The file cannot be written.
    """
    kind = _dialect(dialect)
    with written_whole(path) as temporary:
        importlib.import_module(kind.module).write(fixed_to_moving, temporary, kind, fixed, moving, progress)


def convert_transform(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    from_dialect: str | None = None,
    to_dialect: str,
    fixed: SlideFrame | None = None,
    moving: SlideFrame | None = None,
    progress: Progress = silent,
) -> Transform:
    """Read a transform in one dialect and write it in another.

    Between two dialects that both count in pixels, nothing need be known of the slides.

    Parameters
    ----------
    source, target : path-like
        The files to read and to write.
    from_dialect, to_dialect : str
        Names in `DIALECTS`; the first is told by the file where it is not given.
    fixed, moving : SlideFrame, optional
        What is known of the slides.
    progress : Progress, optional
        Told of the progress where something is sampled; may raise `Cancelled`.

    Returns
    -------
    Transform
        What was converted, fixed to moving.

    Raises
    ------
    MissingPixelSize
        The two count in different units, and the pixel sizes are not given.
    """
    kind = _dialect(guess_dialect(Path(source)) if from_dialect is None else from_dialect)
    if kind.unit == "px" == _dialect(to_dialect).unit:
        fixed, moving = fixed or SlideFrame(), moving or SlideFrame()
    transform = read_transform(source, kind.name, fixed=fixed, moving=moving)
    write_transform(transform, target, to_dialect, fixed=fixed, moving=moving, progress=progress)
    return transform


def _dialect(name: str) -> TransformDialect:
    if name not in DIALECTS:
        raise UnsupportedDialect(
            f"There is no transform layout {name!r}. Those known are: {', '.join(DIALECTS)}."
        )
    return DIALECTS[name]
