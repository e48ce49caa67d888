"""All ways of aligning that a user can name: the methods, and the two recipes made of them."""

from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from napari_histreg.methods.registry import METHODS
from napari_histreg.methods.spec import MethodSpec, row_named

__all__ = ["RECIPES", "ParameterRow", "list_methods", "method_spec", "parameter_rows", "rows_of"]

RECIPES = (
    MethodSpec(
        name="auto",
        title="Automatic",
        summary="One button: any stain, rotation, mirror and scale, with an honest verdict.",
        target="napari_histreg.registration.automatic.automatic:Automatic",
        kinds=("affine", "displacement"),
        multimodal=True,
    ),
    MethodSpec(
        name="landmarks",
        title="Landmarks",
        summary="Fits point pairs that a person has placed.",
        target="napari_histreg.registration.by_landmarks:ByLandmarks",
        kinds=("translation", "rigid", "similarity", "affine", "projective", "thin_plate"),
        multimodal=True,
    ),
    MethodSpec(
        name="learned",
        title="Learned",
        summary="Bends by a network that was trained on slides like these, where blocks prefer it to "
        "the classical bend.",
        target="napari_histreg.learning.learned:Learned",
        kinds=("affine", "displacement"),
        multimodal=True,
        nonrigid=True,
        doi=("10.1109/TMI.2019.2897538", "10.1109/ICCV.2019.01070"),
    ),
)


def list_methods() -> tuple[MethodSpec, ...]:
    """Return all ways of aligning, the recipes first.

    Examples
    --------
    >>> list_methods()[0].name
    'auto'
    """
    return RECIPES + tuple(METHODS)


def method_spec(name: str) -> MethodSpec:
    """Find a way of aligning by its name.

    Raises
    ------
    ValueError
        There is none of that name; the message lists all.
    """
    return row_named(list_methods(), name)


@dataclass(frozen=True)
class ParameterRow:
    """One parameter of a method, for lists and forms.

    Parameters
    ----------
    name, title, description : str
        The keyword, its label and its meaning.
    default : object
        Plain JSON value.
    choices : tuple of str
        What may be given, where it is one of a few words.
    bounds : str
        What numbers may be given, such as "1 to 500"; empty where nothing is said.
    """

    name: str
    title: str
    description: str
    default: Any
    choices: tuple[str, ...]
    bounds: str


def parameter_rows(name: str) -> tuple[ParameterRow, ...]:
    """List the parameters of a way of aligning.

    Raises
    ------
    ValueError
        There is none of that name.
    MissingDependency
        A package it needs is not installed.

    Examples
    --------
    >>> [row.name for row in parameter_rows("landmarks")]
    ['model']
    """
    return rows_of(method_spec(name).load())


def rows_of(model: type[BaseModel]) -> tuple[ParameterRow, ...]:
    """List the parameters of a method's class.

    Examples
    --------
    >>> from napari_histreg.methods.registry import method_class
    >>> "max_side_px" in [row.name for row in rows_of(method_class("ecc"))]
    True
    """
    properties = model.model_json_schema()["properties"] if model.model_fields else {}
    rows = []
    for key, field in model.model_fields.items():
        schema = properties.get(key, {})
        rows.append(
            ParameterRow(
                name=key,
                title=field.title or key,
                description=field.description or "",
                default=field.get_default(call_default_factory=True, validated_data={}),
                choices=tuple(
                    str(choice) for choice in get_args(field.annotation) if isinstance(choice, str)
                ),
                bounds=_bounds(schema),
            )
        )
    return tuple(rows)


def _bounds(schema: dict[str, Any]) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None and high is None:
        return ""
    if high is None:
        return f"from {low}"
    return f"up to {high}" if low is None else f"{low} to {high}"
