"""Slides of a saved file, opened again: where they were, beside the file, or where the user says."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from napari_histreg.errors import DamagedFile
from napari_histreg.plugin.layers.slides import add_slide
from napari_histreg.plugin.models.session_file import is_same_slide
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.records.record import SlideRecord
from napari_histreg.slides import Slide, open_slide

__all__ = ["AskWhere", "open_recorded"]

AskWhere = Callable[[str, SlideRecord], str | None]
"""Asks the user where a slide lies now; gets its part and its record, returns a path, or None to give up."""


def open_recorded(
    viewer: Any, sync: LayerSync, records: Sequence[tuple[str, SlideRecord]], folder: Path, ask: AskWhere
) -> list[Slide] | None:
    """Return the slides of records; those that the viewer does not show are added to it.

    Nothing is added before all are found.

    Parameters
    ----------
    viewer : napari.Viewer
    sync : LayerSync
        Of this viewer.
    records : sequence of (str, SlideRecord)
        What each slide is called when the user is asked for it, such as "fixed", and what it was.
    folder : Path
        Of the file that names them: slides may have moved together with it.
    ask : callable
        Called for each slide that is not where it was.

    Returns
    -------
    list of Slide or None
        None where the user gave up.

    Raises
    ------
    ReadError
        A file cannot be read, or is another slide.
    """
    known, slides, added = list(sync.slides), [], []
    with ExitStack() as unless_all_are_found:
        for part, record in records:
            slide = next((one for one in known if is_same_slide(one, record)), None)
            if slide is None:
                where = _where_now(record, folder) or ask(part, record)
                if where is None:
                    return None
                slide = unless_all_are_found.enter_context(_opened(where, record, part))
                added.append(slide)
            else:
                known.remove(slide)
            slides.append(slide)
        unless_all_are_found.pop_all()
    for slide in added:
        add_slide(viewer, slide)
    return slides


def _where_now(record: SlideRecord, folder: Path) -> str | None:
    if record.path is None:
        return None
    if Path(record.path).exists():
        return record.path
    beside = folder / Path(record.path).name
    return str(beside) if beside.exists() else None


def _opened(path: str, record: SlideRecord, part: str) -> Slide:
    slide = open_slide(path, pixel_size_um=record.pixel_size_um)
    if not is_same_slide(slide, record):
        slide.close()
        raise DamagedFile(f"{path} is not the {part} slide of this session: its content is another.")
    return slide
