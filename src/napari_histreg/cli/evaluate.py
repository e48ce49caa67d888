"""``histreg evaluate``: how far landmarks are off."""

import json
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["evaluate"]


def evaluate(
    registration: Annotated[
        Path, typer.Argument(metavar="REGISTRATION.json", help="Made by histreg register.")
    ],
    landmarks: Annotated[
        Path, typer.Argument(metavar="LANDMARKS.csv", help="Pairs that show the same places.")
    ],
    moving_landmarks: Annotated[
        Path | None,
        typer.Option("--moving-landmarks", help="The moving side, where each side has its own file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure the target registration error of a registration on landmarks."""
    from napari_histreg.landmarks import read_landmarks
    from napari_histreg.quality.target_error import target_error
    from napari_histreg.registration.document import read_registration

    record = read_registration(registration)
    pairs = read_landmarks(
        landmarks,
        moving_path=moving_landmarks,
        fixed_pixel_size=record.fixed.world_pixel_size,
        moving_pixel_size=record.moving.world_pixel_size,
    )
    found = target_error(
        pairs, record.fixed_to_moving, shape=record.fixed.shape, pixel_size_um=record.fixed.pixel_size_um
    )
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1))
        return
    if record.verdict == "refused":
        typer.echo("This registration was refused; what follows is the error of its best guess.", err=True)
    typer.echo(found.table())
