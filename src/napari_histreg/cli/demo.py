"""``histreg demo``: the built-in pair from end to end."""

from pathlib import Path
from typing import Annotated

import typer

from napari_histreg.cli.ending import REFUSED
from napari_histreg.cli.progress_bar import progress_bar

__all__ = ["demo"]


def demo(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for slides and results.")
    ] = Path("demo"),
) -> None:
    """Align the built-in pair of real tissue and compare with the truth."""
    from napari_histreg.quality.target_error import target_error
    from napari_histreg.registration import register
    from napari_histreg.registration.folder import write_folder
    from napari_histreg.registration.summary import summary
    from napari_histreg.samples import demo_pair
    from napari_histreg.slides import open_slide

    output.mkdir(parents=True, exist_ok=True)
    pair = demo_pair(output)
    typer.echo(f"Fixed:  {pair.fixed}   immunohistochemistry, brightfield")
    typer.echo(f"Moving: {pair.moving}   as fluorescence: turned, mirrored, other pixel size")
    with open_slide(pair.fixed) as fixed, open_slide(pair.moving) as moving:
        with progress_bar("Aligning") as progress:
            result = register(fixed, moving, progress=progress)
        written = write_folder(result, output, fixed, moving)
        error = target_error(
            pair.landmarks(), result.fixed_to_moving, shape=fixed.shape, pixel_size_um=fixed.pixel_size_um
        )
    typer.echo(summary(result))
    typer.echo(
        f"  true error: median {error.median_px:.2f} px = {error.median_um:.2f} µm, "
        f"worst {error.max_px:.2f} px"
    )
    typer.echo("\n".join(f"  wrote {path}" for path in written))
    if result.verdict == "refused":
        raise typer.Exit(REFUSED)
