"""The folder of results: aligned stack, tables, record, preview, report."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_histreg.errors import WriteError
from napari_histreg.files import written_whole
from napari_histreg.optional import require
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.projections.alignment import ProjectionAlignment
from napari_histreg.projections.arrays import Floats
from napari_histreg.projections.preview import Slices, reconstructed, row_of
from napari_histreg.projections.report import report_page
from napari_histreg.projections.series import ProjectionSeries
from napari_histreg.projections.tables import TABLES, record_json
from napari_histreg.projections.work import line_levelled

__all__ = ["write_projections"]

HEIGHTS = (0.35, 0.5, 0.65)


def write_projections(
    found: ProjectionAlignment,
    series: ProjectionSeries,
    folder: str | Path,
    *,
    stack: Literal["tiff", "hdf5", "none"] = "tiff",
    progress: Progress = silent,
) -> list[Path]:
    """Write all results of a series into a folder; frames are read one at a time.

    Parameters
    ----------
    found : ProjectionAlignment
        The shifts.
    series : ProjectionSeries
        The frames.
    folder : path-like
        Made where it is not there. Files of the same names are replaced.
    stack : "tiff", "hdf5" or "none"
        As what the aligned stack is written: OME-TIFF, DataExchange, or not at all.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    list of Path
        ``alignment.json``, ``shifts.csv`` and those for other tools, and, unless the series was refused,
        ``aligned.ome.tif`` or ``aligned.h5`` with the frames in use, ``angles.txt`` of them,
        ``preview.ome.tif`` and ``report.html``.

    Raises
    ------
    WriteError
        Something cannot be written.
    MissingDependency
        HDF5 is asked for and h5py is not installed.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"The folder {target} cannot be made: {error.strerror or error}.") from error
    texts: dict[str, str] = {"alignment.json": record_json(found)}
    texts |= {name: table(found) for name, table in TABLES.items()}
    texts["angles.txt"] = "".join(f"{angle:.6g}\n" for angle in found.angles_deg[found.used])
    # A refused series is no stack to go on with: the tables and the report say why.
    as_what = "none" if found.verdict == "refused" else stack
    written: list[Path] = []
    with _stack_file(target, found, as_what, written) as put:
        slices = _pass_over(found, series, put, portion(progress, 0.0, 0.85))
    progress(0.9, "drawing the report")
    if slices is not None:
        written.append(_write_preview(target / "preview.ome.tif", slices))
    texts["report.html"] = report_page(found, slices)
    for name, text in texts.items():
        with written_whole(target / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
        written.append(target / name)
    progress(1.0, "written")
    return written


def _pass_over(
    found: ProjectionAlignment,
    series: ProjectionSeries,
    put: Callable[[Floats], None] | None,
    progress: Progress,
) -> Slices | None:
    """Read every frame in use once, for the stack and for the slices."""
    rows = tuple(int(share * (found.shape[0] - 1)) for share in HEIGHTS)
    before: list[list[Floats]] = [[] for _ in rows]
    after: list[list[Floats]] = [[] for _ in rows]
    for view in np.flatnonzero(found.used).tolist():
        progress(view / len(found.angles_deg), "writing")
        frame = series.line_integrals(view).pixels
        if put is not None:
            put(found.aligned(frame, view))
        for k, row in enumerate(rows):
            before[k].append(np.array(row_of(found, frame, view, row, aligned=False)))
            after[k].append(row_of(found, frame, view, row))
    if not before[0]:
        return None
    axis = (found.shape[1] - 1) / 2 if found.axis_px is None else found.axis_px
    angles = found.angles_deg[found.used]
    lines = [np.asarray(part, np.float32) for part in (before, after)]
    if "mass" in found.axis_ways:
        # The sides show the open beam: what it adds would lie as a ring around the slices.
        lines = [np.stack([line_levelled(each) for each in part]) for part in lines]
    slices = [np.stack([reconstructed(each, angles, axis) for each in part]) for part in lines]
    return Slices(rows, lines[0], lines[1], slices[0], slices[1])


@contextmanager
def _stack_file(
    folder: Path, found: ProjectionAlignment, kind: str, written: list[Path]
) -> Iterator[Callable[[Floats], None] | None]:
    """Open the aligned stack for writing frame by frame."""
    if kind == "none":
        yield None
        return
    if kind not in _STACKS:
        raise ValueError(f"There is no stack {kind!r}. Choose one of: {', '.join([*_STACKS, 'none'])}.")
    name, opened = _STACKS[kind]
    with written_whole(folder / name) as temporary, opened(temporary, found) as put:
        yield put
    written.append(folder / name)


@contextmanager
def _ome_tiff(path: Path, found: ProjectionAlignment) -> Iterator[Callable[[Floats], None]]:
    import tifffile

    shape = (int(found.used.sum()), *found.shape)
    size = {} if found.pixel_um is None else _ome_size(found.pixel_um)
    frames = tifffile.memmap(
        path, shape=shape, dtype=np.float32, ome=True, metadata={"axes": "TYX", **size}, bigtiff=True
    )
    yield _filler(frames)
    frames.flush()


@contextmanager
def _data_exchange(path: Path, found: ProjectionAlignment) -> Iterator[Callable[[Floats], None]]:
    h5py: Any = require("h5py", extra="tomography")
    with h5py.File(path, "w") as file:
        shape = (int(found.used.sum()), *found.shape)
        frames = file.create_dataset("exchange/data", shape, np.float32, chunks=(1, *found.shape))
        frames.attrs["axes"] = "theta:y:x"
        frames.attrs["description"] = "line integrals, aligned"
        file["exchange/theta"] = found.angles_deg[found.used]
        file["exchange/theta"].attrs["units"] = "deg"
        if found.axis_px is not None:
            file["process/rotation_axis_px"] = found.axis_px
        if found.pixel_um is not None:
            file["measurement/instrument/detector/x_pixel_size"] = found.pixel_um
            file["measurement/instrument/detector/x_pixel_size"].attrs["units"] = "um"
        yield _filler(frames)


def _filler(frames: Any) -> Callable[[Floats], None]:
    """Return what puts one frame after the other into a stack."""
    place = iter(range(frames.shape[0]))

    def put(frame: Floats) -> None:
        frames[next(place)] = frame

    return put


_STACKS: dict[str, tuple[str, Any]] = {
    "tiff": ("aligned.ome.tif", _ome_tiff),
    "hdf5": ("aligned.h5", _data_exchange),
}


def _write_preview(path: Path, slices: Slices) -> Path:
    """Write the reconstructed slices, before as the first channel and after as the second."""
    import tifffile

    both = np.stack([slices.slices_before, slices.slices_after], 1)
    with written_whole(path) as temporary:
        names = {"Channel": {"Name": ["before", "after"]}}
        tifffile.imwrite(
            temporary, both, ome=True, metadata={"axes": "ZCYX", **names}, photometric="minisblack"
        )
    return path


def _ome_size(pixel_um: float) -> dict[str, Any]:
    size = {"PhysicalSizeX": pixel_um, "PhysicalSizeY": pixel_um}
    return {**size, "PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
