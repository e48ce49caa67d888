"""What napari opens through this plugin: slides, landmark tables and registrations."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_histreg.errors import ReadError
from napari_histreg.plugin.layers.slides import LayerData, link_channels, slide_layers, slides_in
from napari_histreg.plugin.models.volume_planes import VolumePlanes
from napari_histreg.slides import Slide, open_slide
from napari_histreg.slides.opening import READERS

if TYPE_CHECKING:
    from napari_histreg.plugin.models import ChosenSlide, Session, Side

__all__ = [
    "get_landmark_reader",
    "get_projection_reader",
    "get_registration_reader",
    "get_slide_reader",
    "link_when_added",
    "read_slides",
]

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
Reader = Callable[[Paths], list[LayerData]]

NOT_HERE = ("napari", "acrobat")
"""napari reads its own tables; those of ACROBAT only make sense as two, which ``histreg convert`` takes."""
LARGEST_ANNOTATIONS = 500_000_000
LARGEST_TABLE = 20_000_000
"""Bytes; a longer table holds cells, not landmarks, and would take long to look at."""
PLANES_TITLE = "Planes of a volume"
NOTHING_TO_ADD: list[LayerData] = [(None,)]  # type: ignore[list-item]
"""What napari takes as: read well, but there is no layer to add."""


def get_slide_reader(path: Paths) -> Reader | None:
    """Return the reader of slides, or None where a file's name is not a slide's.

    No file is opened; of folders it is seen whether they hold DICOM.
    """
    suffixes = tuple(suffix for spec in READERS for suffix in spec.suffixes)
    names = [Path(name) for name in _listed(path)]
    if all(name.name.lower().endswith(suffixes) or _is_dicom_folder(name) for name in names):
        return read_slides
    return None


def get_landmark_reader(path: Paths) -> Reader | None:
    """Return the reader of landmark tables and annotations, or None where the file is neither."""
    names = [Path(name) for name in _listed(path)]
    if all(name.name == "matrix.csv" and _is_registration(name.parent) for name in names):
        return read_registrations
    return read_landmark_tables if all(_is_landmarks(Path(name)) for name in _listed(path)) else None


def get_registration_reader(path: Paths) -> Reader | None:
    """Return the reader of registration.json, or of the folder that holds one; None for other files."""
    return read_registrations if all(_is_registration(Path(name)) for name in _listed(path)) else None


def get_projection_reader(path: Paths) -> Reader | None:
    """Return the reader of tomographic series, or None where a file's name is not one's; opens nothing."""
    from napari_histreg.projections.opening import HDF5, MRC

    names = [Path(name).name.lower() for name in _listed(path)]
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

    return [series_layer(open_projections(_listed(path)[0]))]


def read_slides(path: Paths) -> list[LayerData]:
    """Open a slide lazily; several files given at once are the channels of one.

    napari gives them at once where they were dropped with Shift held, or opened as a stack.

    Raises
    ------
    ReadError
        A file cannot be used; the message says why and what to do.
    """
    from napari.utils.notifications import show_info

    names = _listed(path)
    slide = open_slide(names[0] if len(names) == 1 else names)
    if slide.unit == "px":
        show_info(f"{slide.name} does not say how large its pixels are: it is shown in pixels.")
    link_when_added()
    if VolumePlanes.has_planes(slide):
        _show_planes()
    return slide_layers(slide)


def read_landmark_tables(path: Paths) -> list[LayerData]:
    """Read landmarks into the session where two slides are chosen, else into Points layers.

    Raises
    ------
    LandmarkError
        The table cannot be understood; the message names line and column.
    """
    from napari_histreg.landmarks import DIALECTS
    from napari_histreg.landmarks.sniffing import guess_dialect
    from napari_histreg.plugin.layers.annotations import is_annotations

    layers: list[LayerData] = []
    for name in _listed(path):
        if _is_geojson(Path(name)) and is_annotations(Path(name)):
            layers += _annotations(Path(name))
            continue
        dialect = guess_dialect(Path(name))
        one_sided = DIALECTS[dialect].side_files
        layers += _one_side(Path(name), dialect) if one_sided else _both_sides(Path(name))
    return layers or NOTHING_TO_ADD


def read_registrations(path: Paths) -> list[LayerData]:
    """Open the slides of registrations, the moving one laid onto the fixed one.

    Raises
    ------
    ReadError
        The record is damaged, or neither of its slides can be found.
    """
    from napari_histreg.plugin.layers.registration import registration_layers

    named = [Path(name) for name in _listed(path)]
    files = [file.parent if file.name == "matrix.csv" else file for file in named]
    layers = [layer for file in files for layer in registration_layers(file)]
    link_when_added()
    return layers


def _is_dicom_folder(path: Path) -> bool:
    from napari_histreg.volumes.sniffing import kind_of

    return path.is_dir() and kind_of(path) == "dicom folder"


def _show_planes() -> None:
    """Bring up the slider through the planes, where there is a window that has none yet."""
    viewer = _viewer()
    window = getattr(viewer, "window", None)
    if window is None or PLANES_TITLE in window.dock_widgets:
        return
    window.add_dock_widget(_planes_widget(viewer), name=PLANES_TITLE, area="right", tabify=False)


def _planes_widget(viewer: Any) -> Any:
    from napari_histreg.plugin.widgets.planes_widget import PlanesWidget

    return PlanesWidget(viewer)


def _both_sides(path: Path) -> list[LayerData]:
    from napari_histreg.landmarks import read_landmarks
    from napari_histreg.plugin.layers.landmarks import landmark_layers

    viewer = _viewer()
    slides = [] if viewer is None else slides_in(viewer.layers)
    session = _ready_session(viewer)
    fixed = moving = None
    if session is not None:
        fixed, moving = _slide(session.fixed), _slide(session.moving)
    elif len(slides) == 2:
        fixed, moving = slides
    sizes = [(1.0, 1.0) if slide is None else slide.world_pixel_size for slide in (fixed, moving)]
    landmarks = read_landmarks(path, fixed_pixel_size=sizes[0], moving_pixel_size=sizes[1])
    if session is not None:
        session.replace_landmarks(landmarks, f"load {path.name}")
        return []
    return landmark_layers(landmarks, fixed, moving)


def _one_side(path: Path, dialect: str) -> list[LayerData]:
    """Read a table of one slide's points; they go onto the slide whose layer is selected."""
    from napari.utils.notifications import show_info

    from napari_histreg.landmarks import read_landmarks
    from napari_histreg.plugin.layers.landmarks import landmark_layer

    viewer = _viewer()
    slide = _selected_slide(viewer)
    size = (1.0, 1.0) if slide is None else slide.world_pixel_size
    points = read_landmarks(
        path, dialect=dialect, moving_path=path, fixed_pixel_size=size, moving_pixel_size=size
    )
    session = _ready_session(viewer)
    if session is not None and slide is not None:
        side: Side = "moving" if slide is _slide(session.moving) else "fixed"
        session.take_points(side, points.names, points.fixed, f"load {path.name}")
        show_info(
            f"{path.name}: {len(points)} points of the {side} slide. Those of the other slide pair with them "
            "by name: select a layer of that slide and drop their file, or click them."
        )
        return []
    data, options, kind = landmark_layer(points, slide, "fixed")
    return [(data, {**options, "name": path.stem}, kind)]


