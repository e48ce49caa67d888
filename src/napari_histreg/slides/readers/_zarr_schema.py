"""What may stand in the metadata of a Zarr: shapes, types and codecs that cannot do harm."""

import math
from typing import Any, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from napari_histreg.errors import DamagedFile, UnsupportedFormat
from napari_histreg.files import LIMITS
from napari_histreg.files.faults import first_fault

__all__ = ["BOUNDED", "safe_array_v2", "safe_array_v3"]

BOUNDED = "histreg_bounded"
"""Name under which the guard of decoded sizes is known to zarr and numcodecs."""

COMPRESSORS = ("blosc", "gzip", "lz4", "zlib", "zstd")
FILTERS = ("delta", "shuffle")
MOST_CHUNKS_OF_A_SHARD = 1_000_000
# Chunks below this many pixels, and very many of them, take longer to find than to decode.
SMALL_CHUNK_PX = 1024
MOST_SMALL_CHUNKS = 20_000

_Codec = Literal["blosc", "bytes", "crc32c", "endian", "gzip", "sharding_indexed", "transpose", "zstd"]


_Model = TypeVar("_Model", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class _NamedCodec(_Part):
    name: _Codec
    configuration: dict[str, Any] = Field(default_factory=dict)


class _InnerCodec(_Part):
    name: Literal["blosc", "bytes", "crc32c", "endian", "gzip", "transpose", "zstd"]
    configuration: dict[str, Any] = Field(default_factory=dict)


class _Shard(_Part):
    chunk_shape: list[int] = Field(min_length=1)
    codecs: list[_InnerCodec]
    index_codecs: list[_InnerCodec]

    @field_validator("index_codecs")
    @classmethod
    def _plain(cls, codecs: list[_InnerCodec]) -> list[_InnerCodec]:
        if not {codec.name for codec in codecs} <= {"bytes", "crc32c"}:
            raise ValueError("the index of a shard is stored as bytes and crc32c")
        return codecs


class _Chunks(_Part):
    chunk_shape: list[int] = Field(min_length=1)


class _Grid(_Part):
    name: Literal["regular"]
    configuration: _Chunks


class _ArrayV3(_Part):
    shape: list[int]
    data_type: Literal["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
                       "float16", "float32", "float64"]  # fmt: skip
    chunk_grid: _Grid
    codecs: list[_NamedCodec] = Field(min_length=1)
    storage_transformers: list[Any] = Field(default_factory=list, max_length=0)


class _IdCodec(BaseModel):
    model_config = ConfigDict(extra="allow")
    id: str


class _ArrayV2(_Part):
    shape: list[int]
    chunks: list[int]
    dtype: str = Field(pattern=r"^[<>|=]?(b1|[iu][1248]|f[248])$")
    compressor: _IdCodec | None = None
    filters: list[_IdCodec] | None = None


def safe_array_v3(name: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return the zarr.json of an array, if all in it is allowed, with guards of decoded sizes put in.

    Raises
    ------
    DamagedFile, UnsupportedFormat
        Something in it is impossible, too large, or not on the list of what is allowed.
    """
    array = _checked(_ArrayV3, name, values)
    item = np.dtype(array.data_type).itemsize
    chunks = array.chunk_grid.configuration
    codecs = [codec.model_dump() for codec in array.codecs]
    shards = [codec for codec in array.codecs if codec.name == "sharding_indexed"]
    if shards:
        inner = _checked(_Shard, name, shards[0].configuration)
        if len(array.codecs) != 1 or len(inner.chunk_shape) != len(chunks.chunk_shape):
            raise UnsupportedFormat(f"{name}: shards within other codecs cannot be read. Convert it.")
        _check_sizes(name, array.shape, inner.chunk_shape, item)
        sides = zip(chunks.chunk_shape, inner.chunk_shape, strict=True)
        per_shard = math.prod(-(-shard // chunk) for shard, chunk in sides)
        if min(chunks.chunk_shape) < 1 or per_shard > MOST_CHUNKS_OF_A_SHARD:
            raise DamagedFile(f"{name} has {per_shard} chunks in a shard; no such file is known.")
        most = math.prod(inner.chunk_shape) * item
        kept = shards[0].configuration
        kept = {**kept, "codecs": _guarded([codec.model_dump() for codec in inner.codecs], most)}
        codecs[0]["configuration"] = kept
    else:
        _check_sizes(name, array.shape, chunks.chunk_shape, item)
        codecs = _guarded(codecs, math.prod(chunks.chunk_shape) * item)
    return {**values, "codecs": codecs}


def safe_array_v2(name: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return the .zarray of an array; see `safe_array_v3`."""
    array = _checked(_ArrayV2, name, values)
    item = np.dtype(array.dtype).itemsize
    _check_sizes(name, array.shape, array.chunks, item)
    for codec in array.filters or ():
        _allow(name, codec.id, FILTERS)
    if array.compressor is None:
        return values
    _allow(name, array.compressor.id, COMPRESSORS)
    most = math.prod(array.chunks) * item
    guard = {"id": BOUNDED, "inner": array.compressor.model_dump(), "most": most}
    return {**values, "compressor": guard}


def _checked(kind: type[_Model], name: str, values: dict[str, Any]) -> _Model:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise UnsupportedFormat(
            f"{name} is stored in a way that is not read here, at {first_fault(error)}. Convert it."
        ) from error


def _allow(name: str, codec: str, allowed: tuple[str, ...]) -> None:
    if codec not in allowed:
        raise UnsupportedFormat(
            f"{name} is stored with {codec[:60]!r}; read are {', '.join(allowed)}. Convert it."
        )


def _guarded(codecs: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Put a guard behind each compression, which therefore comes before it when chunks are decoded."""
    out: list[dict[str, Any]] = []
    for codec in codecs:
        out.append(codec)
        if codec["name"] in COMPRESSORS:
            out.append({"name": BOUNDED, "configuration": {"codec": codec["name"], "most": most}})
    return out


def _check_sizes(name: str, shape: list[int], chunks: list[int], item: int) -> None:
    """Refuse shapes and chunks that are impossible, or would take all memory or time."""
    if len(shape) != len(chunks) or min(shape, default=0) < 1 or min(chunks) < 1:
        raise DamagedFile(f"{name} says that it is {shape} large, in chunks of {chunks}. Export it again.")
    size = math.prod(chunks) * item
    if size > LIMITS.decoded_bytes // 4:
        raise UnsupportedFormat(
            f"{name} has chunks of {size / 1e9:.1f} GB, which can only be decoded whole. Store it in smaller "
            f"chunks, or {LIMITS.how_to_allow(size, 1 / 8)}."
        )
    planes = zip(shape[-2:], chunks[-2:], strict=True)
    count = math.prod(-(-side // chunk) for side, chunk in planes)
    if math.prod(chunks[-2:]) < SMALL_CHUNK_PX and count > MOST_SMALL_CHUNKS:
        raise UnsupportedFormat(
            f"{name} is stored in {count} chunks of {chunks[-1]} x {chunks[-2]} px. Store it in larger ones."
        )
