"""``histreg demo``: the built-in pair from end to end."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_histreg.cli.ending import REFUSED
from napari_histreg.cli.progress_bar import progress_bar

if TYPE_CHECKING:
    from napari_histreg.samples import DemoPair

__all__ = ["demo"]


def demo(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for slides and results.")
    ] = Path("demo"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace other files of the same names in DIR.")
    ] = False,
    gui: Annotated[bool, typer.Option("--gui", help="Open the pair in napari instead.")] = False,
) -> None:
    """Align the built-in pair of real tissue and compare with the truth."""
    from napari_histreg.samples import demo_pair

    if gui:
        _open_napari()
        return
    _prepare(output, overwrite)
    _align(demo_pair(output, overwrite=overwrite), output, overwrite)


def _prepare(output: Path, overwrite: bool) -> None:
    """Make the folder, and see to it that nothing of the user's is replaced."""
    from napari_histreg.errors import WriteError
    from napari_histreg.quality.report_files import report_paths
    from napari_histreg.registration.folder import check_folder

    check_folder(output, overwrite=overwrite)
    if not overwrite:
        page, numbers = report_paths(output / "report.html")
        if page.exists() and not numbers.exists():
            raise WriteError(
                f"{page} was not made by the demo, and would be lost. Choose another folder, or pass "
                "--overwrite to replace it."
            )
    output.mkdir(parents=True, exist_ok=True)


def _align(pair: "DemoPair", output: Path, overwrite: bool) -> None:
    from napari_histreg.quality.report import write_report
    from napari_histreg.quality.target_error import target_error
    from napari_histreg.records.summary import summary
    from napari_histreg.registration import register
    from napari_histreg.registration.folder import write_folder
    from napari_histreg.slides import open_slide

    typer.echo(f"Fixed:  {pair.fixed}   immunohistochemistry, brightfield")
    typer.echo(f"Moving: {pair.moving}   as fluorescence: turned, mirrored, other pixel size")
    with open_slide(pair.fixed) as fixed, open_slide(pair.moving) as moving:
        with progress_bar("Aligning") as progress:
            result = register(fixed, moving, progress=progress)
        written = list(write_folder(result, output, fixed, moving, overwrite=overwrite))
        with progress_bar("Checking") as progress:
            written += write_report(
                result, output / "report.html", fixed, moving, landmarks=pair.landmarks(), progress=progress
            )
        error = target_error(
            pair.landmarks(), result.fixed_to_moving, shape=fixed.shape, pixel_size_um=fixed.pixel_size_um
        )
    typer.echo(summary(result))
    typer.echo(
        f"  true error: median {error.median_px:.2f} px = {error.median_um:.2f} µm, "
        f"worst {error.max_px:.2f} px"
    )
    typer.echo("\n".join(f"  wrote {path}" for path in sorted(written)))
    called = Path(sys.argv[0])
    us = "python -m napari_histreg" if called.name == "__main__.py" else called
    typer.echo(f"See it in napari: {us} demo --gui")
    if result.verdict == "refused":
        raise typer.Exit(REFUSED)


def _open_napari() -> None:
    """Open the window in a process of its own: the command line knows nothing of windows."""
    from napari_histreg.errors import MissingDependency
    from napari_histreg.optional import is_installed

    if not is_installed("napari"):
        raise MissingDependency('This needs napari. Install it with: pip install "napari-histreg[gui]"')
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "napari_histreg.plugin.contributions.demo"], check=False
    )
    if ended.returncode:
        raise typer.Exit(1)
