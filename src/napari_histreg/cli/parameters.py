"""The option -p KEY=VALUE."""

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

import typer

__all__ = ["parsed"]


def parsed(items: list[str] | None, *, given_to: Callable[..., Any] | None = None) -> dict[str, str]:
    """Turn KEY=VALUE items into a dict.

    Parameters
    ----------
    items : list of str or None
        As typed.
    given_to : callable, optional
        What takes them beside its own arguments, whose names they may not have.

    Raises
    ------
    typer.BadParameter
        An item is no KEY=VALUE, or its key is an argument of `given_to`.
    """
    parameters = {}
    own = signature(given_to).parameters.values() if given_to is not None else ()
    taken = {one.name for one in own if one.kind is not Parameter.VAR_KEYWORD}
    for item in items or []:
        key, equals, value = item.partition("=")
        key = key.strip()
        if not equals or not key:
            raise typer.BadParameter(f"{item!r} is not KEY=VALUE, as in -p iterations=200", param_hint="-p")
        if key in taken:
            raise typer.BadParameter(
                f"{key!r} is no parameter of a method; what else can be chosen has an option of its own, "
                "which --help lists",
                param_hint="-p",
            )
        parameters[key] = value.strip()
    return parameters
