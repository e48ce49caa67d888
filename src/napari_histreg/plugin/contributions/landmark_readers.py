"""What napari opens through this plugin: landmark tables and annotations."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_histreg.errors import ReadError
from napari_histreg.plugin.contributions.given_paths import NOTHING_TO_ADD, Paths, Reader, listed
from napari_histreg.plugin.contributions.readers import is_registration, present_viewer, read_registrations
from napari_histreg.plugin.layers.slides import LayerData, slides_in
from napari_histreg.slides import Slide

if TYPE_CHECKING:
    from napari_histreg.plugin.models import ChosenSlide, Session, Side

__all__ = ["get_landmark_reader", "read_landmark_tables"]

NOT_HERE = ("napari", "acrobat")
"""napari reads its own tables; those of ACROBAT only make sense as two, which ``histreg convert`` takes."""
LARGEST_ANNOTATIONS = 500_000_000
LARGEST_TABLE = 20_000_000
"""Bytes; a longer table holds cells, not landmarks, and would take long to look at."""


def get_landmark_reader(path: Paths) -> Reader | None:
    """Return the reader of landmark tables and annotations, or None where the file is neither."""
    names = listed(path)
    if all(name.name == "matrix.csv" and is_registration(name.parent) for name in names):
        return read_registrations
    return read_landmark_tables if all(_is_landmarks(name) for name in names) else None


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
    for name in listed(path):
        if _is_geojson(name) and is_annotations(name):
            layers += _annotations(name)
            continue
        dialect = guess_dialect(name)
        one_sided = DIALECTS[dialect].side_files
        layers += _one_side(name, dialect) if one_sided else _both_sides(name)
    return layers or NOTHING_TO_ADD


def _both_sides(path: Path) -> list[LayerData]:
    from napari_histreg.landmarks import read_landmarks
    from napari_histreg.plugin.layers.landmarks import landmark_layers

    viewer = present_viewer()
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

    viewer = present_viewer()
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

    viewer = present_viewer()
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


def _ready_session(viewer: Any) -> "Session | None":
    from napari_histreg.plugin.viewer.session_registry import session_of

    session = None if viewer is None else session_of(viewer)
    return session if session is not None and session.is_ready else None


def _slide(chosen: "ChosenSlide | None") -> Slide | None:
    return None if chosen is None else chosen.slide
