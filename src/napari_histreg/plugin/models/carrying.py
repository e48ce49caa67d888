"""Annotations and tables of cells carried from one slide to the other."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from napari_histreg.errors import DamagedFile, UnsupportedFormat
from napari_histreg.plugin.models.export_model import ExportModel
from napari_histreg.progress import Progress
from napari_histreg.warping.annotations import carry_annotations
from napari_histreg.warping.shapes import PixelMap
from napari_histreg.warping.tables import carry_table

__all__ = ["SHAPE_SUFFIXES", "TABLE_SUFFIXES", "Direction", "carry_file", "guess_columns"]

Direction = Literal["moving to fixed", "fixed to moving"]
SHAPE_SUFFIXES = (".geojson", ".json")
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
COLUMNS = (("x", "y"), ("centroid x", "centroid y"), ("x_centroid", "y_centroid"), ("pos_x", "pos_y"))
"""What tables of cells call the places in pixels, in small letters."""


def carry_file(
    export: ExportModel, source: str | Path, output: str | Path, direction: Direction
) -> Callable[[Progress], str]:
    """Return the call that carries a file, as ``histreg transform`` does.

    Parameters
    ----------
    export : ExportModel
        Whose alignment carries, and which says whether it may.
    source : path-like
        QuPath's GeoJSON, or a table with the places of cells in pixels.
    output : path-like
        The file to write, in level-0 pixels of the other slide.
    direction : {"moving to fixed", "fixed to moving"}

    Raises
    ------
    ValueError
        Nothing is aligned, or it was refused.
    """
    vouch = export.voucher()
    fixed, moving = export.slides()
    transform = export.session.fixed_to_moving
    back = direction == "fixed to moving"
    here, there = (fixed, moving) if back else (moving, fixed)
    source, output = Path(source), Path(output)

    def call(progress: Progress) -> str:
        vouch(progress)
        progress(0.1, f"carrying {source.name}")
        way = transform if back else transform.inverse()
        is_table = source.suffix.lower() in TABLE_SUFFIXES
        pixels = PixelMap(way, here.world_pixel_size, there.world_pixel_size, corner=not is_table)
        if source.suffix.lower() in SHAPE_SUFFIXES:
            count = carry_annotations(source, output, pixels)
            return f"Wrote {output}: {count} geometries, in pixels of {there.name}."
        if not is_table:
            raise UnsupportedFormat(
                f"{source.name} is neither GeoJSON nor a table. Choose one that ends in "
                f"{', '.join((*SHAPE_SUFFIXES, *TABLE_SUFFIXES))}."
            )
        count = carry_table(source, output, pixels, columns=guess_columns(source))
        return f"Wrote {output}: {count} rows, in pixels of {there.name}."

    return call


def guess_columns(path: Path) -> tuple[str, str]:
    """Return the names of the columns that hold x and y in pixels.

    Raises
    ------
    DamagedFile
        No column is called so.
    """
    import pandas as pd

    if path.suffix.lower() == ".parquet":
        names = [str(name) for name in pd.read_parquet(path).columns]
    else:
        separator = "," if path.suffix.lower() == ".csv" else "\t"
        names = [str(name) for name in pd.read_csv(path, sep=separator, nrows=0).columns]
    small = {name.strip().lower(): name for name in names}
    for x, y in COLUMNS:
        for ending in ("", " px", "_px"):
            if x + ending in small and y + ending in small:
                return small[x + ending], small[y + ending]
    raise DamagedFile(
        f"{path.name} has no columns that hold x and y in pixels; it has: {', '.join(names)}. "
        "Call two of them x and y."
    )
