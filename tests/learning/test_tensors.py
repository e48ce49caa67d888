"""Files of weights: what was written comes back, what is damaged or hostile is a sentence."""

import contextlib
import json

import numpy as np
import pytest

from napari_histreg.errors import DamagedFile
from napari_histreg.learning.tensors import read_tensors, write_tensors

ARRAYS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "empty": np.zeros((0, 4), np.float64),
    "count": np.array([7], np.int64),
}


def test_arrays_come_back_as_they_were(tmp_path):
    write_tensors(tmp_path / "x", ARRAYS)
    found = read_tensors(tmp_path / "x")
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_the_library_of_the_format_reads_it_and_is_read(tmp_path):
    library = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    write_tensors(tmp_path / "x", ARRAYS)
    np.testing.assert_array_equal(library.load_file(tmp_path / "x")["a"], ARRAYS["a"])
    library.save_file({"a": ARRAYS["a"]}, tmp_path / "y", metadata={"by": "another"})
    np.testing.assert_array_equal(read_tensors(tmp_path / "y")["a"], ARRAYS["a"])


def test_other_types_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="'o' is of type object"):
        write_tensors(tmp_path / "x", {"o": np.array([None])})


def with_header(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


ROW = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02",
        (1 << 60).to_bytes(8, "little") + b"{}",
        with_header(b"\xff\xfe"),
        with_header(b"[1, 2]"),
        with_header(b"[" * 5000),
        with_header({"a": ROW}, b"1234"),
        with_header({"a": ROW | {"shape": [3]}}, b"12345678"),
        with_header({"a": ROW | {"shape": [-2]}}, b"12345678"),
        with_header({"a": ROW | {"shape": [1 << 60, 1 << 60]}}, b"12345678"),
        with_header({"a": ROW | {"data_offsets": [8, 0]}}, b"12345678"),
        with_header({"a": ROW | {"data_offsets": "no"}}, b"12345678"),
        with_header({"a": ROW | {"dtype": "O"}}, b"12345678"),
        with_header({"a": 3}, b"12345678"),
    ],
)
def test_what_is_no_such_file_is_a_sentence(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(DamagedFile) as error:
        read_tensors(tmp_path / "x")
    assert "\n" not in str(error.value)
    assert "x" in str(error.value)


def test_any_change_of_bytes_is_read_or_refused(tmp_path):
    write_tensors(tmp_path / "x", ARRAYS)
    whole = (tmp_path / "x").read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(100):
        changed = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            changed[place] = int(rng.integers(256))
        (tmp_path / "y").write_bytes(changed[: int(rng.integers(1, len(whole) + 1))])
        with contextlib.suppress(DamagedFile):
            read_tensors(tmp_path / "y")
