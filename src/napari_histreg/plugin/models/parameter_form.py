"""The parameters of a method as fields of a form, read off its pydantic model."""

import types
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

__all__ = ["FormField", "form_fields"]

Kind = Literal["switch", "whole", "real", "choice", "text", "folder"]

WIDEST = 2**31 - 1
"""Largest whole number that a spin box holds."""


@dataclass(frozen=True)
class FormField:
    """One line of a form.

    Parameters
    ----------
    name : str
        Of the parameter.
    title : str
        What stands before it.
    tip : str
        What it means, within which bounds, and what it is by default.
    kind : {"switch", "whole", "real", "choice", "text", "folder"}
        What it takes: yes or no, an int, a float, one of a few values, a text, the name of a folder.
    default : object
        None where the parameter may be left out.
    optional : bool
        Whether it may be left out (None).
    choices : tuple
        The values of a "choice".
    minimum, maximum : float
        Bounds of numbers, both allowed.
    step : float
        By which a number changes.
    decimals : int
        After the point.
    advanced : bool
        Whether few people need it.
    """

    name: str
    title: str
    tip: str
    kind: Kind
    default: Any
    optional: bool = False
    choices: tuple[Any, ...] = ()
    minimum: float = -WIDEST
    maximum: float = WIDEST
    step: float = 1.0
    decimals: int = 0
    advanced: bool = False


def form_fields(model: type[BaseModel]) -> tuple[FormField, ...]:
    """Read the fields of a form off a parameter model.

    Parameters
    ----------
    model : type
        Its fields are bool, int, float, str or Literal, each perhaps or None; others are left out, they
        keep their default.

    Returns
    -------
    tuple of FormField

    Examples
    --------
    >>> from pydantic import Field
    >>> class Blur(BaseModel):
    ...     radius_px: float = Field(1.5, title="Radius", description="Of the Gaussian.", ge=0, le=10)
    >>> field = form_fields(Blur)[0]
    >>> field.kind, field.minimum, field.maximum, field.decimals
    ('real', 0.0, 10.0, 2)
    >>> field.tip
    'Of the Gaussian. From 0 to 10; 1.5 by default.'
    """
    fields = (_field(name, info) for name, info in model.model_fields.items())
    return tuple(field for field in fields if field is not None)


def _field(name: str, info: FieldInfo) -> FormField | None:
    kind, choices, optional = _kind(info.annotation)
    if kind is None or info.is_required():
        return None
    extra = info.json_schema_extra
    if kind == "text" and isinstance(extra, dict) and extra.get("format") == "directory-path":
        kind = "folder"
    default = info.get_default(call_default_factory=True, validated_data={})
    low, high = _bounds(info, kind)
    step, decimals = _step(kind, default, low, high)
    return FormField(
        name=name,
        title=info.title or name.replace("_", " ").capitalize(),
        tip=_tip(info, default, low, high, optional),
        kind=kind,
        default=default,
        optional=optional,
        choices=choices,
        minimum=low if low is not None else -WIDEST,
        maximum=high if high is not None else WIDEST,
        step=step,
        decimals=decimals,
        advanced=bool(isinstance(info.json_schema_extra, dict) and info.json_schema_extra.get("advanced")),
    )


def _kind(annotation: Any) -> tuple[Kind | None, tuple[Any, ...], bool]:
    """Return the kind, the choices, and whether None is allowed."""
    optional = False
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [part for part in get_args(annotation) if part is not type(None)]
        optional = len(parts) < len(get_args(annotation))
        if len(parts) != 1:
            return None, (), optional
        annotation = parts[0]
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation), optional
    kinds: dict[Any, Kind] = {bool: "switch", int: "whole", float: "real", str: "text"}
    return kinds.get(annotation), (), optional


def _bounds(info: FieldInfo, kind: Kind) -> tuple[float | None, float | None]:
    low = high = None
    for constraint in info.metadata:
        low = next((float(v) for k in ("ge", "gt") if (v := getattr(constraint, k, None)) is not None), low)
        high = next((float(v) for k in ("le", "lt") if (v := getattr(constraint, k, None)) is not None), high)
        if kind == "whole":
            low = float(constraint.gt) + 1 if getattr(constraint, "gt", None) is not None else low
            high = float(constraint.lt) - 1 if getattr(constraint, "lt", None) is not None else high
    return low, high


def _step(kind: Kind, default: Any, low: float | None, high: float | None) -> tuple[float, int]:
    if kind != "real":
        return 1.0, 0
    size = (
        abs(float(default)) if default else ((high - low) / 20 if low is not None and high is not None else 1)
    )
    decimals, step = 2, 0.1
    while step > size and decimals < 9:
        decimals, step = decimals + 1, step / 10
    return (1.0 if size >= 10 else step), decimals


def _tip(info: FieldInfo, default: Any, low: float | None, high: float | None, optional: bool) -> str:
    parts = []
    if low is not None and high is not None:
        parts.append(f"From {low:g} to {high:g}")
    elif low is not None:
        parts.append(f"At least {low:g}")
    elif high is not None:
        parts.append(f"At most {high:g}")
    word = "the method chooses" if default is None and optional else default
    word = {True: "on", False: "off"}.get(word, word) if isinstance(word, bool) else word
    parts.append(f"{word} by default")
    said = (info.description or "").strip()
    said = said if not said or said.endswith(".") else said + "."
    bounds = "; ".join(parts)
    return f"{said} {bounds[0].upper()}{bounds[1:]}.".strip()
