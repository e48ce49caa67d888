"""The table of transform kinds, and how JSON values become a transform again."""

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from napari_histreg.errors import TransformError, UnsupportedDialect
from napari_histreg.transforms.transform import Transform

__all__ = ["KINDS", "transform_from_dict"]

ROOM = "napari_histreg.transforms"

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "translation": f"{ROOM}.similarity:Translation",
        "rigid": f"{ROOM}.similarity:Rigid",
        "similarity": f"{ROOM}.similarity:Similarity",
        "affine": f"{ROOM}.matrix:Affine",
        "projective": f"{ROOM}.matrix:Projective",
        "sequence": f"{ROOM}.sequence:Sequence",
        "bijection": f"{ROOM}.sequence:Bijection",
        "displacement": f"{ROOM}.displacement:DisplacementField",
        "bspline": f"{ROOM}.bspline:BSpline",
        "inverse_deformation": f"{ROOM}.inverse_deformation:InverseDeformation",
        "thin_plate": f"{ROOM}.thin_plate:ThinPlate",
        "inverse_thin_plate": f"{ROOM}.thin_plate:InverseThinPlate",
    }
)
"""Kind → "module:Class"; the module is imported when a transform of that kind is read."""


def transform_from_dict(values: Any) -> Transform:
    """Rebuild a transform from the plain values that `Transform.to_dict` gave.

    Parameters
    ----------
    values : mapping
        With the key "kind"; the other keys depend on it.

    Returns
    -------
    Transform

    Raises
    ------
    UnsupportedDialect
        The kind is not known.
    TransformError
        The values do not make a transform of that kind.

    Examples
    --------
    >>> transform_from_dict({"kind": "translation", "matrix": [[1, 0, 5], [0, 1, 6], [0, 0, 1]]})
    Translation(shift=(5, 6))
    """
    kind = values.get("kind") if isinstance(values, Mapping) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise UnsupportedDialect(
            f"There is no transform of kind {kind!r}. Those known are: {', '.join(KINDS)}."
        )
    module, name = KINDS[kind].split(":")
    try:
        made: Transform = getattr(importlib.import_module(module), name).from_dict(dict(values))
    except KeyError as error:
        raise TransformError(f"A {kind} transform needs the value {error}, which is missing.") from error
    except (TypeError, ValueError) as error:
        raise TransformError(f"These values make no {kind} transform: {error}") from error
    return made
