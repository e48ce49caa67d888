"""The record that a verb for pairs works on: a registration.json, or two slides of a group.json."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from napari_histreg.records.record import Registration

__all__ = ["PairOption", "pair_record"]

PairOption = Annotated[
    str | None,
    typer.Option("--pair", metavar="FIXED,MOVING", help="Of a group.json: which two of its slides."),
]


def pair_record(path: Path, pair: str | None) -> "Registration":
    """Read a registration, or see two slides of a group as one.

    Parameters
    ----------
    path : Path
        A registration.json or a group.json, or the folder of one.
    pair : str or None
        The slides of a group, by name or place, with a comma between.

    Raises
    ------
    typer.BadParameter
        A group is given and no pair, or a pair and no group.
    """
    from napari_histreg.groups.document import is_group, read_group
    from napari_histreg.records.document import read_registration

    if not is_group(path):
        if pair is not None:
            raise typer.BadParameter(f"{path} is no group.json, so it has one pair only", param_hint="--pair")
        return read_registration(path)
    group = read_group(path)
    listed = ", ".join(group.names)
    if pair is None:
        raise typer.BadParameter(
            f"{path} is a group: say which two slides, as in --pair FIXED,MOVING; it has {listed}",
            param_hint="--pair",
        )
    for place in (k for k, letter in enumerate(pair) if letter == ","):
        ends = pair[:place].strip(), pair[place + 1 :].strip()
        try:
            return group.pair(*ends)
        except ValueError:
            # A name may have a comma of its own.
            continue
    raise typer.BadParameter(f"{pair!r} is not two of {listed}", param_hint="--pair")
