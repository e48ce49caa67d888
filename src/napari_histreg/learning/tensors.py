"""Arrays by name in one file, in the layout of safetensors: nothing in it is ever executed.

Eight bytes say how long the header is; the header is JSON (name: dtype, shape, offsets); bytes follow.
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile
from napari_histreg.files import parse_json, read_bytes, written_whole

__all__ = ["LARGEST_BYTES", "read_tensors", "write_tensors"]

LARGEST_BYTES = 256 << 20
LARGEST_HEADER = 1 << 20
TYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "I64": np.dtype("<i8")}
Arrays = dict[str, NDArray[Any]]


def write_tensors(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays of float32, float64 or int64.

    Raises
    ------
    WriteError
        The file cannot be written.
    ValueError
        An array is of another type.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_tensors(Path(folder) / "a.safetensors", {"x": np.arange(3.0)})
    ...     read_tensors(Path(folder) / "a.safetensors")
    {'x': array([0., 1., 2.])}
    """
    header: dict[str, Any] = {}
    parts, end = [], 0
    for name, array in arrays.items():
        kind = next((k for k, t in TYPES.items() if np.dtype(array.dtype).newbyteorder("<") == t), None)
        if kind is None:
            raise ValueError(
                f"The array {name!r} is of type {array.dtype}; float32, float64 and int64 are written."
            )
        parts.append(np.ascontiguousarray(array, TYPES[kind]).tobytes())
        header[name] = {
            "dtype": kind,
            "shape": list(array.shape),
            "data_offsets": [end, end + len(parts[-1])],
        }
        end += len(parts[-1])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with written_whole(path) as temporary:
        temporary.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(parts))


def read_tensors(path: str | os.PathLike[str]) -> Arrays:
    """Read the arrays of a file.

    Raises
    ------
    DamagedFile
        It is missing, too large, truncated, or says what cannot be.
    ReadError
        It may not be read.
    """
    data = read_bytes(path, limit=LARGEST_BYTES, share=None)
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 2 <= length <= min(LARGEST_HEADER, len(data) - 8):
        raise DamagedFile(
            f"{path} is no file of weights (safetensors), or was cut off. Train the model again."
        )
    try:
        text = data[8 : 8 + length].decode()
    except UnicodeDecodeError as error:
        raise DamagedFile(f"{path} has a header that is no text. Train the model again.") from error
    header = parse_json(text, f"The header of {path}")
    if not isinstance(header, dict):
        raise DamagedFile(f"The header of {path} names no arrays. Train the model again.")
    rest = memoryview(data)[8 + length :]
    return {
        name: _array(name, row, rest, Path(path)) for name, row in header.items() if name != "__metadata__"
    }


def _array(name: str, row: Any, data: memoryview, path: Path) -> NDArray[Any]:
    """Return one array after comparing what is said of it with what is there."""
    row = row if isinstance(row, dict) else {}
    kind, shape, offsets = row.get("dtype"), row.get("shape"), row.get("data_offsets")
    if isinstance(kind, str) and kind in TYPES and _are_counts(shape, 8) and _are_counts(offsets, 2, least=2):
        first, last = offsets
        fits = math.prod(shape) * TYPES[kind].itemsize == last - first and last <= len(data)
        if fits:
            return np.frombuffer(data[first:last], TYPES[kind]).reshape(shape).copy()
    raise DamagedFile(f"The array {name[:80]!r} of {path} contradicts its header. Train the model again.")


def _are_counts(values: Any, most: int, *, least: int = 0) -> bool:
    return (
        isinstance(values, list)
        and least <= len(values) <= most
        and all(isinstance(v, int) and not isinstance(v, bool) and 0 <= v <= LARGEST_BYTES for v in values)
    )
