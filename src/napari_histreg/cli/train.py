"""``histreg train``: a model learned from a table of pairs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_histreg.cli.ending import REFUSED
from napari_histreg.cli.parameters import parsed
from napari_histreg.cli.progress_bar import progress_bar

__all__ = ["train"]


def train(
    pairs: Annotated[
        Path,
        typer.Argument(
            metavar="PAIRS.csv", help="A table of pairs: case,fixed,moving and, if known, specimen."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Folder for the model; a stopped run goes on."),
    ],
    network: Annotated[
        str | None, typer.Option(metavar="NAME", help="unet, pyramid, fcn, affine or stn.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(metavar="N", help="At most so many epochs.")] = None,
    folds: Annotated[
        int,
        typer.Option(metavar="K", min=0, max=20, help="Also train K models, each tried on unseen specimens."),
    ] = 0,
    minutes: Annotated[
        float | None, typer.Option(metavar="M", help="Begin no epoch after so many minutes.")
    ] = None,
    device: Annotated[str | None, typer.Option(metavar="NAME", help="cpu, cuda or mps.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Of all random draws.")] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "-p", metavar="KEY=VALUE", help="Another value of the recipe, such as cascade=2; repeatable."
        ),
    ] = None,
) -> None:
    """Train a network on pairs of your own, for the method learned, which bends slides like them."""
    from napari_histreg.learning.train import train as trained

    named = {"network": network, "epochs": epochs, "minutes": minutes, "device": device, "seed": seed}
    values: dict[str, Any] = dict(parsed(parameter)) | {k: v for k, v in named.items() if v is not None}
    recipe = _recipe(values)
    with progress_bar("Training") as progress:
        model = trained(pairs, output, recipe, folds=folds, progress=progress)
    figures = model.description.figures
    typer.echo(
        f"{output}: {len(model.description.training_set)} pairs learned; on unseen specimens "
        f"{figures['error before, px']:.2f} px become {figures['error after, px']:.2f} px, "
        f"{figures['folded, %']:.2g} % folded"
    )
    if not figures["error after, px"] < figures["error before, px"]:
        typer.echo("What was learned does not help: train longer, or on more specimens.", err=True)
        raise typer.Exit(REFUSED)


def _recipe(values: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    from napari_histreg.learning.recipe import Recipe

    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        known = f" Known are: {', '.join(Recipe.model_fields)}." if first["type"] == "extra_forbidden" else ""
        raise typer.BadParameter(f"{key}: {first['msg']}.{known}", param_hint="-p") from None
