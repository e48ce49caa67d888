"""elastix's parameters: their text as a map of names to values, and a map as the transform that it says."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from napari_histreg.errors import DamagedFile, UnsupportedDialect
from napari_histreg.geometry import SWAP, FloatArray
from napari_histreg.transforms.bspline import BSpline
from napari_histreg.transforms.formats.reading import read_text
from napari_histreg.transforms.matrix import Affine, MatrixTransform
from napari_histreg.transforms.similarity import Rigid, Similarity, Translation

__all__ = ["ElastixStep", "Values", "read_parameters", "step_of"]

Values = Mapping[str, Sequence[str]]
"""Names to values, all as text: elastix's own form."""

ElastixStep = MatrixTransform | BSpline

VALUE = re.compile(r'"([^"]*)"|(\S+)')
COUNTS = {"TranslationTransform": 2, "EulerTransform": 3, "SimilarityTransform": 4, "AffineTransform": 6}
SHORTEST_GRID, LONGEST_GRID = 4, 1e6


def read_parameters(path: Path) -> dict[str, tuple[str, ...]]:
    r"""Read elastix's text: one ``(Name value value …)`` a line, ``//`` for remarks.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to tuple of str

    Raises
    ------
    DamagedFile
        The file is missing, no text, has a line of another form, or does not say which transform it is about.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "map.txt"
    ...     _ = path.write_text('// mine\n(Transform "AffineTransform")\n(NumberOfResolutions 2)\n')
    ...     read_parameters(path)
    {'Transform': ('AffineTransform',), 'NumberOfResolutions': ('2',)}
    """
    values: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        told = line.split("//")[0].strip()
        if not told:
            continue
        name, *rest = told[1:-1].split(None, 1) or [""]
        if not (told.startswith("(") and told.endswith(")") and name):
            raise DamagedFile(
                f"{path} is no elastix parameter file: line {number} is not of the form (Name value): "
                f"{told[:60]}."
            )
        values[name] = tuple(quoted or plain for quoted, plain in VALUE.findall(rest[0] if rest else ""))
    if not values.get("Transform"):
        raise DamagedFile(f'{path} is no elastix parameter file: it has no line (Transform "…").')
    return values


def step_of(values: Values, source: str) -> ElastixStep:
    """Give the transform that one map says.

    elastix's coordinates are (x, y), ours (y, x). Its transforms lead from fixed points
    to moving ones, as ours.

    Parameters
    ----------
    values : mapping of str to sequence of str
        With ``Transform`` and what that kind needs.
    source : str
        Where the map comes from, to begin an error with.

    Returns
    -------
    Translation, Rigid, Similarity, Affine or BSpline
        Fixed to moving, in the world units that elastix saw.

    Raises
    ------
    DamagedFile
        Numbers are missing, not finite, or contradict one another.
    UnsupportedDialect
        The kind is not known here.

    Examples
    --------
    >>> step_of({"Transform": ["TranslationTransform"], "TransformParameters": ["3", "-1"]}, "This map")
    Translation(shift=(-1, 3))
    """
    kind = values["Transform"][0]
    if kind == "BSplineTransform" and values.get("BSplineTransformSplineOrder", ["3"])[0] == "3":
        return _bspline(values, source)
    if kind not in COUNTS:
        raise UnsupportedDialect(
            f"{source}: elastix's {kind} cannot be used; {', '.join(COUNTS)} can, "
            "and BSplineTransform of order 3."
        )
    numbers = _numbers(values, "TransformParameters", source, COUNTS[kind])
    if kind == "TranslationTransform":
        return Translation.of(numbers[::-1])
    centre = _numbers(values, "CenterOfRotationPoint", source, 2)
    if kind == "EulerTransform":
        return Rigid(_about(centre, _turn(numbers[0]), numbers[1:]))
    if kind == "SimilarityTransform":
        return Similarity(_about(centre, numbers[0] * _turn(numbers[1]), numbers[2:]))
    return Affine(_about(centre, numbers[:4].reshape(2, 2), numbers[4:]))


def _bspline(values: Values, source: str) -> BSpline:
    columns, rows = _numbers(values, "GridSize", source, 2)
    if any(side != int(side) or not SHORTEST_GRID <= side <= LONGEST_GRID for side in (columns, rows)):
        raise DamagedFile(f"{source}: a control grid of {columns:g} x {rows:g} points is impossible.")
    (ox, oy), (sx, sy) = (_numbers(values, key, source, 2) for key in ("GridOrigin", "GridSpacing"))
    numbers = _numbers(values, "TransformParameters", source, int(2 * columns * rows))
    try:
        return BSpline.from_itk(
            numbers, size_xy=(int(columns), int(rows)), origin_xy=(ox, oy), spacing_xy=(sx, sy)
        )
    except ValueError as error:
        raise DamagedFile(f"{source} holds a control grid that cannot be used: {error}") from error


def _numbers(values: Values, key: str, source: str, count: int) -> FloatArray:
    try:
        numbers = np.array([float(word) for word in values[key]])
    except (KeyError, ValueError) as error:
        raise DamagedFile(f"{source}: the line ({key} …) is missing or holds no numbers.") from error
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise DamagedFile(
            f"{source}: the line ({key} …) should hold {count} finite numbers, not {len(numbers)}."
        )
    return numbers


def _turn(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def _about(centre_xy: FloatArray, linear_xy: FloatArray, shift_xy: FloatArray) -> FloatArray:
    """Give the (y, x, 1) matrix of ``linear (p - c) + c + shift``."""
    matrix = np.eye(3)
    matrix[:2, :2] = linear_xy
    matrix[:2, 2] = centre_xy + shift_xy - linear_xy @ centre_xy
    return np.asarray(SWAP @ matrix @ SWAP)
