"""What the verbs for pairs do with a group.json."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from napari_histreg.cli.progress_bar import progress_bar
from napari_histreg.errors import WriteError
from napari_histreg.progress import portion

if TYPE_CHECKING:
    from napari_histreg.groups import GroupRegistration
    from napari_histreg.slides import Slide
    from napari_histreg.warping import Output

__all__ = ["convert_group", "fuse_group", "only_for_pairs", "opened_members", "report_group", "warp_group"]


def only_for_pairs(record: Path, options: dict[str, Any]) -> None:
    """Refuse options that say nothing about a group, rather than leave them unheard."""
    for option, given in options.items():
        if given:
            raise typer.BadParameter(
                f"{record} is a group, and this is for two slides: take --pair, where the command has it, or "
                "the registration.json of a pair in its folder",
                param_hint=option,
            )


def opened_members(
    group: "GroupRegistration", chosen: list[int], where: Path | None, record: Path, opened: ExitStack
) -> "dict[int, Slide]":
    """Open slides of a group again, to be closed with the stack; nothing replaces them meanwhile."""
    from napari_histreg.files import claimed
    from napari_histreg.groups.sources import reopen_member
    from napari_histreg.slides.address import as_file

    folder = record if record.is_dir() else record.parent
    folders = [folder] if where is None else [where, folder]
    opened.enter_context(claimed(record / "group.json" if record.is_dir() else record))
    opened.enter_context(claimed(*(as_file(group.members[k].slide.path) for k in chosen)))
    return {k: opened.enter_context(reopen_member(group, k, folders)) for k in chosen}


def warp_group(
    record: Path,
    output: Path,
    wanted: "Output",
    *,
    compression: str | None,
    only: list[str] | None,
    where: Path | None,
) -> None:
    """Write the slides of a group in its frame: merged into one file, or one file each into a folder."""
    from napari_histreg.groups.document import read_group
    from napari_histreg.groups.warped import merged_group, slide_in_frame, stems
    from napari_histreg.slides import write_slide

    group = read_group(record)
    chosen = sorted({group.index(name) for name in only}) if only else list(group.placed)
    for k in chosen:
        group.frame_to(k)
    one_file = output.name.lower().endswith((".tif", ".tiff", ".zarr"))
    if not one_file and wanted.merge:
        raise typer.BadParameter(
            f"{output} is no .ome.tif or .ome.zarr, and --merge writes one", param_hint="-o"
        )
    if one_file and not wanted.merge and len(chosen) > 1:
        raise typer.BadParameter(
            f"{len(chosen)} slides do not go into {output.name} one by one: pass --merge to put all their "
            "channels into it, --slide NAME for one of them, or a folder for a file each",
            param_hint="-o",
        )
    with ExitStack() as opened, progress_bar("Warping") as progress:
        slides = opened_members(group, chosen, where, record, opened)
        if wanted.merge:
            write_slide(
                merged_group(group, slides, wanted), output, compression=compression, progress=progress
            )
            typer.echo(f"Wrote {output}: {len(chosen)} slides")
            return
        names = dict(zip(chosen, stems([group.names[k] for k in chosen]), strict=True))
        if not one_file:
            make_folder(output)
        for number, k in enumerate(chosen):
            path = output if one_file else output / f"{names[k]}.ome.tif"
            part = portion(progress, number / len(chosen), (number + 1) / len(chosen))
            write_slide(
                slide_in_frame(group, k, slides[k], wanted), path, compression=compression, progress=part
            )
            typer.echo(f"Wrote {path}")


def report_group(record: Path, output: Path, *, where: Path | None) -> None:
    """Write the page about a group."""
    from napari_histreg.groups.document import read_group
    from napari_histreg.groups.report import write_group_report

    group = read_group(record)
    with ExitStack() as opened, progress_bar("Looking") as progress:
        slides = opened_members(group, list(group.placed), where, record, opened)
        written = write_group_report(group, output, slides, progress=progress)
    typer.echo("\n".join(f"Wrote {path}" for path in written))


def fuse_group(
    record: Path, output: Path, rule: str, parameters: dict[str, Any], *, where: Path | None
) -> None:
    """Merge all slides of a group into one picture."""
    from napari_histreg.fusion import fuse_slides
    from napari_histreg.groups.document import read_group
    from napari_histreg.groups.warped import slide_in_frame
    from napari_histreg.slides import write_slide

    group = read_group(record)
    with ExitStack() as opened, progress_bar("Fusing") as progress:
        slides = opened_members(group, list(group.placed), where, record, opened)
        warped = [slide_in_frame(group, k, slide) for k, slide in slides.items()]
        write_slide(fuse_slides(warped, rule, **parameters), output, progress=progress)
    typer.echo(f"Wrote {output}: {len(slides)} slides")


def convert_group(record: Path, output: Path, dialect: str) -> None:
    """Write where each slide of a group lies as a file of another tool, frame to slide, into a folder."""
    from napari_histreg.files import claimed
    from napari_histreg.groups.document import read_group
    from napari_histreg.groups.warped import stems
    from napari_histreg.transforms.formats import DIALECTS, SlideFrame, write_transform

    if dialect not in DIALECTS:
        raise typer.BadParameter(f"{dialect!r} is none of {', '.join(DIALECTS)}", param_hint="--to")
    group = read_group(record)

    def frame(k: int) -> SlideFrame:
        slide = group.members[k].slide
        return SlideFrame(pixel_size_um=slide.pixel_size_um, shape=slide.shape, name=slide.name)

    make_folder(output)
    names = dict(zip(group.placed, stems([group.names[k] for k in group.placed]), strict=True))
    with claimed(record / "group.json" if record.is_dir() else record):
        for k, name in names.items():
            path = output / f"{name}{DIALECTS[dialect].suffixes[0]}"
            write_transform(group.frame_to(k), path, dialect, fixed=frame(group.template), moving=frame(k))
            typer.echo(f"Wrote {path}")


def make_folder(folder: Path) -> None:
    """Make a folder for several files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder} cannot be made: {error.strerror}.") from error
