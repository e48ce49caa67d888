"""elastix's TransformParameters text."""

from pathlib import Path

import numpy as np

from napari_histreg.errors import DamagedFile, UnsupportedDialect
from napari_histreg.geometry import SWAP
from napari_histreg.progress import Progress
from napari_histreg.transforms.bspline import BSpline
from napari_histreg.transforms.formats.conventions import TransformDialect, from_matrix, to_matrix
from napari_histreg.transforms.formats.elastix_parameters import Values, read_parameters, step_of
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.matrix import MatrixTransform
from napari_histreg.transforms.transform import Sequence, Transform

MOST_STEPS = 20
INITIAL = ("InitialTransformParameterFileName", "InitialTransformParametersFileName")


def read(
    path: Path, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> Transform:
    """Read a parameter file, and those that it names as its initial transforms."""
    chain: list[Transform] = []
    seen: set[Path] = set()
    following: Path | None = path
    while following is not None:
        if following.resolve() in seen:
            raise DamagedFile(f"{following} names itself as its initial transform.")
        if len(seen) == MOST_STEPS:
            raise DamagedFile(f"{path} leads to a chain of more than {MOST_STEPS} files.")
        seen.add(following.resolve())
        values = read_parameters(following)
        step: Transform = step_of(values, str(following))
        if isinstance(step, MatrixTransform):
            step = from_matrix(SWAP @ step.matrix @ SWAP, dialect, fixed, moving)
        # The initial transform is applied first.
        chain.insert(0, step)
        following = _initial(following, values)
    return Sequence.of(*chain)


def write(
    transform: Transform,
    path: Path,
    dialect: TransformDialect,
    fixed: SlideFrame | None,
    moving: SlideFrame | None,
    progress: Progress,
) -> None:
    """Write one parameter file, for an affine transform or a B-spline by itself."""
    if fixed is None or fixed.shape is None:
        raise UnsupportedDialect(
            "elastix's parameter file says on which grid transformix computes the result: the size of the "
            "fixed slide is needed. Pass fixed=SlideFrame(pixel_size_um=…, shape=…)."
        )
    if isinstance(transform, BSpline) and transform.base is None:
        lines = _bspline_lines(transform)
    elif isinstance(transform, Sequence | BSpline):
        raise UnsupportedDialect(
            "An elastix parameter file holds one step, and this transform has several. Use the dialect "
            '"itk" (a composite transform) or "itk_field".'
        )
    else:
        matrix = to_matrix(transform, dialect, fixed, moving)
        numbers = [*matrix[:2, :2].ravel().tolist(), *matrix[:2, 2].tolist()]
        lines = [
            '(Transform "AffineTransform")',
            "(NumberOfParameters 6)",
            f"(TransformParameters {_words(numbers)})",
            "(CenterOfRotationPoint 0 0)",
        ]
    path.write_text("\n".join([*lines, *_frame_lines(fixed)]) + "\n", encoding="utf-8", newline="\n")


def _frame_lines(fixed: SlideFrame) -> list[str]:
    rows, columns = fixed.shape or (0, 0)
    sy, sx = fixed.world_pixel_size
    return [
        '(InitialTransformParameterFileName "NoInitialTransform")',
        '(HowToCombineTransforms "Compose")',
        "(FixedImageDimension 2)",
        "(MovingImageDimension 2)",
        '(FixedInternalImagePixelType "float")',
        '(MovingInternalImagePixelType "float")',
        f"(Size {columns} {rows})",
        "(Index 0 0)",
        f"(Spacing {_words([sx, sy])})",
        "(Origin 0 0)",
        "(Direction 1 0 0 1)",
        '(UseDirectionCosines "true")',
        '(ResampleInterpolator "FinalBSplineInterpolator")',
        "(FinalBSplineInterpolationOrder 3)",
        '(Resampler "DefaultResampler")',
        "(DefaultPixelValue 0)",
        '(ResultImageFormat "tif")',
        '(ResultImagePixelType "float")',
        '(CompressResultImage "false")',
    ]


def _bspline_lines(transform: BSpline) -> list[str]:
    rows, columns = transform.coefficients.shape[:2]
    numbers = np.moveaxis(transform.coefficients, -1, 0)[::-1].ravel().tolist()
    (oy, ox), (sy, sx) = transform.origin, transform.spacing
    return [
        '(Transform "BSplineTransform")',
        f"(NumberOfParameters {len(numbers)})",
        f"(TransformParameters {_words(numbers)})",
        f"(GridSize {columns} {rows})",
        "(GridIndex 0 0)",
        f"(GridSpacing {_words([sx, sy])})",
        f"(GridOrigin {_words([ox, oy])})",
        "(GridDirection 1 0 0 1)",
        "(BSplineTransformSplineOrder 3)",
        '(UseCyclicTransform "false")',
    ]


def _words(numbers: list[float]) -> str:
    return " ".join(repr(number) for number in numbers)


def _initial(path: Path, values: Values) -> Path | None:
    name = next((values[key][0] for key in INITIAL if values.get(key)), "NoInitialTransform")
    if name == "NoInitialTransform":
        return None
    if "\0" in name or not 0 < len(name) < 4096 or not Path(name).name:
        raise DamagedFile(f"{path} names {name[:100]!r} as its initial transform, which is no file.")
    if values.get("HowToCombineTransforms", ["Compose"])[0] != "Compose":
        raise UnsupportedDialect(f"{path} adds transforms; only composed ones can be used.")
    # elastix writes whole paths; a folder that moved keeps its files together.
    places = (path.parent / name, path.parent / Path(name).name)
    try:
        return next((place for place in places if place.is_file()), places[0])
    except OSError as error:
        raise DamagedFile(
            f"{path} names {name[:100]!r} as its initial transform: {error.strerror}."
        ) from None
