"""Planes of CT, MR and other volumes as slides."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.slides.address import PlaneChoice
from napari_histreg.slides.readers._array import read_array
from napari_histreg.slides.slide import Slide
from napari_histreg.volumes.planes import Plane, plane_of
from napari_histreg.volumes.volume import Volume

__all__ = ["plane_slide", "plane_slides"]

UM_PER_MM = 1000.0


def plane_slide(volume: Volume, choice: PlaneChoice | None = None) -> Slide:
    """Make a slide of one plane of a volume.

    Parameters
    ----------
    volume : Volume
    choice : PlaneChoice, optional
        Which plane, and the window of its values; the middle one with all its values by default.

    Returns
    -------
    Slide
        Its `path` names the plane too; its `metadata` hold modality, plane, index, count and `to_patient`.

    Raises
    ------
    ValueError
        There is no such plane.

    Examples
    --------
    >>> from napari_histreg.volumes import Volume
    >>> volume = Volume("ct", np.zeros((4, 30, 20), np.int16), np.diag([5, 0.5, 0.5, 1.0]), modality="CT")
    >>> slide = plane_slide(volume, PlaneChoice("axial", 1))
    >>> slide.name, slide.shape, slide.pixel_size_um, slide.metadata["modality"]
    ('ct axial 1', (30, 20), (500.0, 500.0), 'CT')
    """
    choice = choice or PlaneChoice()
    plane = plane_of(volume, choice.plane, choice.index)  # type: ignore[arg-type]
    where = replace(choice, plane=plane.name, index=plane.index if plane.name else None)
    slide = read_array(_windowed(plane.pixels, choice.window))
    y, x = plane.spacing_mm
    return replace(
        slide,
        name=volume.name if plane.name is None else f"{volume.name} {plane.name} {plane.index}",
        pixel_size_um=(y * UM_PER_MM, x * UM_PER_MM) if volume.is_scaled else None,
        # Pictures of a body are dark around it, colours or not; air is -1000 Hounsfield units.
        background=0.0 if volume.is_rgb else _air(plane.pixels, choice.window),
        path=None if volume.path is None else where.of(volume.path),
        metadata=_told(volume, plane),
    )


def plane_slides(
    volume: Volume, choice: PlaneChoice, plane: str | None = None, first: int = 0, last: int | None = None
) -> list[Slide]:
    """Make slides of neighbouring planes of a volume.

    Parameters
    ----------
    volume : Volume
    choice : PlaneChoice
        Series, time point and window; its plane, where it names one, goes before `plane`.
    plane : {"axial", "coronal", "sagittal"}, optional
        Which way; `usual_plane` by default.
    first, last : int
        Which planes, both included; all from `first` on where `last` is None.

    Raises
    ------
    ValueError
        There are no such planes.

    Examples
    --------
    >>> from napari_histreg.volumes import Volume
    >>> volume = Volume("ct", np.zeros((4, 30, 20), np.int16), np.diag([5, 0.5, 0.5, 1.0]))
    >>> [slide.metadata["index"] for slide in plane_slides(volume, PlaneChoice("axial"), first=1, last=2)]
    [1, 2]
    """
    choice = replace(choice, plane=choice.plane or plane)
    count = plane_slide(volume, replace(choice, index=None)).metadata["count"]
    end = count - 1 if last is None else last
    return [plane_slide(volume, replace(choice, index=k)) for k in range(first, end + 1)]


def _told(volume: Volume, plane: Plane) -> dict[str, Any]:
    return {
        "modality": volume.modality,
        "plane": plane.name,
        "index": plane.index,
        "count": plane.count,
        "to_patient": plane.to_patient,
    }


def _air(pixels: NDArray[Any], window: tuple[float, float] | None) -> float:
    """Return the value of what the plane does not show; under a window it is that of air seen through it."""
    lowest = min(0.0, float(np.min(pixels)))
    return lowest if window is None else max(lowest, window[0] - window[1] / 2)


def _windowed(pixels: NDArray[Any], window: tuple[float, float] | None) -> NDArray[Any]:
    """Cut values off outside a window, given by centre and width."""
    if window is None or pixels.ndim == 3:
        return pixels if pixels.ndim == 2 else _eight_or_sixteen(pixels)
    low, high = window[0] - window[1] / 2, window[0] + window[1] / 2
    return np.asarray(np.clip(pixels.astype(np.float32), low, high), np.float32)


def _eight_or_sixteen(pixels: NDArray[Any]) -> NDArray[Any]:
    """Bring colours to the types that pictures have."""
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels
    low, high = float(pixels.min()), float(pixels.max())
    scaled = (pixels.astype(np.float32) - low) / max(high - low, 1e-12)
    return np.asarray(np.rint(scaled * 255), np.uint8)
