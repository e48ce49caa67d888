"""One slide in several files: a file for each channel, or for each few channels."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile
from napari_histreg.geometry import Region
from napari_histreg.slides.slide import Channel, Slide

__all__ = ["MARK", "address_of", "files_of", "natural_key", "open_files"]

MARK = "|"
"""Stands between the files of an address; no file name on Windows can hold it, and few elsewhere do."""

_MAGIC = re.compile(r"[*?\[]")


def files_of(given: Any) -> list[Path]:
    """List the files of a slide that has several; empty for anything else.

    Parameters
    ----------
    given : object
        A list of paths; a pattern such as ``imc/*.tif``; or an address that `address_of` made. A name that is
        there as it stands is one file.

    Raises
    ------
    DamagedFile
        No file fits the pattern.
    """
    if isinstance(given, list | tuple):
        return [Path(path) for path in given] if _are_paths(given) else []
    if not isinstance(given, str | os.PathLike):
        return []
    text = os.fspath(given)
    if not isinstance(text, str) or os.path.lexists(text):
        return []
    if MARK in text:
        first, *others = text.split(MARK)
        return [Path(first), *(Path(first).parent / other for other in others)]
    path = Path(text)
    if not _MAGIC.search(path.name) or _MAGIC.search(str(path.parent)) or not path.parent.is_dir():
        return []
    found = sorted(
        (p for p in path.parent.glob(path.name) if not p.name.startswith(".")),
        key=lambda found: natural_key(found.name),
    )
    if not found:
        raise DamagedFile(f"No file fits {text}. Check the folder and the pattern.")
    return found


def _are_paths(given: Sequence[Any]) -> bool:
    return len(given) > 0 and all(isinstance(path, str | os.PathLike) for path in given)


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return what to sort names by, so that 2 comes before 10.

    Examples
    --------
    >>> sorted(["s10", "s2", "S1"], key=natural_key)
    ['S1', 's2', 's10']
    """
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def address_of(files: Sequence[Path]) -> str:
    """Return one text for several files, from which they are found again: the first, the others from its
    folder.

    Examples
    --------
    >>> address_of([Path("imc/dapi.tif"), Path("imc/cd3.tif")])
    'imc/dapi.tif|cd3.tif'
    """
    first = files[0]
    others = [os.path.relpath(path, first.parent) for path in files[1:]]
    return MARK.join([first.as_posix(), *(Path(other).as_posix() for other in others)])


def open_files(files: Sequence[Path], opener: Callable[[Path], Slide]) -> Slide:
    """Open several files as the channels of one slide.

    Parameters
    ----------
    files : sequence of Path
        In the order of the channels.
    opener : callable
        Opens one of them.

    Returns
    -------
    Slide
        Channels are named after the files, by what the names do not have in common; a file with several
        channels keeps their names behind its own. Levels are those that all files have.

    Raises
    ------
    DamagedFile
        Sizes or pixel sizes differ; the message says how. Or one cannot be read.
    """
    slides: list[Slide] = []
    try:
        for path in files:
            slides.append(opener(path))
        _check_alike(files, slides)
        if len(slides) == 1:
            return slides[0]
        return _joined(files, slides)
    except BaseException:
        for slide in slides:
            slide.close()
        raise


def _check_alike(files: Sequence[Path], slides: Sequence[Slide]) -> None:
    first = slides[0]
    for path, slide in zip(files[1:], slides[1:], strict=True):
        if slide.shape != first.shape:
            raise DamagedFile(
                f"{path.name} has {slide.shape[1]} x {slide.shape[0]} pixels and {files[0].name} "
                f"{first.shape[1]} x {first.shape[0]}: they are not the channels of one slide."
            )
        sizes = first.pixel_size_um, slide.pixel_size_um
        if None not in sizes and not np.allclose(sizes[0] or 0, sizes[1] or 0, rtol=1e-3):
            raise DamagedFile(
                f"{path.name} has pixels of {_micrometres(slide)} and {files[0].name} of "
                f"{_micrometres(first)}: they are not the channels of one slide. Give the pixel size, "
                "if one is wrong."
            )


def _micrometres(slide: Slide) -> str:
    y, x = slide.world_pixel_size
    return f"{y:g} µm" if y == x else f"{y:g} x {x:g} µm"


def _joined(files: Sequence[Path], slides: Sequence[Slide]) -> Slide:
    """Put the channels of slides of one size behind one another."""
    levels = slides[0].levels
    while len(levels) > 1 and any(slide.levels[: len(levels)] != levels for slide in slides):
        levels = levels[:-1]
    names = channel_names([path.name for path in files])
    channels = tuple(
        Channel(name if len(slide.channels) == 1 else f"{name} {channel.name}", channel.colour)
        for name, slide in zip(names, slides, strict=True)
        for channel in slide.channels
    )
    dtype = np.result_type(*(slide.dtype for slide in slides))
    sizes = [slide.pixel_size_um for slide in slides if slide.pixel_size_um is not None]
    return replace(
        slides[0],
        name=f"{_common_name(files)}",
        levels=levels,
        channels=channels,
        dtype=dtype,
        source=_Files(slides, dtype),
        pixel_size_um=sizes[0] if sizes else None,
        is_rgb=False,
        background=0.0,
        path=address_of(files),
        metadata={**slides[0].metadata, "files": tuple(str(path) for path in files[1:])},
    )


def channel_names(names: Sequence[str]) -> list[str]:
    """Name channels after their files: without endings, and without what all begin and end with.

    Only whole words go: what stands between letters and digits and other signs.

    Examples
    --------
    >>> channel_names(["case1_DAPI.ome.tif", "case1_CD3.ome.tif"]), channel_names(["a.tif", "b.tif"])
    (['DAPI', 'CD3'], ['a', 'b'])
    """
    stems = [re.sub(r"(\.ome)?\.[^.]+$", "", name, flags=re.IGNORECASE) for name in names]
    words = [re.split(r"(?<=[_\-. ])", stem) for stem in stems]
    shortest = min(len(parts) for parts in words)
    start = 0
    while start < shortest - 1 and len({parts[start] for parts in words}) == 1:
        start += 1
    end = 0
    while end < shortest - 1 - start and len({parts[-1 - end] for parts in words}) == 1:
        end += 1
    short = ["".join(parts[start : len(parts) - end]).strip("_-. ") for parts in words]
    return short if len(set(short)) == len(names) and all(short) else stems


def _common_name(files: Sequence[Path]) -> str:
    """Name the slide after what its files' names begin with, or after their folder."""
    common = os.path.commonprefix([path.name for path in files]).rstrip("_-. ")
    return common if len(common) > 2 else files[0].absolute().parent.name or files[0].name


class _Files:
    """Pixels of several files, one after the other."""

    def __init__(self, slides: Sequence[Slide], dtype: np.dtype[Any]) -> None:
        self._slides, self._dtype = tuple(slides), dtype
        self._places = [(slide, k) for slide in slides for k in range(len(slide.channels))]

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        wanted = range(len(self._places)) if channels is None else channels
        out = np.empty((len(wanted), *region.shape), self._dtype)
        for row, channel in enumerate(wanted):
            slide, k = self._places[channel]
            out[row] = slide.read(level, region, [k])[0]
        return out

    def close(self) -> None:
        """Close all files."""
        for slide in self._slides:
            slide.close()
