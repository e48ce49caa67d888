"""The table of transform kinds, and how JSON values become a transform again."""

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from napari_histreg.errors import TransformError, UnsupportedDialect
from napari_histreg.transforms.transform import Transform

__all__ = ["KINDS", "transform_from_dict"]

MOST_STEPS = 100
ROOM = "napari_histreg.transforms"

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "translation": f"{ROOM}.similarity:Translation",
        "rigid": f"{ROOM}.similarity:Rigid",
        "similarity": f"{ROOM}.similarity:Similarity",
        "affine": f"{ROOM}.matrix:Affine",
        "projective": f"{ROOM}.matrix:Projective",
        "sequence": f"{ROOM}.transform:Sequence",
        "bijection": f"{ROOM}.bijection:Bijection",
        "displacement": f"{ROOM}.displacement:DisplacementField",
        "bspline": f"{ROOM}.bspline:BSpline",
        "inverse_deformation": f"{ROOM}.deformation:InverseDeformation",
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
    steps = values.get("steps")
    if isinstance(steps, list | tuple) and len(steps) > MOST_STEPS:
        raise TransformError(f"A {kind} of {len(steps)} steps cannot be read; {MOST_STEPS} can.")
    module, name = KINDS[kind].split(":")
    try:
        parts = {key: _rebuilt(value) for key, value in values.items()}
        made: Transform = getattr(importlib.import_module(module), name).from_dict(parts)
    except KeyError as error:
        raise TransformError(f"A {kind} transform needs the value {error}, which is missing.") from error
    except (TypeError, ValueError) as error:
        raise TransformError(f"These values make no {kind} transform: {error}") from error
    return made


def _rebuilt(value: Any) -> Any:
    """Return a transform for the values of one, several for a list of such, anything else as it is."""
    if isinstance(value, Mapping) and "kind" in value:
        return transform_from_dict(value)
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return [transform_from_dict(item) for item in value]
    return value
