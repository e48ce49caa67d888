"""elastix's TransformParameters text."""

import re
from pathlib import Path

import numpy as np

from napari_histreg.errors import DamagedFile, UnsupportedDialect
from napari_histreg.geometry import FloatArray
from napari_histreg.progress import Progress
from napari_histreg.transforms.bspline import BSpline
from napari_histreg.transforms.formats.conventions import TransformDialect, from_matrix, to_matrix
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.formats.reading import read_text
from napari_histreg.transforms.transform import Sequence, Transform

WORD = re.compile(r'"([^"]*)"|(\S+)')
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
        values = _parse(following)
        # The initial transform is applied first.
        chain.insert(0, _transform(following, values, dialect, fixed, moving))
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


def _parse(path: Path) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for line in read_text(path).splitlines():
        told = line.split("//")[0].strip()
        if told.startswith("(") and told.endswith(")"):
            key, *rest = told[1:-1].split(None, 1)[:2] or [""]
            values[key] = [quoted or plain for quoted, plain in WORD.findall(rest[0] if rest else "")]
    if "Transform" not in values:
        raise DamagedFile(f'{path} is no elastix parameter file: it has no line (Transform "…").')
    if not values["Transform"]:
        raise DamagedFile(f"{path} does not say which transform it holds.")
    return values


def _initial(path: Path, values: dict[str, list[str]]) -> Path | None:
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


def _numbers(path: Path, values: dict[str, list[str]], key: str, count: int | None = None) -> FloatArray:
    try:
        numbers = np.array([float(word) for word in values[key]])
    except (KeyError, ValueError) as error:
        raise DamagedFile(f"{path}: the line ({key} …) is missing or holds no numbers.") from error
    if (count is not None and len(numbers) != count) or not np.isfinite(numbers).all():
        raise DamagedFile(
            f"{path}: the line ({key} …) should hold {count} finite numbers, not {len(numbers)}."
        )
    return numbers


def _transform(
    path: Path,
    values: dict[str, list[str]],
    dialect: TransformDialect,
    fixed: SlideFrame | None,
    moving: SlideFrame | None,
) -> Transform:
    kind = values["Transform"][0]
    if kind == "BSplineTransform" and values.get("BSplineTransformSplineOrder", ["3"])[0] == "3":
        size = _numbers(path, values, "GridSize", 2)
        if any(side != int(side) or not 4 <= side <= 1e6 for side in size):
            raise DamagedFile(f"{path}: a control grid of {size[0]:g} x {size[1]:g} points is impossible.")
        (ox, oy), (sx, sy) = (_numbers(path, values, key, 2) for key in ("GridOrigin", "GridSpacing"))
        numbers = _numbers(path, values, "TransformParameters", int(2 * size.prod()))
        try:
            return BSpline.from_itk(
                numbers, size_xy=(int(size[0]), int(size[1])), origin_xy=(ox, oy), spacing_xy=(sx, sy)
            )
        except ValueError as error:
            raise DamagedFile(f"{path} holds a control grid that cannot be used: {error}") from error
    counts = {"TranslationTransform": 2, "EulerTransform": 3, "SimilarityTransform": 4, "AffineTransform": 6}
    if kind not in counts:
        raise UnsupportedDialect(
            f"{path}: elastix's {kind} cannot be used; {', '.join(counts)} can, and BSplineTransform."
        )
    numbers = _numbers(path, values, "TransformParameters", counts[kind])
    linear, shift = np.eye(2), numbers[-2:]
    if kind in ("EulerTransform", "SimilarityTransform"):
        angle = numbers[-3]
        linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = linear * (numbers[0] if kind == "SimilarityTransform" else 1.0)
    elif kind == "AffineTransform":
        linear = numbers[:4].reshape(2, 2)
    centre = (
        np.zeros(2) if kind == "TranslationTransform" else _numbers(path, values, "CenterOfRotationPoint", 2)
    )
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, centre + shift - linear @ centre
    return from_matrix(matrix, dialect, fixed, moving)
