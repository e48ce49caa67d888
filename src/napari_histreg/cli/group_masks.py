"""What ``histreg group --evaluate`` adds: masks carried along, a table and the report."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from napari_histreg.cli.progress_bar import progress_bar

if TYPE_CHECKING:
    from napari_histreg.groups import GroupRegistration
    from napari_histreg.groups.evaluation import GroupEvaluation
    from napari_histreg.groups.sources import Source
    from napari_histreg.slides import Slide

__all__ = ["evaluate_masks", "opened_masks"]


def opened_masks(
    folder: Path, sources: "Sequence[Source]", slides: "Sequence[Slide]", output: Path, opened: ExitStack
) -> "list[Slide]":
    """Open the mask of each slide, to be closed with the stack, before anything is aligned in vain.

    Raises
    ------
    ReadError
        A slide has no mask, several, or one of another size.
    """
    from napari_histreg.errors import ReadError
    from napari_histreg.files import check_outputs, claimed
    from napari_histreg.groups.masks import match_masks
    from napari_histreg.slides import open_slide

    files = match_masks([slide.name for slide in slides], folder, [source.path for source in sources])
    if output.is_dir():
        check_outputs(*_outputs(output), inputs=tuple(files))
    opened.enter_context(claimed(*files))
    masks = [opened.enter_context(open_slide(file)) for file in files]
    for slide, mask in zip(slides, masks, strict=True):
        if mask.shape != slide.shape:
            raise ReadError(
                f"The mask {mask.name} is {mask.shape[1]} x {mask.shape[0]} px and {slide.name} is "
                f"{slide.shape[1]} x {slide.shape[0]} px. Give masks on the slides' own pixels."
            )
    return masks


def evaluate_masks(
    group: "GroupRegistration",
    slides: "Mapping[int, Slide]",
    masks: "Mapping[int, Slide]",
    output: Path,
) -> tuple[str, list[Path]]:
    """Evaluate a group by masks of its slides, by their places, and write the table and the report.

    Returns
    -------
    text : str
        What to say, in lines.
    written : list of Path
    """
    from napari_histreg.groups.evaluation import evaluate_group, write_evaluation
    from napari_histreg.groups.report import write_group_report

    table, page, _ = _outputs(output)
    with progress_bar("Evaluating") as progress:
        found = evaluate_group(group, slides, masks, progress=progress)
    write_evaluation(found, table)
    with progress_bar("Looking") as progress:
        written = write_group_report(group, page, slides, evaluation=found, masks=masks, progress=progress)
    return _told(found), [table, *written]


def _outputs(folder: Path) -> tuple[Path, Path, Path]:
    return folder / "evaluation.csv", folder / "report.html", folder / "report.json"


def _told(found: "GroupEvaluation") -> str:
    if not found.placed:
        return "  no slide was placed, so that no mask could be carried along"
    before, after = found.mean("before"), found.mean("after")
    names = (("Dice of the masks", "dice"), ("mean L1", "l1"), ("NCC", "ncc"), ("SSIM", "ssim"))
    each = "; ".join(f"{name} {before[key]:.3f} before, {after[key]:.3f} after" for name, key in names)
    shown = ", ".join(
        f"{word} {score.name} ({score.after['dice']:.3f})" for word, score in found.examples.items()
    )
    return f"  masks on {found.template}, mean of {len(found.placed)}: {each}\n  {shown}"
