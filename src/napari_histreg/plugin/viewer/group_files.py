"""Sittings with many slides as files: open again with the slides that belong to them; channels joined."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_histreg.errors import ReadError
from napari_histreg.groups.document import read_group
from napari_histreg.plugin.layers.slides import add_slide, image_layers
from napari_histreg.plugin.models import ChosenSlide
from napari_histreg.plugin.models.chosen_slide import slide_key
from napari_histreg.plugin.models.group_file import SavedGroup, read_group_session
from napari_histreg.plugin.models.group_model import GroupModel
from napari_histreg.plugin.models.session_state import SessionState
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.plugin.viewer.recorded_slides import AskWhere, open_recorded
from napari_histreg.slides import Slide, open_slide
from napari_histreg.slides.several_files import files_of
from napari_histreg.transforms import Affine

__all__ = ["join_channels", "open_group_record", "open_group_session"]


def open_group_session(
    viewer: Any, sync: LayerSync, model: GroupModel, path: str | Path, ask: AskWhere
) -> bool:
    """Open a sitting: its slides, unless the viewer shows them already, and everything else.

    Parameters
    ----------
    viewer : napari.Viewer
    sync : LayerSync
        Of this viewer.
    model : GroupModel
    path : path-like
    ask : callable
        Called for each slide that is not where it was; None gives up.

    Returns
    -------
    bool
        False where the user gave up.

    Raises
    ------
    ReadError
        The session or a slide cannot be read, or a slide is another one.
    """
    saved = read_group_session(path)
    records = [("group's", record) for record in saved.slides]
    slides = open_recorded(viewer, sync, records, Path(path).resolve().parent, ask)
    if slides is None:
        return False
    model.set_open(sync.slides)
    _remember_pairs(sync, saved, slides)
    saved.apply(model, slides)
    return True


def open_group_record(
    viewer: Any, sync: LayerSync, model: GroupModel, path: str | Path, ask: AskWhere
) -> bool:
    """Open a group.json: its slides, unless the viewer shows them already, and the result.

    Parameters
    ----------
    viewer, sync, model, path, ask
        As for `open_group_session`.

    Returns
    -------
    bool
        False where the user gave up.

    Raises
    ------
    ReadError
        The record or a slide cannot be read, or a slide is another one.
    """
    group, folder = read_group(path), Path(path).resolve().parent
    records = [("group's", member.slide) for member in group.members]
    slides = open_recorded(viewer, sync, records, folder, ask)
    if slides is None:
        return False
    model.set_open(sync.slides)
    sync.choose(None, None)
    for link in group.links:
        if link.by_hand and link.outcome.landmarks is not None:
            fixed, moving = (ChosenSlide(slide_key(slides[k]), slides[k]) for k in (link.fixed, link.moving))
            placement = link.outcome.fixed_to_moving or Affine.identity()
            state = SessionState(placement=placement).with_landmarks(link.outcome.landmarks)
            sync.session.remember(fixed, moving, state)
    options = model.options
    options.order, options.model = "given" if group.ordered else "none", group.model
    options.method, options.parameters = group.method, group.parameters
    model.folder = folder
    for slide in model.open:
        model.include(slide, any(slide is other for other in slides))
    model.restore(group, slides)
    return True


def _remember_pairs(sync: LayerSync, saved: SavedGroup, slides: Sequence[Slide]) -> None:
    """Give the session the pairs of all two slides, for when these are chosen."""
    sync.choose(None, None)
    places = {} if saved.group is None else {k: at for at, k in enumerate(saved.document.members)}
    for (first, second), pairs in saved.landmarks.items():
        state = SessionState().with_landmarks(pairs)
        group, ends = saved.group, (places.get(first), places.get(second))
        if group is not None and all(end in group.placed for end in ends):
            placement = group.between(*ends)  # type: ignore[arg-type]  # both are there
            state = SessionState(placement=placement).with_landmarks(pairs)
        fixed, moving = (ChosenSlide(slide_key(slides[k]), slides[k]) for k in (first, second))
        sync.session.remember(fixed, moving, state)


def join_channels(viewer: Any, sync: LayerSync, slides: Sequence[Slide]) -> Slide:
    """Put slides that are the channels of one, a file each, together in the viewer.

    Raises
    ------
    ReadError
        One has no file, or sizes or pixel sizes differ; the message says how.
    """
    files: list[Path] = []
    for slide in slides:
        if slide.path is None:
            raise ReadError(f"{slide.name} was not opened from a file of its own. Open its file first.")
        files += files_of(slide.path) or [Path(slide.path)]
    sizes = {slide.pixel_size_um for slide in slides if slide.pixel_size_um is not None}
    joined = open_slide(files, pixel_size_um=sizes.pop() if len(sizes) == 1 else None)
    for slide in slides:
        for layer in image_layers(sync.layers, slide):
            viewer.layers.remove(layer)
    add_slide(viewer, joined)
    return joined
