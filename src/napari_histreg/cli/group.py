"""``histreg group``: many slides of one specimen in one frame."""

from collections.abc import Sequence
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from napari_histreg.cli.ending import REFUSED
from napari_histreg.cli.group_masks import evaluate_masks, opened_masks
from napari_histreg.cli.parameters import parsed
from napari_histreg.cli.progress_bar import progress_bar

if TYPE_CHECKING:
    from napari_histreg.groups import GroupRegistration
    from napari_histreg.landmarks import Landmarks
    from napari_histreg.slides import Slide

__all__ = ["group"]


class _Order(StrEnum):
    none = "none"
    names = "names"
    given = "given"


_ORDERS: dict[_Order, Literal["names", "given"] | None] = {
    _Order.none: None,
    _Order.names: "names",
    _Order.given: "given",
}


class _Model(StrEnum):
    affine = "affine"
    similarity = "similarity"
    rigid = "rigid"


def group(
    slides: Annotated[
        list[Path],
        typer.Argument(
            metavar="SLIDE …",
            help="Slides, a folder of them, or a .csv with the columns slide, name, pixel_size_um.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for group.json and the links.")
    ],
    order: Annotated[
        _Order,
        typer.Option(help="Serial sections in the order of their names (2 before 10), or as given."),
    ] = _Order.none,
    frame: Annotated[
        str,
        typer.Option(
            metavar="SLIDE",
            help="template (least to move), mean (the mean shape), rmse, ncc or mi (the slide most like all "
            "others by this measure), or a slide's name.",
        ),
    ] = "template",
    model: Annotated[_Model, typer.Option(help="How slides may differ from one another.")] = _Model.affine,
    keep_shape: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="Take the smooth trend over N sections out of their places: see docs/how-to/groups.md.",
        ),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", metavar="NAME", help="How pairs are aligned. See: histreg methods.")
    ] = "auto",
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="KEY=VALUE", help="A parameter of the method; repeatable."),
    ] = None,
    channel: Annotated[
        str | None, typer.Option(metavar="C", help="Channel to align by, in all slides that have it.")
    ] = None,
    landmarks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B=CSV",
            help="Pairs that you placed on slides A and B; they count for all. Repeatable.",
        ),
    ] = None,
    signal: Annotated[
        str | None,
        typer.Option(
            "--signal",
            metavar="NAME",
            help="What is looked at: nuclear, grey, vessels (what retinas are aligned by unless told) or "
            "frangi.",
        ),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            "--evaluate",
            metavar="FOLDER",
            help="Masks of the slides, such as vessels, called like them: carried along and compared.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print group.json.")] = False,
) -> None:
    """Align many slides to one frame; pairs that are done are kept, and used again by the next run."""
    from napari_histreg.files import claimed
    from napari_histreg.groups import register_group
    from napari_histreg.groups.document import to_json, write_group
    from napari_histreg.groups.recipe import natural_order
    from napari_histreg.groups.sources import find_sources
    from napari_histreg.slides import open_slide

    parameters: dict[str, Any] = dict(parsed(parameter, given_to=register_group))
    sources = find_sources(slides)
    with ExitStack() as opened:
        # Nothing that is written replaces a slide that is read.
        opened.enter_context(claimed(*(source.path for source in sources)))
        read = [
            opened.enter_context(open_slide(s.path, name=s.name, pixel_size_um=s.pixel_size_um))
            for s in sources
        ]
        pairs = _landmarks(landmarks or [], read)
        labels = None if masks is None else opened_masks(masks, sources, read, output, opened)
        with progress_bar("Aligning") as progress:
            result = register_group(
                read,
                order=_ORDERS[order],
                frame=frame,
                model=model.value,
                method=method,
                channel=channel,
                signal=signal,
                keep_shape=keep_shape,
                landmarks=pairs,
                folder=output,
                progress=progress,
                **parameters,
            )
        written = [write_group(result, output)]
        lines = [told(result)]
        if labels is not None:
            places = (
                natural_order([slide.name for slide in read]) if order is _Order.names else range(len(read))
            )
            text, files = evaluate_masks(
                result,
                {place: read[k] for place, k in enumerate(places)},
                {place: labels[k] for place, k in enumerate(places)},
                output,
            )
            lines.append(text)
            written += files
    typer.echo(to_json(result) if as_json else "\n".join(lines))
    typer.echo("\n".join(f"  wrote {path}" for path in written), err=as_json)
    if len(result.placed) < len(result):
        raise typer.Exit(REFUSED)


def _landmarks(given: list[str], slides: "Sequence[Slide]") -> "dict[tuple[int, int], Landmarks]":
    """Read tables of landmarks, each for two slides by their names: he.svs,ihc.svs=pairs.csv."""
    from napari_histreg.landmarks import read_landmarks

    names = [slide.name for slide in slides]
    found: dict[tuple[int, int], Landmarks] = {}
    for text in given:
        named, _, table = text.partition("=")
        ends = _two_of(names, named)
        if ends is None or not table:
            raise typer.BadParameter(
                f"{text!r} is not two slides and their table, as in he.svs,ihc.svs=pairs.csv; the slides: "
                f"{', '.join(names)}",
                param_hint="--landmarks",
            )
        if ends in found:
            raise typer.BadParameter(f"{named} have two tables; make one of them", param_hint="--landmarks")
        first, second = ends
        found[ends] = read_landmarks(
            table,
            fixed_pixel_size=slides[first].world_pixel_size,
            moving_pixel_size=slides[second].world_pixel_size,
        )
    return found


def _two_of(names: list[str], text: str) -> tuple[int, int] | None:
    """Find two slides by what stands before and behind a comma; a name may have one of its own."""
    from napari_histreg.groups.names import place_of

    for place in (k for k, letter in enumerate(text) if letter == ","):
        try:
            return place_of(names, text[:place].strip()), place_of(names, text[place + 1 :].strip())
        except ValueError:
            continue
    return None


def told(result: "GroupRegistration") -> str:
    """Say in a few lines how a group ended."""
    unit = "µm" if result.unit == "um" else "px"
    words = [member.verdict for member in result.members]
    links = result.links
    vessels = " by their vessels" if result.parameters.get("signal") in ("vessels", "frangi") else ""
    lines = [
        f"{len(result.placed)} of {len(result)} slides placed{vessels} "
        f"({', '.join(f'{words.count(word)} {word}' for word in ('accepted', 'doubtful', 'refused'))}), "
        f"frame of {result.names[result.template]}"
        f"{', at the mean shape' if result.frame == 'mean' else ''}"
    ]
    width = max(len(name) for name in result.names)
    for name, member in zip(result.names, result.members, strict=True):
        error = "" if member.error is None else f", {member.error:.3g} {unit} from its links"
        lines.append(f"  {name:<{width}}  {member.verdict}{error}")
        lines += [] if member.verdict == "accepted" else [f"    {reason}" for reason in member.reasons]
    against = [link for link in links if link.state == "contradicted"]
    used = sum(link.state == "used" for link in links)
    lines.append(
        f"  {len(links)} pairs aligned: {used} count, {sum(not link.counts for link in links)} were refused, "
        f"{len(against)} contradicted by loops"
    )
    lines += [f"    {result.names[link.fixed]} with {result.names[link.moving]}" for link in against]
    if result.loops:
        remainders = sorted(loop.remainder for loop in result.loops)
        lines.append(
            f"  {len(remainders)} loops end {remainders[len(remainders) // 2]:.3g} {unit} from where they "
            f"began (median; largest {remainders[-1]:.3g})"
        )
    else:
        lines.append("  no loop of links checks the result")
    return "\n".join(lines)
