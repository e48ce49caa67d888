"""Reader of CT, MR and other volumes, of which one plane is a slide."""

from dataclasses import replace
from pathlib import Path

from napari_histreg.slides.address import PlaneChoice
from napari_histreg.slides.readers._border import ReadOptions
from napari_histreg.slides.slide import Slide
from napari_histreg.slides.volume_planes import plane_slide
from napari_histreg.volumes.opening import open_volume

__all__ = ["read_volume_plane"]


def read_volume_plane(path: Path, options: ReadOptions) -> Slide:
    """Open one plane of a DICOM file or folder, NIfTI, NRRD or MetaImage.

    Parameters
    ----------
    path : Path
        The file or folder.
    options : ReadOptions
        Which plane; the middle one by default. `series` is a series' number, `z` an index, `t` a time point.

    Returns
    -------
    Slide
        With the spacing of the plane as its pixel size.

    Raises
    ------
    ReadError
        The file cannot be used.
    ValueError
        There is no such plane.
    """
    choice = options.choice or PlaneChoice()
    if choice.series is None and options.series is not None:
        choice = replace(choice, series=str(options.series))
    if choice.index is None and options.z:
        choice = replace(choice, index=options.z)
    if not choice.t and options.t:
        choice = replace(choice, t=options.t)
    return plane_slide(open_volume(path, series=choice.series, t=choice.t), choice)
