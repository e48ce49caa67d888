"""The option -p KEY=VALUE."""

import typer

__all__ = ["parsed"]


def parsed(items: list[str] | None) -> dict[str, str]:
    """Turn KEY=VALUE items into a dict; raises `typer.BadParameter` for anything else."""
    parameters = {}
    for item in items or []:
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise typer.BadParameter(f"{item!r} is not KEY=VALUE, as in -p iterations=200", param_hint="-p")
        parameters[key.strip()] = value.strip()
    return parameters
