"""``histreg info``: what is in a slide."""

import json
from typing import Annotated, Any

import typer

from napari_histreg.cli.options import AsJson
from napari_histreg.cli.volume_plane import Index, PlaneOption, SeriesOption, addressed

__all__ = ["info"]


def info(
    slide: Annotated[str, typer.Argument(metavar="SLIDE", help="A slide, picture or volume.")],
    pixel_size: Annotated[
        float | None,
        typer.Option("--pixel-size", metavar="UM", help="Pixel size in µm, if the file has none."),
    ] = None,
    plane: PlaneOption = None,
    index: Index = None,
    series: SeriesOption = None,
    as_json: AsJson = False,
) -> None:
    """Show size, levels, pixel size and channels of a slide, or of a plane of a volume and its series."""
    from napari_histreg.geometry import Region
    from napari_histreg.slides import describe, open_slide

    with open_slide(addressed(slide, plane, index, series), pixel_size_um=pixel_size) as opened:
        found = describe(opened)
        # A slide whose first pixel cannot be decoded is none, whatever its header says.
        opened.read(0, Region(0, 0, 1, 1))
    if as_json:
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    size = found["pixel_size_um"]
    lines = [
        ("size", f"{found['width']} x {found['height']} px"),
        ("pixel size", "unknown" if size is None else f"{size['x']:.6g} x {size['y']:.6g} µm"),
        ("pixels", f"{found['dtype']}, {'RGB' if found['is_rgb'] else 'grey or fluorescence'}"),
        ("channels", ", ".join(channel["name"] for channel in found["channels"])),
    ]
    for number, level in enumerate(found["levels"]):
        text = f"{level['width']} x {level['height']} px, 1/{level['downsample']['y']:.6g}"
        lines.append((f"level {number}", text))
    if found["volume"] is not None:
        lines.append(("plane", _plane(found["volume"])))
        lines += [("series", text) for text in _series(slide)]
    typer.echo(found["name"])
    for name, value in lines:
        typer.echo(f"  {name:<11} {value}")


def _plane(volume: dict[str, Any]) -> str:
    kind = "" if volume["modality"] is None else f" of {volume['modality']}"
    if volume["plane"] is None:
        return f"a single one{kind}"
    return f"{volume['plane']} {volume['index']} of 0 to {volume['count'] - 1}{kind}"


def _series(path: str) -> list[str]:
    """Say which series a DICOM folder holds."""
    from napari_histreg.slides.address import file_of
    from napari_histreg.volumes import list_series
    from napari_histreg.volumes.sniffing import kind_of

    if kind_of(file_of(path)) != "dicom folder":
        return []
    lines = []
    for found in list_series(file_of(path)):
        size = " x ".join(str(n) for n in found.shape)
        uneven = f"; {found.uneven}" if found.uneven else ""
        lines.append(f"{found.number}: {found.modality}, {size} (planes, rows, columns), {found.uid}{uneven}")
    return lines
