"""Help that shows a value behind an option only where one is to be given."""

from typing import Any

from typer.core import TyperCommand, TyperGroup

__all__ = ["Group", "Verb"]


class _BareFlags:
    """Shows ``--json``, not ``--json <bool>``: nothing is written behind a flag."""

    def get_params(self, ctx: Any) -> Any:
        """Return arguments and options, ``--help`` among them."""
        params: Any = super().get_params(ctx)  # type: ignore[misc]  # of the command that it is mixed into
        for param in params:
            if getattr(param, "is_flag", False):
                param.metavar = ""
        return params


class Verb(_BareFlags, TyperCommand):
    """A verb of the command line."""


class Group(_BareFlags, TyperGroup):
    """The command line itself."""
