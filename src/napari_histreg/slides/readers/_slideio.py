"""Slides of Olympus (.vsi) and Zeiss (.czi), through slideio.

slideio speaks (x, y) and metres, gives pixels as they are stored (Zeiss stores blue first), and is not made
to be used by several threads at once; everything is converted and queued here.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile
from napari_histreg.files import regular_file
from napari_histreg.geometry import Region
from napari_histreg.optional import require
from napari_histreg.slides.pyramid import level_of
from napari_histreg.slides.readers._border import ReadOptions, closed_error, pick, wrapped
from napari_histreg.slides.readers._slideio_child import check_readable
from napari_histreg.slides.refusals import first_bytes
from napari_histreg.slides.slide import Channel, Slide

__all__ = ["read_slideio"]

CZI_BEGINS = b"ZISRAWFILE"
BESIDE = ("label", "overview", "macro")
"""How pictures are called that show the glass, not the tissue."""


def read_slideio(path: Path, options: ReadOptions) -> Slide:
    """Open a slide through slideio, lazily.

    Parameters
    ----------
    path : Path
        The file; of a .vsi the folder ``_NAME_`` beside it is needed too.
    options : ReadOptions
        Series (a "scene" in slideio), focal plane and time point; the largest scene by default. Label and
        overview are no scenes.

    Returns
    -------
    Slide

    Raises
    ------
    MissingDependency
        slideio is not installed.
    DamagedFile
        The file cannot be decoded, or its pixels are not there.
    ValueError
        There is no such series, focal plane or time point.
    """
    # Whatever is not Zeiss's is Olympus's, under any name.
    driver = "CZI" if first_bytes(path).startswith(CZI_BEGINS) else "VSI"
    if driver == "VSI":
        check_pixels(path)
    slideio = require("slideio", extra="slideio")
    check_readable(path, driver)
    slideio.set_log_level("FATAL")
    with wrapped(path.name, "cannot be read by slideio"):
        file = slideio.open_slide(str(path), driver)
        scenes = [file.get_scene(k) for k in range(file.num_scenes)]
    scenes = [scene for scene in scenes if not _is_beside(scene.name)]
    if not scenes:
        raise DamagedFile(
            f"{path.name} holds only label and overview, no slide. Copy it again, with all that is its own."
        )
    number = options.series
    if number is None:
        number = max(range(len(scenes)), key=lambda k: scenes[k].size[0] * scenes[k].size[1])
    if not 0 <= number < len(scenes):
        raise ValueError(f"{path} has series 0 to {len(scenes) - 1}, not {number}.")
    scene = scenes[number]
    for letter, wanted, count in (("Z", options.z, scene.num_z_slices), ("T", options.t, scene.num_t_frames)):
        if not 0 <= wanted < max(count, 1):
            raise ValueError(f"{path} has {letter} from 0 to {max(count, 1) - 1}, not {wanted}.")
    with wrapped(path.name, "cannot be read by slideio"):
        return _slide(file, scene, path, options, is_reversed=driver == "CZI")


def check_pixels(path: Path) -> None:
    """Refuse a .vsi without the files of its pixels: what it holds itself is label and overview.

    Raises
    ------
    DamagedFile
        They are not there, or are no regular files.
    """
    folder = path.with_name(f"_{path.stem}_")
    files = sorted(folder.glob("*/*.ets"))
    if not files:
        raise DamagedFile(
            f"{path.name} is an Olympus slide whose pixels lie in the folder {folder.name} beside it, and "
            "that is not there or holds none; the file itself shows only label and overview. "
            "Copy the folder too."
        )
    for file in files:
        regular_file(file)


def _is_beside(name: str) -> bool:
    return any(word in name.lower() for word in BESIDE)


def _slide(file: Any, scene: Any, path: Path, options: ReadOptions, *, is_reversed: bool) -> Slide:
    width, height = scene.size
    infos = [scene.get_zoom_level_info(k) for k in range(max(scene.num_zoom_levels, 1))]
    sizes = [(info.size.height, info.size.width) for info in infos]
    # The levels of a file may be listed in any order, and be there twice.
    order = sorted(range(len(sizes)), key=lambda k: -sizes[k][0])
    order = [k for place, k in enumerate(order) if place == 0 or sizes[k] != sizes[order[place - 1]]]
    dtypes = {np.dtype(scene.get_channel_data_type(k)) for k in range(scene.num_channels)}
    if len(dtypes) != 1 or sizes[order[0]] != (height, width):
        raise DamagedFile(f"{path.name} contradicts itself: its channels or levels differ in kind.")
    names = [str(scene.get_channel_name(k)) for k in range(scene.num_channels)]
    is_rgb = len(names) == 3 and dtypes == {np.dtype(np.uint8)} and _are_colours(names)
    rgb = (Channel("red"), Channel("green"), Channel("blue"))
    named = tuple(Channel(name or f"channel {k + 1}") for k, name in enumerate(names))
    x_m, y_m = scene.resolution
    return Slide(
        name=path.name,
        levels=tuple(level_of((height, width), sizes[k]) for k in order),
        channels=rgb if is_rgb else named,
        dtype=dtypes.pop(),
        source=_SlideioSource(path.name, file, scene, order, options, is_reversed=is_rgb and is_reversed),
        pixel_size_um=(y_m * 1e6, x_m * 1e6) if x_m > 0 and y_m > 0 else None,
        is_rgb=is_rgb,
        background=255.0 if is_rgb else 0.0,
        path=str(path),
        vendor="slideio",
        metadata={"objective_power": scene.magnification or None},
    )


def _are_colours(names: Sequence[str]) -> bool:
    """Tell the three colours of one picture from three stains: those have names of their own.

    Examples
    --------
    >>> _are_colours(["", "", ""]), _are_colours(["BF:1", "BF:2", "BF:3"])
    (True, True)
    >>> _are_colours(["DAPI", "CD3", "CD8"])
    False
    """
    return len({name.rpartition(":")[0] if name[-2:] in (":1", ":2", ":3") else name for name in names}) == 1


class _SlideioSource:
    """Pixel source over a scene of slideio: one read at a time."""

    def __init__(
        self, name: str, file: Any, scene: Any, order: list[int], options: ReadOptions, *, is_reversed: bool
    ) -> None:
        self._name, self._file, self._scene = name, file, scene
        self._order = order
        self._z, self._t = options.z, options.t
        self._is_reversed = is_reversed
        self._lock = threading.Lock()

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        with self._lock, wrapped(self._name, f"cannot be decoded at {region} of level {level}"):
            if self._scene is None:
                raise closed_error(self._name)
            pixels = self._scene.read_block_from_level(
                self._order[level],
                (region.x, region.y, region.width, region.height),
                slices=(self._z, self._z + 1),
                frames=(self._t, self._t + 1),
            )
        pixels = pixels.reshape(*region.shape, -1)
        return pick(np.moveaxis(pixels[..., ::-1] if self._is_reversed else pixels, -1, 0), channels)

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._scene = self._file = None
