"""field.npy: the samples of a large displacement field, in a file beside registration.json."""

import base64
import zlib
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

from napari_histreg.errors import DamagedFile
from napari_histreg.files import read_bytes
from napari_histreg.transforms import Transform
from napari_histreg.transforms.displacement import MOST_NUMBERS, DisplacementField

__all__ = ["FIELD", "LARGE", "is_large", "with_samples", "without_samples", "write_field_file"]

FIELD = "field.npy"

LARGE = 1 << 14
"""Numbers in a field from which on they lie in a file of their own: a record stays below 200 kB."""

SAMPLES, BESIDE = "values_zlib_base64_float32", "values_file"
"""Where the samples are in a field's JSON, and where their file is named in their place."""

HEADER_BYTES = 4096

# What NumPy raises on headers that are none; it reads them as Python literals.
_FAULTS = (ValueError, LookupError, TypeError, EOFError, SyntaxError, TokenError, RecursionError, MemoryError)


def is_large(transform: Transform | None) -> bool:
    """Tell whether a transform's samples belong into a file of their own."""
    return isinstance(transform, DisplacementField) and transform.values.size >= LARGE


def write_field_file(transform: Transform, folder: Path) -> str:
    """Write the samples of a displacement field as .npy: (Y, X, 2) float32, (y, x), world units.

    Returns
    -------
    str
        The file's name.
    """
    if not isinstance(transform, DisplacementField):
        raise TypeError(f"{type(transform).__name__} has no samples.")
    with (folder / FIELD).open("wb") as file:
        np.save(file, transform.values.astype("<f4"), allow_pickle=False)
    return FIELD


def without_samples(values: dict[str, Any]) -> dict[str, Any]:
    """Return a field's JSON with the file's name in place of the samples."""
    return {BESIDE if key == SAMPLES else key: FIELD if key == SAMPLES else v for key, v in values.items()}


def with_samples(
    values: dict[str, Any], folder: Path | None, digests: Mapping[str, str], name: str
) -> dict[str, Any]:
    """Put the samples back into a field's JSON, where it names a file in their place.

    Parameters
    ----------
    values : dict
        A transform's JSON, of any kind.
    folder : Path or None
        Where the record lies.
    digests : mapping
        SHA-256 of the record's files; the field's must be among them.
    name : str
        What to call the record in errors.

    Raises
    ------
    DamagedFile
        The file is missing, is not the one that the record was written with, or holds no such samples.
    """
    if BESIDE not in values:
        return values
    if values[BESIDE] != FIELD:
        raise DamagedFile(
            f'{name} names {str(values[BESIDE])[:80]!r} for its field; that is always "{FIELD}".'
        )
    if folder is None:
        raise DamagedFile(f"{name} has its field in {FIELD}, and it is not known in which folder that lies.")
    shape = _shape(values, name)
    file = folder / FIELD
    if not file.exists():
        raise DamagedFile(
            f"{name} needs {FIELD} beside it, which is not there: copy both, or the whole folder."
        )
    data = read_bytes(file, limit=4 * prod(shape) + HEADER_BYTES, share=None)
    if sha256(data).hexdigest() != digests.get(FIELD):
        raise DamagedFile(f"{file} is not the field that {name} was written with: align the slides again.")
    try:
        samples = np.load(BytesIO(data), allow_pickle=False)
    except _FAULTS as error:
        raise DamagedFile(f"{file} is no .npy file of numbers: {str(error)[:100]}") from error
    if not isinstance(samples, np.ndarray) or samples.shape != shape or samples.dtype != np.dtype("<f4"):
        raise DamagedFile(f"{file} does not hold the samples of shape {shape} that {name} says.")
    packed = base64.b64encode(zlib.compress(samples.tobytes(), level=1)).decode("ascii")
    return {**{key: v for key, v in values.items() if key != BESIDE}, SAMPLES: packed}


def _shape(values: dict[str, Any], name: str) -> tuple[int, ...]:
    given = values.get("shape")
    good = isinstance(given, list) and len(given) == 3 and all(type(n) is int and n > 0 for n in given)
    if not good or prod(given) > MOST_NUMBERS:  # type: ignore[arg-type]
        raise DamagedFile(f"{name} is damaged at the shape of its field: {str(given)[:80]}.")
    return tuple(given)  # type: ignore[arg-type]
