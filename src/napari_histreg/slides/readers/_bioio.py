"""Microscope files that bioio reads: Nikon .nd2, Leica .lif, Zeiss .czi."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_histreg.errors import MissingDependency
from napari_histreg.optional import require
from napari_histreg.slides.readers._array import read_array
from napari_histreg.slides.readers._border import ReadOptions, wrapped
from napari_histreg.slides.slide import Channel, Slide

__all__ = ["read_bioio"]

_EXTRAS = {".czi": "czi"}


def read_bioio(path: Path, options: ReadOptions) -> Slide:
    """Open a file through bioio, lazily, plane by plane.

    bioio shows no pyramids, so coarser levels are computed from the finest when they are first needed.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        Series (a "scene" in bioio), focal plane and time point; the largest scene by default.

    Returns
    -------
    Slide

    Raises
    ------
    MissingDependency
        bioio or its plug-in for this kind of file is not installed.
    DamagedFile
        The file cannot be decoded.
    ValueError
        There is no such series, focal plane or time point.
    """
    extra = _EXTRAS.get(path.suffix.lower(), "bioio")
    bioio = require("bioio", extra=extra)
    exceptions = require("bioio_base.exceptions", extra=extra)
    with wrapped(str(path), "cannot be read by bioio"):
        try:
            image = bioio.BioImage(path)
            scenes = list(image.scenes)
            sizes = [_area(image, scene) for scene in scenes]
        except exceptions.UnsupportedFileFormatError as error:
            raise MissingDependency(
                f"{path.name} needs a plug-in of bioio that is not installed. "
                f'Install it with: pip install "napari-histreg[{extra}]"'
            ) from error
    number = options.series if options.series is not None else sizes.index(max(sizes))
    if not 0 <= number < len(scenes):
        raise ValueError(f"{path} has series 0 to {len(scenes) - 1}, not {number}.")
    image.set_scene(scenes[number])
    for letter, wanted in (("Z", options.z), ("T", options.t)):
        count = int(getattr(image.dims, letter))
        if not 0 <= wanted < count:
            raise ValueError(f"{path} has {letter} from 0 to {count - 1}, not {wanted}.")
    with wrapped(str(path), "cannot be read by bioio"):
        return _slide(image, path, options)


def _area(image: Any, scene: str) -> int:
    image.set_scene(scene)
    return int(image.dims.Y) * int(image.dims.X)


def _slide(image: Any, path: Path, options: ReadOptions) -> Slide:
    is_rgb = "S" in image.dims.order
    order = "YXS" if is_rgb else "CYX"
    slide = read_array(image.get_image_dask_data(order, T=options.t, Z=options.z), name=path.name)
    names = [str(name) for name in image.channel_names or ()]
    channels = slide.channels
    if not is_rgb and len(names) == len(channels):
        channels = tuple(Channel(name) for name in names)
    size = image.physical_pixel_sizes
    known = bool(size.Y and size.X)
    return replace(
        slide,
        channels=channels,
        pixel_size_um=(float(size.Y), float(size.X)) if known else None,
        path=str(path),
        vendor="bioio",
    )
