"""elastix's transform parameters as our transforms."""

from collections.abc import Mapping, Sequence

import numpy as np

from napari_histreg.errors import RegistrationError
from napari_histreg.geometry import SWAP, FloatArray
from napari_histreg.transforms import Affine, Rigid, Similarity, Transform, Translation
from napari_histreg.transforms.bspline import BSpline

__all__ = ["read_maps"]

KNOWN = "TranslationTransform, EulerTransform, SimilarityTransform, AffineTransform, BSplineTransform"

Found = Mapping[str, Sequence[str]]


def read_maps(maps: Sequence[Found]) -> Transform:
    """Chain elastix's transform parameter maps.

    elastix's coordinates are (x, y); ours (y, x). Its transforms map fixed points to moving points, as
    ours do.

    Parameters
    ----------
    maps : sequence of mappings of str to sequence of str
        In the order in which they apply to a fixed point.

    Returns
    -------
    Transform
        Fixed to moving, in the world units of the images that elastix saw.

    Raises
    ------
    RegistrationError
        One of them is of a kind that is not known here.

    Examples
    --------
    >>> shift = {"Transform": ["TranslationTransform"], "TransformParameters": ["3", "-1"]}
    >>> read_maps([shift])
    Translation(shift=(-1, 3))
    """
    if not maps:
        raise RegistrationError("elastix returned no transform.")
    found = _read(maps[0])
    for values in maps[1:]:
        found = found.then(_read(values))
    return found


def _read(values: Found) -> Transform:
    kind = values["Transform"][0]
    numbers = np.array(values["TransformParameters"], float)
    if kind == "TranslationTransform":
        return Translation.of(numbers[::-1])
    if kind == "EulerTransform":
        return Rigid(_about(_turn(numbers[0]), numbers[1:], values))
    if kind == "SimilarityTransform":
        return Similarity(_about(numbers[0] * _turn(numbers[1]), numbers[2:], values))
    if kind == "AffineTransform":
        return Affine(_about(numbers[:4].reshape(2, 2), numbers[4:], values))
    if kind == "BSplineTransform" and values.get("BSplineTransformSplineOrder", ["3"])[0] == "3":
        size, origin, spacing = (
            np.array(values[key], float) for key in ("GridSize", "GridOrigin", "GridSpacing")
        )
        return BSpline.from_itk(
            numbers,
            size_xy=(int(size[0]), int(size[1])),
            origin_xy=(float(origin[0]), float(origin[1])),
            spacing_xy=(float(spacing[0]), float(spacing[1])),
        )
    raise RegistrationError(
        f"elastix's {kind} cannot be read back. Use one of these in the parameter file: {KNOWN} (of order 3)."
    )


def _turn(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def _about(linear_xy: FloatArray, shift_xy: FloatArray, values: Found) -> FloatArray:
    """Give the (y, x, 1) matrix of ``linear (p - c) + c + shift``."""
    centre = np.array(values["CenterOfRotationPoint"], float)
    matrix = np.eye(3)
    matrix[:2, :2] = linear_xy
    matrix[:2, 2] = centre + shift_xy - linear_xy @ centre
    return np.asarray(SWAP @ matrix @ SWAP)
