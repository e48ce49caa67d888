"""``histreg info``: what is in a slide."""

import json
from typing import Annotated

import typer

__all__ = ["info"]


def info(
    slide: Annotated[str, typer.Argument(metavar="SLIDE", help="A slide or picture.")],
    pixel_size: Annotated[
        float | None,
        typer.Option("--pixel-size", metavar="UM", help="Pixel size in µm, if the file has none."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show size, levels, pixel size and channels of a slide."""
    from napari_histreg.slides import describe, open_slide

    with open_slide(slide, pixel_size_um=pixel_size) as opened:
        found = describe(opened)
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
    typer.echo(found["name"])
    for name, value in lines:
        typer.echo(f"  {name:<11} {value}")
