"""How tiles are encoded: the names users give, and the functions behind them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["COMPRESSIONS", "Compression", "compression_of"]

COMPRESSIONS = ("jpeg", "deflate", "zstd", "lzw", "none")
DEFAULT_QUALITY = 85
# From this quality on colours keep their full resolution (4:4:4), below they are halved (4:2:0).
FULL_COLOUR_QUALITY = 90
# Of the raw size; generous, to find out beforehand that a disk is too small.
EXPECTED_SHARE = {"jpeg": 0.3, "deflate": 0.7, "zstd": 0.7, "lzw": 0.9, "none": 1.0}


@dataclass(frozen=True)
class Compression:
    """A way to encode pixels.

    Parameters
    ----------
    name : str
        One of `COMPRESSIONS`.
    quality : int
        Of JPEG, 1 to 100.
    """

    name: str
    quality: int = DEFAULT_QUALITY

    @property
    def expected_share(self) -> float:
        """Size after compression as a share of the raw size, rather too large than too small."""
        return EXPECTED_SHARE[self.name]

    @property
    def subsampling(self) -> tuple[int, int]:
        """How many pixels share a colour in JPEG, across and down."""
        return (1, 1) if self.quality >= FULL_COLOUR_QUALITY else (2, 2)


def compression_of(text: str | None, *, is_rgb: bool, dtype: np.dtype[Any]) -> Compression:
    """Understand what the user asks for.

    Parameters
    ----------
    text : str or None
        "jpeg", "jpeg:85" (with a quality), "deflate", "zstd", "lzw", "none"; None for what suits the
        slide: JPEG for RGB of 8 bits, deflate for everything else.
    is_rgb : bool
        Whether the slide is a colour picture.
    dtype : numpy dtype
        Of its pixels.

    Raises
    ------
    ValueError
        The name is unknown, or JPEG is asked for pixels that it cannot hold.

    Examples
    --------
    >>> compression_of("jpeg:80", is_rgb=True, dtype=np.dtype("u1"))
    Compression(name='jpeg', quality=80)
    """
    if text is None:
        return Compression("jpeg" if is_rgb and dtype == np.uint8 else "deflate")
    name, _, quality = text.strip().lower().partition(":")
    if name not in COMPRESSIONS or (quality and name != "jpeg"):
        raise ValueError(
            f'There is no compression "{text}". Choose one of {", ".join(COMPRESSIONS)}, or jpeg:QUALITY.'
        )
    if quality and not (quality.isdigit() and 1 <= int(quality) <= 100):
        raise ValueError(f'The quality of JPEG is a whole number from 1 to 100, not "{quality}".')
    if name == "jpeg" and dtype != np.uint8:
        raise ValueError(f"JPEG holds 8 bits; these pixels are {dtype}. Choose deflate or zstd.")
    return Compression(name, int(quality or DEFAULT_QUALITY))


def tile_encoder(
    compression: Compression, dtype: np.dtype[Any], is_rgb: bool
) -> Callable[[NDArray[Any]], bytes]:
    """Return the function that encodes a TIFF tile (H, W, S) as tifffile would.

    Integers are stored as differences of neighbours (TIFF predictor 2) before deflate, zstd and LZW.
    """
    import imagecodecs

    if compression.name == "jpeg":
        options: dict[str, Any] = {"level": compression.quality}
        if is_rgb:
            options |= {"colorspace": "RGB", "outcolorspace": "YCBCR", "subsampling": compression.subsampling}
        return lambda tile: bytes(imagecodecs.jpeg_encode(tile if is_rgb else tile[..., 0], **options))
    encoders: dict[str, Callable[[Any], bytes]] = {
        "deflate": lambda data: bytes(imagecodecs.deflate_encode(data, 6)),
        "zstd": lambda data: bytes(imagecodecs.zstd_encode(data, 3)),
        "lzw": lambda data: bytes(imagecodecs.lzw_encode(data)),
        "none": lambda data: bytes(data),
    }
    encode = encoders[compression.name]
    if uses_predictor(compression, dtype):
        return lambda tile: encode(imagecodecs.delta_encode(tile, axis=-2))
    return lambda tile: encode(tile.tobytes())


def uses_predictor(compression: Compression, dtype: np.dtype[Any]) -> bool:
    """Tell whether tiles are stored as differences of neighbours."""
    return compression.name in ("deflate", "zstd", "lzw") and dtype.kind in "ui"
