"""Chunks of a Zarr: checked before they are decoded for how large they will become."""

import struct
import zlib
from dataclasses import dataclass
from typing import Any, Self

import numcodecs
from numcodecs.abc import Codec as NumCodec
from numcodecs.compat import ensure_bytes
from zarr.abc.codec import BytesBytesCodec
from zarr.registry import register_codec

from napari_histreg.errors import DamagedFile
from napari_histreg.slides.readers._zarr_schema import BOUNDED

__all__ = ["BoundedCodec", "BoundedNumCodec", "check_announced"]

# No byte of deflate becomes more than this many.
DEFLATE_RATIO = 1032
ZSTD_MAGIC = 0xFD2FB528
# Filters may store a little more than the pixels themselves.
SLACK, LEAST = 2, 1 << 16


def check_announced(codec: str, data: bytes, most: int) -> None:
    """Refuse a compressed chunk that would become larger than a chunk is.

    Parameters
    ----------
    codec : str
        Name of the compression.
    data : bytes
        The chunk as stored.
    most : int
        Bytes of a chunk of pixels.

    Raises
    ------
    DamagedFile
        It announces more, or becomes more.

    Examples
    --------
    >>> check_announced("gzip", zlib.compress(bytes(100)), 100)
    """
    most = max(SLACK * most, LEAST)
    found = _SIZES[codec](data, most)
    if found > most:
        raise DamagedFile(f"a chunk would become more than {most} bytes, which no chunk of this image has")


def _of_deflate(data: bytes, most: int) -> int:
    if len(data) * DEFLATE_RATIO <= most:
        return 0
    total = 0
    while data and total <= most:
        stream = zlib.decompressobj(47)
        while data and not stream.eof and total <= most:
            try:
                total += len(stream.decompress(data, 1 << 20))
            except zlib.error:
                return total
            data = stream.unconsumed_tail
        data = stream.unused_data
    return total


def _of_zstd(data: bytes, most: int) -> int:
    """Read the header of a frame (RFC 8878); a frame that does not announce its size is tried out."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != ZSTD_MAGIC:
        return 0
    flags = data[4]
    single = bool(flags & 0x20)
    at = 5 + (not single) + (0, 1, 2, 4)[flags & 3]
    width = (1 if single else 0, 2, 4, 8)[flags >> 6]
    field = data[at : at + width]
    if width and len(field) == width:
        return int.from_bytes(field, "little") + (256 if width == 2 else 0)
    import imagecodecs

    try:
        imagecodecs.zstd_decode(data, out=bytearray(most))
    except Exception:  # noqa: BLE001  # whatever the decoder says, the chunk is no use or too large
        return most + 1
    return 0


def _of_blosc(data: bytes, most: int) -> int:
    return int(struct.unpack_from("<I", data, 4)[0]) if len(data) >= 16 else most + 1


def _of_lz4(data: bytes, most: int) -> int:
    return int(struct.unpack_from("<I", data)[0]) if len(data) >= 4 else most + 1


_SIZES = {"gzip": _of_deflate, "zlib": _of_deflate, "zstd": _of_zstd, "blosc": _of_blosc, "lz4": _of_lz4}


@dataclass(frozen=True)
class BoundedCodec(BytesBytesCodec):  # type: ignore[misc]
    """The guard in the chain of codecs of a Zarr 3 array; passes on what it has checked."""

    codec: str
    most: int
    is_fixed_size = False

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Make it from what stands in the metadata."""
        told = data["configuration"]
        return cls(str(told["codec"]), int(told["most"]))

    def to_dict(self) -> dict[str, Any]:
        """Return what stands in the metadata."""
        return {"name": BOUNDED, "configuration": {"codec": self.codec, "most": self.most}}

    async def _decode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        check_announced(self.codec, chunk_bytes.to_bytes(), self.most)
        return chunk_bytes

    async def _encode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        return chunk_bytes

    def compute_encoded_size(self, input_byte_length: int, _chunk_spec: Any) -> int:
        """Return the size, which does not change."""
        return input_byte_length


class BoundedNumCodec(NumCodec):  # type: ignore[misc]
    """The guard around the compressor of a Zarr 2 array."""

    codec_id = BOUNDED

    def __init__(self, inner: dict[str, Any], most: int) -> None:
        self.inner, self.most = dict(inner), int(most)
        self._codec = numcodecs.get_codec(dict(inner))

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Decode a chunk that was checked."""
        check_announced(self.inner["id"], ensure_bytes(buf), self.most)
        return self._codec.decode(buf, out)

    def encode(self, buf: Any) -> Any:
        """Encode a chunk."""
        return self._codec.encode(buf)

    def get_config(self) -> dict[str, Any]:
        """Return what stands in the metadata."""
        return {"id": BOUNDED, "inner": self.inner, "most": self.most}


register_codec(BOUNDED, BoundedCodec)
numcodecs.register_codec(BoundedNumCodec)
