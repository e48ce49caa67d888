"""The parameters of a method as rows, for lists and forms."""

from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

__all__ = ["ParameterRow", "rows_of"]


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


def rows_of(model: type[BaseModel]) -> tuple[ParameterRow, ...]:
    """List the parameters of a method's class.

    Examples
    --------
    >>> from napari_histreg.methods.registry import method_class
    >>> rows_of(method_class("ecc"))[0].name
    'model'
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
