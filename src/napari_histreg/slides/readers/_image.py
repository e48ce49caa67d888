"""Pictures without a pyramid: PNG, JPEG and BMP, through Pillow."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile
from napari_histreg.geometry import Region
from napari_histreg.slides.bounds import check_decoded
from napari_histreg.slides.readers._border import (
    ReadOptions,
    closed_error,
    on_white,
    pick,
    plausible_pixel_size,
    rgb_background,
    wrapped,
)
from napari_histreg.slides.slide import Channel, Level, Slide

__all__ = ["read_image"]

# A progressive JPEG is held as coefficients of two bytes before it becomes pixels.
PROGRESSIVE_BYTES = 2
STRIP = 256
# Up to this many pixels the picture is decoded when it is opened, so that damage shows at once.
DECODED_AT_ONCE_PX = 16_000_000

GREY_MODES = {
    "1": "u1",
    "L": "u1",
    "I;16": "u2",
    "I;16B": "u2",
    "I;16L": "u2",
    "I;16N": "u2",
    "I": "i4",
    "F": "f4",
}
UM_PER_INCH = 25_400.0


def read_image(path: Path, options: ReadOptions) -> Slide:
    """Open a PNG, JPEG or BMP picture.

    Alpha is laid over white, palettes, CMYK and other colour spaces become RGB, 16 bits are kept,
    black and white becomes 0 and 255. Pixels stay as the file stores them: an orientation note
    (EXIF) is not followed, so that coordinates agree with other software's pixels.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        Must ask for the only picture.

    Returns
    -------
    Slide
        One level; the pixel size only where the file's resolution is that of a microscope.

    Raises
    ------
    DamagedFile
        The file cannot be decoded.
    UnsupportedFormat
        The picture is too large to be held in memory.
    """
    options.refuse_more_than_one(path.name)
    with wrapped(path.name, "cannot be opened as a picture"), _opened(path) as picture:
        width, height = picture.size
        mode, info = picture.mode, dict(picture.info)
        deep = _is_deep_png(path)
    has_colour = deep in ("rgb", "rgba") if deep else not (mode in GREY_MODES or mode in ("LA", "La"))
    dtype = np.dtype("u2") if deep else np.dtype(GREY_MODES.get(mode, "u1"))
    samples = (3 if has_colour else 1) + ("A" in mode or "transparency" in info)
    size = width * height * samples * (dtype.itemsize + PROGRESSIVE_BYTES * bool(info.get("progressive")))
    check_decoded(
        path.name,
        f"a picture of {width} x {height} px",
        size,
        "Convert it to a tiled pyramid (for example: vips tiffsave IN OUT.tif --tile --pyramid)",
    )
    source = _Picture(path, (height, width), dtype, bool(deep))
    if width * height <= DECODED_AT_ONCE_PX:
        source.decoded()
    return Slide(
        name=path.name,
        levels=(Level((height, width), (1.0, 1.0)),),
        channels=tuple(
            Channel(name) for name in (("red", "green", "blue") if has_colour else ("channel 0",))
        ),
        dtype=dtype,
        source=source,
        pixel_size_um=_pixel_size(info),
        is_rgb=has_colour,
        background=rgb_background(dtype, has_colour),
        path=str(path),
    )


def _opened(path: Path) -> Any:
    """Open with Pillow's own class for the content, which sets no limit on the number of pixels."""
    from PIL import BmpImagePlugin, JpegImagePlugin, PngImagePlugin

    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"\x89PNG"):
        return PngImagePlugin.PngImageFile(str(path))
    if head.startswith(b"\xff\xd8"):
        return JpegImagePlugin.JpegImageFile(str(path))
    return BmpImagePlugin.BmpImageFile(str(path))


def _is_deep_png(path: Path) -> str:
    """Tell the colour type of a PNG of 16 bits per sample; empty for everything else.

    Pillow cuts colours of 16 bits down to 8, so another decoder takes these.
    """
    with path.open("rb") as file:
        head = file.read(26)
    if len(head) < 26 or not head.startswith(b"\x89PNG") or head[24] != 16:
        return ""
    return {0: "grey", 2: "rgb", 4: "greya", 6: "rgba"}.get(head[25], "")


def _pixel_size(info: dict[str, Any]) -> tuple[float, float] | None:
    """Turn dots per inch (x, y) into µm (y, x), if they can be those of a microscope."""
    dpi = info.get("dpi")
    if not isinstance(dpi, tuple) or len(dpi) != 2 or not min(float(v) for v in dpi) > 0:
        return None
    return plausible_pixel_size(UM_PER_INCH / float(dpi[1]), UM_PER_INCH / float(dpi[0]))


def _decode(path: Path, deep: bool) -> NDArray[Any]:
    """Decode the whole picture to (C, Y, X)."""
    if deep:
        import imagecodecs

        pixels = imagecodecs.png_decode(path.read_bytes())
        pixels = pixels.reshape(*pixels.shape[:2], -1)
        if pixels.shape[2] in (2, 4):
            pixels = _strips_on_white(pixels, pixels.shape[2] - 1)
        return np.moveaxis(pixels, -1, 0)
    with _opened(path) as picture:
        picture.load()
        if picture.mode in GREY_MODES and "transparency" not in picture.info:
            grey = np.asarray(picture)
            grey = grey * np.uint8(255) if picture.mode == "1" else grey
            return np.asarray(grey, GREY_MODES[picture.mode])[None]
        is_grey = picture.mode in GREY_MODES or picture.mode in ("LA", "La")
        if picture.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
            pixels = _strips_on_white(np.asarray(picture.convert("RGBA")), 1 if is_grey else 3)
        else:
            pixels = np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))
        return np.moveaxis(pixels, -1, 0)


def _strips_on_white(pixels: NDArray[Any], colours: int) -> NDArray[Any]:
    """Lay the first samples of (H, W, S) over white by the last one, in strips to save memory."""
    out = np.empty((*pixels.shape[:2], colours), pixels.dtype)
    for top in range(0, len(pixels), STRIP):
        strip = pixels[top : top + STRIP]
        out[top : top + STRIP] = on_white(strip[..., :colours], strip[..., -1])
    return out


class _Picture:
    """Pixel source over one picture, decoded whole when it is first needed."""

    def __init__(self, path: Path, shape: tuple[int, int], dtype: np.dtype[Any], deep: bool) -> None:
        self._path = path
        self._shape = shape
        self._dtype = dtype
        self._deep = deep
        self._pixels: NDArray[Any] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def decoded(self) -> NDArray[Any]:
        """Return all pixels (C, Y, X), decoding them once."""
        with self._lock:
            if self._closed:
                raise closed_error(self._path.name)
            if self._pixels is None:
                with wrapped(self._path.name, "cannot be decoded"):
                    pixels = _decode(self._path, self._deep).astype(self._dtype, copy=False)
                if pixels.shape[1:] != self._shape:
                    raise DamagedFile(
                        f"{self._path.name} says it is {self._shape[1]} x {self._shape[0]} px but decodes to "
                        f"{pixels.shape[2]} x {pixels.shape[1]}. Save it again with another program."
                    )
                self._pixels = pixels
            return self._pixels

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        rows, columns = region.slices
        return pick(self.decoded()[:, rows, columns], channels).copy(order="K")

    def close(self) -> None:
        """Free the pixels."""
        with self._lock:
            self._closed, self._pixels = True, None