def _annotations(path: Path) -> list[LayerData]:
    """Read annotations onto the slide whose layer is selected, or else the fixed one."""
    from napari.utils.notifications import show_info

    from napari_histreg.plugin.layers.annotations import annotation_layer
    from napari_histreg.plugin.layers.slides import image_layers

    viewer = _viewer()
    slide = _selected_slide(viewer)
    if slide is None:
        raise ReadError(f"{path.name} holds annotations, which lie on a slide. Open the slide first.")
    image = image_layers(viewer.layers, slide)[0]
    data, options, kind = annotation_layer(path, slide, image.affine.affine_matrix)
    options |= {"scale": image.scale, "units": image.units}
    show_info(
        f"{options['name']}: {len(data)} outlines on {slide.name}. Export > Annotations and cells carries "
        "the whole file to the other slide, outlines that are edited here as they are then."
    )
    return [(data, options, kind)]


def _selected_slide(viewer: Any) -> Slide | None:
    from napari_histreg.plugin.layers.slides import slide_of

    if viewer is None:
        return None
    active = viewer.layers.selection.active
    selected = None if active is None else slide_of(active)
    session, slides = _ready_session(viewer), slides_in(viewer.layers)
    if selected is not None or session is None:
        return selected or (slides[0] if slides else None)
    return _slide(session.fixed)


def _is_geojson(path: Path) -> bool:
    return path.suffix.lower() in (".geojson", ".json")


def _listed(path: Paths) -> list[str]:
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    return [os.fspath(name) for name in paths]


def _is_landmarks(path: Path) -> bool:
    """Tell by a file's first lines whether it is a table of landmarks that can be opened by itself."""
    from napari_histreg.errors import HistregError
    from napari_histreg.files import read_bytes
    from napari_histreg.landmarks.sniffing import guess_dialect

    try:
        if path.suffix.lower() == ".geojson":
            return path.stat().st_size < LARGEST_ANNOTATIONS
        if path.stat().st_size > LARGEST_TABLE:
            return False
        if path.suffix.lower() == ".json":
            return b'"fixedPoints"' in read_bytes(path, limit=LARGEST_TABLE)
        return guess_dialect(path) not in NOT_HERE
    except (HistregError, OSError):
        return False


def _is_registration(path: Path) -> bool:
    from napari_histreg.errors import ReadError
    from napari_histreg.files.reading import opened
    from napari_histreg.records.schema import FORMAT

    file = path / "registration.json" if path.is_dir() else path
    try:
        with opened(file) as stream:
            return FORMAT.encode() in stream.read(4096)
    except (OSError, ReadError):
        return False


def _viewer() -> Any:
    from napari import current_viewer

    return current_viewer()


def _ready_session(viewer: Any) -> "Session | None":
    from napari_histreg.plugin.viewer.session_registry import session_of

    session = None if viewer is None else session_of(viewer)
    return session if session is not None and session.is_ready else None


def _slide(chosen: "ChosenSlide | None") -> Slide | None:
    return None if chosen is None else chosen.slide


def link_when_added() -> None:
    """Have the channels that are about to be added linked: a reader never sees the layers themselves."""
    viewer = _viewer()
    if viewer is not None:
        viewer.layers.events.inserted.connect(_link_inserted)


def _link_inserted(event: Any) -> None:
    link_channels(event.source)
