"""ITK's transform files (.tfm, .txt, .h5), through SimpleITK."""

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.errors import DamagedFile, TransformError, UnsupportedDialect
from napari_histreg.geometry import FloatArray
from napari_histreg.progress import Progress
from napari_histreg.transforms.bspline import BSpline
from napari_histreg.transforms.displacement import DisplacementField
from napari_histreg.transforms.fitting import fit_affine
from napari_histreg.transforms.formats._itk_child import rewritten
from napari_histreg.transforms.formats._itk_text import Part, canonical_text, parse_parts
from napari_histreg.transforms.formats.conventions import TransformDialect, from_matrix, to_matrix
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.formats.reading import read_text
from napari_histreg.transforms.formats.sampled import sample_field
from napari_histreg.transforms.matrix import Affine
from napari_histreg.transforms.similarity import Translation
from napari_histreg.transforms.transform import Sequence, Transform

__all__ = ["disk_is_full", "field_image", "field_of", "read", "write"]


def read(
    path: Path, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> Transform:
    """Read a transform file."""
    if path.suffix.lower() in (".h5", ".hdf5"):
        with rewritten(path, "transform") as text:
            parts = parse_parts(path, read_text(text))
    else:
        parts = parse_parts(path, read_text(path))
    return _from_itk(_read_parts(path, parts), dialect, fixed, moving)


def _read_parts(path: Path, parts: list[Part]) -> Any:
    """Have SimpleITK read transforms that were checked."""
    import SimpleITK as sitk

    with tempfile.TemporaryDirectory(prefix="histreg-") as folder:
        clean = Path(folder) / "clean.tfm"
        clean.write_text(canonical_text(parts), encoding="ascii")
        try:
            return sitk.ReadTransform(str(clean))
        except RuntimeError as error:
            raise DamagedFile(f"{path} is no ITK transform file: {_reason(error)}") from error


def write(
    transform: Transform,
    path: Path,
    dialect: TransformDialect,
    fixed: SlideFrame | None,
    moving: SlideFrame | None,
    progress: Progress,
) -> None:
    """Write a transform file; what ITK has no class for is sampled over the fixed slide."""
    import SimpleITK as sitk

    parts = _parts(transform, dialect, fixed, moving)
    if parts is None:
        parts = [sitk.DisplacementFieldTransform(field_image(transform, fixed, progress))]
    # ITK applies the last of its list first.
    made = parts[0] if len(parts) == 1 else sitk.CompositeTransform(parts[::-1])
    try:
        sitk.WriteTransform(made, str(path))
    except RuntimeError as error:
        raise UnsupportedDialect(
            f"ITK writes transforms to {', '.join(dialect.suffixes)}, not to {path.name}: {_reason(error)}"
        ) from error
    _check_written(path, made)


def _check_written(path: Path, made: Any) -> None:
    """Read a transform back: on a full disk SimpleITK writes nothing, and says nothing."""
    import SimpleITK as sitk

    try:
        found = sitk.ReadTransform(str(path))
        is_whole = np.array_equal(found.GetParameters(), made.GetParameters()) and np.array_equal(
            found.GetFixedParameters(), made.GetFixedParameters()
        )
    except RuntimeError:
        is_whole = False
    if not is_whole:
        raise disk_is_full(path)


def disk_is_full(path: Path) -> OSError:
    """Return the error for a file that does not hold what was written, which SimpleITK does not raise."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def field_image(transform: Transform, fixed: SlideFrame | None, progress: Progress) -> Any:
    """Return a transform as an ITK image of displacements (x, y) over the fixed slide."""
    import SimpleITK as sitk

    sampled = sample_field(transform, fixed, progress)
    image = sitk.GetImageFromArray(np.ascontiguousarray(sampled.values[..., ::-1]), isVector=True)
    image.SetSpacing(sampled.spacing[::-1].tolist())
    image.SetOrigin(sampled.origin[::-1].tolist())
    return image


def field_of(image: Any) -> DisplacementField:
    """Return an ITK image of displacements (x, y) as a displacement field.

    Raises
    ------
    DamagedFile
        It is not two-dimensional, lies askew, has not two components or is not finite.
    TransformError
        It maps everything onto a line.
    """
    import SimpleITK as sitk

    if image.GetDimension() != 2 or image.GetNumberOfComponentsPerPixel() != 2:
        raise DamagedFile(
            f"A displacement field of slides has 2 dimensions and 2 components, not {image.GetDimension()} "
            f"and {image.GetNumberOfComponentsPerPixel()}."
        )
    if not np.allclose(image.GetDirection(), [1, 0, 0, 1]):
        raise DamagedFile("The displacement field lies askew (its direction is not 1 0 0 1).")
    origin, spacing = np.array(image.GetOrigin()[::-1]), np.array(image.GetSpacing()[::-1])
    values = sitk.GetArrayFromImage(image)[..., ::-1].astype(float)
    if not np.isfinite(values).all():
        raise DamagedFile("The displacement field holds NaN or infinity.")
    points = (np.indices(values.shape[:2]).transpose(1, 2, 0) * spacing + origin).reshape(-1, 2)
    images = points + values.reshape(-1, 2)
    # What is affine becomes the matrix behind the field, so that only what bends is interpolated.
    base = fit_affine(points, images)
    rest = (base.inverse()(images) - points).reshape(values.shape)
    return DisplacementField(rest, origin=tuple(origin), spacing=tuple(spacing), base=base)


def _parts(
    transform: Transform, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> list[Any] | None:
    """Return a transform as ITK's own classes, the first applied first; None where there are none."""
    import SimpleITK as sitk

    if isinstance(transform, Affine):
        matrix = to_matrix(transform, dialect, fixed, moving)
        return [sitk.AffineTransform(matrix[:2, :2].ravel().tolist(), matrix[:2, 2].tolist(), [0.0, 0.0])]
    if isinstance(transform, BSpline):
        base = [] if transform.base is None else _parts(transform.base, dialect, fixed, moving)
        return None if base is None else [_bspline(transform), *base]
    if isinstance(transform, Sequence):
        parts: list[Any] = []
        for step in transform.steps:
            made = _parts(step, dialect, fixed, moving)
            if made is None:
                return None
            parts += made
        return parts
    return None


def _bspline(transform: BSpline) -> Any:
    import SimpleITK as sitk

    images = []
    for axis in (1, 0):
        image = sitk.GetImageFromArray(np.ascontiguousarray(transform.coefficients[..., axis]))
        image.SetOrigin(transform.origin[::-1])
        image.SetSpacing(transform.spacing[::-1])
        images.append(image)
    return sitk.BSplineTransform(images, 3)


def _from_itk(
    found: Any, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> Transform:
    import SimpleITK as sitk

    found = found.Downcast()
    name = found.GetName()
    if isinstance(found, sitk.CompositeTransform):
        parts = [found.GetNthTransform(k) for k in range(found.GetNumberOfTransforms())]
        return Sequence.of(*(_from_itk(part, dialect, fixed, moving) for part in reversed(parts)))
    if isinstance(found, sitk.DisplacementFieldTransform):
        return field_of(found.GetDisplacementField())
    if isinstance(found, sitk.BSplineTransform):
        return _from_bspline(found)
    if name == "IdentityTransform":
        return Translation.identity()
    if not found.IsLinear():
        raise UnsupportedDialect(f"ITK's {name} cannot be used here. Convert it to a displacement field.")
    return from_matrix(_linear_matrix(found), dialect, fixed, moving)


def _linear_matrix(found: Any) -> FloatArray:
    matrix = np.eye(3)
    if hasattr(found, "GetMatrix"):
        matrix[:2, :2] = np.reshape(found.GetMatrix(), (2, 2))
        centre, shift = np.array(found.GetCenter()), np.array(found.GetTranslation())
        matrix[:2, 2] = centre + shift - matrix[:2, :2] @ centre
        return matrix
    origin = np.array(found.TransformPoint((0.0, 0.0)))
    for axis in range(2):
        matrix[:2, axis] = np.array(found.TransformPoint([float(axis == k) for k in range(2)])) - origin
    matrix[:2, 2] = origin
    return matrix


def _from_bspline(found: Any) -> BSpline:
    import SimpleITK as sitk

    if found.GetOrder() != 3:
        raise UnsupportedDialect(f"Only B-splines of order 3 can be used, not of order {found.GetOrder()}.")
    images = found.GetCoefficientImages()
    if not np.allclose(images[0].GetDirection(), [1, 0, 0, 1]):
        raise DamagedFile("The control grid lies askew (its direction is not 1 0 0 1).")
    values = np.stack([sitk.GetArrayFromImage(images[axis]) for axis in (1, 0)], -1)
    (x, y), (dx, dy) = images[0].GetOrigin(), images[0].GetSpacing()
    try:
        return BSpline(values, origin=(y, x), spacing=(dy, dx))
    except ValueError as error:
        raise TransformError(f"The control grid of the file cannot be used: {error}") from error


def _reason(error: RuntimeError) -> str:
    """Return the last sentence of an ITK exception, which names the cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("sitk::ERROR: ") if lines else "unknown reason."
