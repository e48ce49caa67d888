"""What napari opens through this plugin: slides, registrations and tomographic series."""

from pathlib import Path
from typing import Any

from napari_histreg.plugin.contributions.given_paths import Paths, Reader, listed, says_format
from napari_histreg.plugin.layers.slides import LayerData, link_channels, slide_layers
from napari_histreg.plugin.models.volume_planes import VolumePlanes
from napari_histreg.slides import open_slide
from napari_histreg.slides.opening import READERS

__all__ = [
    "get_projection_reader",
    "get_registration_reader",
    "get_slide_reader",
    "is_registration",
    "link_when_added",
    "present_viewer",
    "read_registrations",
    "read_slides",
]


PLANES_TITLE = "Planes of a volume"


def get_slide_reader(path: Paths) -> Reader | None:
    """Return the reader of slides, or None where a file's name is not a slide's.

    No file is opened; of folders it is seen whether they hold DICOM.
    """
    suffixes = tuple(suffix for spec in READERS for suffix in spec.suffixes)
    names = listed(path)
    if all(name.name.lower().endswith(suffixes) or _is_dicom_folder(name) for name in names):
        return read_slides
    return None


def get_registration_reader(path: Paths) -> Reader | None:
    """Return the reader of registration.json, or of the folder that holds one; None for other files."""
    return read_registrations if all(is_registration(name) for name in listed(path)) else None


def get_projection_reader(path: Paths) -> Reader | None:
    """Return the reader of tomographic series, or None where a file's name is not one's; opens nothing."""
    from napari_histreg.projections.opening import HDF5, MRC

    names = [name.name.lower() for name in listed(path)]
    return read_projections if len(names) == 1 and names[0].endswith(HDF5 + MRC) else None


def read_projections(path: Paths) -> list[LayerData]:
    """Open a series of projections lazily, as one layer with a slider.

    Raises
    ------
    ReadError
        The file cannot be used, or does not hold its angles.
    """
    from napari_histreg.plugin.layers.projections import series_layer
    from napari_histreg.projections import open_projections

    return [series_layer(open_projections(listed(path)[0]))]


def read_slides(path: Paths) -> list[LayerData]:
    """Open a slide lazily; several files given at once are the channels of one.

    napari gives them at once where they were dropped with Shift held, or opened as a stack.

    Raises
    ------
    ReadError
        A file cannot be used; the message says why and what to do.
    """
    from napari.utils.notifications import show_info

    names = listed(path)
    slide = open_slide(names[0] if len(names) == 1 else names)
    if slide.unit == "px":
        show_info(f"{slide.name} does not say how large its pixels are: it is shown in pixels.")
    link_when_added()
    if VolumePlanes.has_planes(slide):
        _show_planes()
    return slide_layers(slide)


def read_registrations(path: Paths) -> list[LayerData]:
    """Open the slides of registrations, the moving one laid onto the fixed one.

    Raises
    ------
    ReadError
        The record is damaged, or neither of its slides can be found.
    """
    from napari_histreg.plugin.layers.registration import registration_layers

    files = [file.parent if file.name == "matrix.csv" else file for file in listed(path)]
    layers = [layer for file in files for layer in registration_layers(file)]
    link_when_added()
    return layers


def _is_dicom_folder(path: Path) -> bool:
    from napari_histreg.volumes.sniffing import kind_of

    return path.is_dir() and kind_of(path) == "dicom folder"


def _show_planes() -> None:
    """Bring up the slider through the planes, where there is a window that has none yet."""
    from napari_histreg.plugin.widgets.planes_widget import PlanesWidget

    viewer = present_viewer()
    window = getattr(viewer, "window", None)
    if window is None or PLANES_TITLE in window.dock_widgets:
        return
    window.add_dock_widget(PlanesWidget(viewer), name=PLANES_TITLE, area="right", tabify=False)


def is_registration(path: Path) -> bool:
    """Tell whether a file is a registration.json, or a folder holds one."""
    from napari_histreg.records.schema import FORMAT

    return says_format(path / "registration.json" if path.is_dir() else path, FORMAT, within=4096)


def present_viewer() -> Any:
    """Return the viewer that is being worked in; None where there is no window."""
    from napari import current_viewer

    return current_viewer()


def link_when_added() -> None:
    """Have the channels that are about to be added linked: a reader never sees the layers themselves."""
    viewer = present_viewer()
    if viewer is not None:
        viewer.layers.events.inserted.connect(_link_inserted)


def _link_inserted(event: Any) -> None:
    link_channels(event.source)
