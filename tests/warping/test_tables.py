import numpy as np
import pandas as pd
import pytest

from napari_histreg.errors import DamagedFile, UnsupportedFormat
from napari_histreg.transforms import Translation
from napari_histreg.warping.shapes import PixelMap
from napari_histreg.warping.tables import carry_table

SHIFT = PixelMap(Translation.of((20, 10)), (1, 1), (1, 1))


def test_two_columns_move_and_the_others_stay(tmp_path):
    (tmp_path / "cells.csv").write_text(
        "id,x,class,y,area\n007,1.5,Tumör,2,1e-7\n008,3,,4,\n", encoding="utf-8"
    )
    assert carry_table(tmp_path / "cells.csv", tmp_path / "out.csv", SHIFT, columns=("x", "y")) == 2
    lines = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    assert lines == ["id,x,class,y,area", "007,11.5000,Tumör,22.0000,1e-7", "008,13.0000,,24.0000,"]


def test_parquet_keeps_its_types(tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    table = pd.DataFrame({"cell": np.arange(5, dtype=np.int32), "cx": np.arange(5.0), "cy": np.zeros(5)})
    table.to_parquet(tmp_path / "cells.parquet")
    carry_table(tmp_path / "cells.parquet", tmp_path / "out.parquet", SHIFT, columns=("cx", "cy"))
    read = pd.read_parquet(tmp_path / "out.parquet")
    assert read["cell"].dtype == np.int32
    assert read["cx"].tolist() == [10, 11, 12, 13, 14]


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("a.csv", "x,z\n1,2\n", DamagedFile, "no column 'y'. It has: x, z"),
        ("a.csv", "x,y\n1,two\n", DamagedFile, "must be numbers"),
        ("a.xlsx", "x", UnsupportedFormat, ".xlsx"),
        ("a.csv", None, DamagedFile, "does not exist"),
        ("a.csv", "", DamagedFile, "a table was expected"),
    ],
)
def test_bad_tables_are_named(tmp_path, name, content, error, words):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(error, match=words):
        carry_table(tmp_path / name, tmp_path / "out.csv", SHIFT, columns=("x", "y"))
    assert not (tmp_path / "out.csv").exists()
