"""Tables of cells or points (CSV, Parquet) carried to another slide."""

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_histreg.errors import DamagedFile, UnsupportedFormat
from napari_histreg.files import LIMITS, read_text, regular_file, written_whole
from napari_histreg.optional import require
from napari_histreg.warping.shapes import PixelMap

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["carry_table"]

_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


def carry_table(
    path: str | Path,
    output: str | Path,
    pixel_map: PixelMap,
    *,
    columns: tuple[str, str],
    factor: float = 1.0,
) -> int:
    """Carry two columns of a table from one slide to another; all others stay.

    Parameters
    ----------
    path : path-like
        .csv, .tsv, .txt (tabs) or .parquet.
    output : path-like
        The table to write, of any of these kinds.
    pixel_map : PixelMap
        From the slide that the table belongs to, to the other.
    columns : (str, str)
        Names of the columns of x and y.
    factor : float
        Level-0 pixels per unit of the columns, in the source; the output is in target pixels.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    UnsupportedFormat
        The suffix is another.
    DamagedFile
        A column is missing or holds words.
    MissingDependency
        Parquet needs pyarrow.
    """
    table = _read(Path(path))
    for column in columns:
        if column not in table.columns:
            listed = ", ".join(str(name) for name in table.columns)
            raise DamagedFile(
                f"{path} has no column {column!r}. It has: {listed}. Name the two that hold x and y.",
                wants="columns",
            )
    import pandas as pd

    try:
        points = (
            np.stack([pd.to_numeric(table[column]).to_numpy(np.float64) for column in columns], 1) * factor
        )
    except (ValueError, TypeError) as error:
        raise DamagedFile(
            f"{path}: the columns {columns[0]} and {columns[1]} must be numbers ({error})."
        ) from error
    mapped = pixel_map(points)
    table[columns[0]], table[columns[1]] = mapped[:, 0], mapped[:, 1]
    _write(table, Path(output))
    return len(table)


def _read(path: Path) -> "pd.DataFrame":
    import pandas as pd

    suffix = _known(path)
    if suffix == ".parquet":
        require("pyarrow", extra="parquet")
        return _read_parquet(path)
    text = read_text(path, "a table", error=DamagedFile)
    try:
        # Text is kept as it stands, so that 007 does not become 7.
        table = pd.read_csv(StringIO(text), sep=_SEPARATORS[suffix], dtype=str, keep_default_na=False)
    except (ValueError, OverflowError) as error:
        raise DamagedFile(f"{path} is no table that can be read: {str(error)[:200]}.") from error
    return table


def _read_parquet(path: Path) -> "pd.DataFrame":
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    regular_file(path)
    try:
        with pq.ParquetFile(path) as file:
            notes = file.metadata
            size = sum(notes.row_group(k).total_byte_size for k in range(notes.num_row_groups))
            if size > LIMITS.decoded_bytes or notes.num_rows > LIMITS.decoded_bytes // 16:
                raise DamagedFile(
                    f"{path} announces {size / 1e9:.1f} GB in {notes.num_rows} rows. Split it, or "
                    f"{LIMITS.how_to_allow(max(size, 16 * notes.num_rows))}."
                )
        return pd.read_parquet(path)
    except (ValueError, TypeError, OSError, LookupError, OverflowError, pa.ArrowException) as error:
        raise DamagedFile(f"{path} is no table that can be read: {str(error)[:200]}.") from error


def _write(table: "pd.DataFrame", path: Path) -> None:
    suffix = _known(path)
    with written_whole(path) as temporary:
        if suffix == ".parquet":
            require("pyarrow", extra="parquet")
            table.to_parquet(temporary, index=False)
        else:
            table.to_csv(temporary, sep=_SEPARATORS[suffix], index=False, float_format="%.4f")


def _known(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (*_SEPARATORS, ".parquet"):
        raise UnsupportedFormat(
            f"{path.name}: tables are .csv, .tsv, .txt or .parquet, not {suffix or 'nothing'}."
        )
    return suffix
