"""The folder of results: aligned stack, tables, record, preview, report."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_histreg.errors import DamagedFile, ReadError, WriteError
from napari_histreg.files import check_outputs, folder_written_whole, read_json
from napari_histreg.files.ownership import check_own, digests, refuse_record
from napari_histreg.files.together import finish_interrupted
from napari_histreg.optional import require
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.projections.alignment import ProjectionAlignment
from napari_histreg.projections.arrays import Floats
from napari_histreg.projections.preview import Slices, reconstructed, row_of
from napari_histreg.projections.report import report_page
from napari_histreg.projections.series import ProjectionSeries
from napari_histreg.projections.tables import RECORD_FORMAT, TABLES, record_json
from napari_histreg.projections.work import line_levelled

__all__ = ["check_projection_folder", "write_projections"]

HEIGHTS = (0.35, 0.5, 0.65)
RECORD, ANGLES, PREVIEW, REPORT = "alignment.json", "angles.txt", "preview.ome.tif", "report.html"


def check_projection_folder(
    folder: str | Path, *, inputs: Iterable[str | Path] = (), overwrite: bool = False
) -> None:
    """Check before an alignment begins that its results may go into a folder.

    Parameters
    ----------
    folder : path-like
        It need not be there.
    inputs : iterable of path-like
        What is read for the alignment; names of nothing are left out.
    overwrite : bool
        Also replace files of these names that no record of ours names, or that were changed since.

    Raises
    ------
    OutputIsInput
        A result would replace one of the inputs, or lie in it.
    WriteError
        It is no folder, or holds files under the names of results that no record of ours names.
    """
    folder = place = Path(folder)
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise WriteError(f"{place} is a file, not a folder. Choose another folder for the results.")
    if place != folder:
        check_outputs(place / "results", inputs=inputs)
        return
    finish_interrupted(folder)
    check_outputs(*(folder / name for name in (RECORD, *OTHERS)), inputs=inputs)
    if overwrite:
        return
    own: dict[str, str] = {}
    if (folder / RECORD).exists():
        try:
            own = _own_files(folder / RECORD)
        except ReadError as error:
            raise refuse_record(folder / RECORD, error) from error
    check_own(folder, OTHERS, own)


def _own_files(record: Path) -> dict[str, str]:
    found = read_json(record, "a record of projections")
    if found.get("format") != RECORD_FORMAT or not isinstance(found.get("files", {}), dict):
        raise DamagedFile(f"{record} is no record of projections")
    return {str(name): str(digest) for name, digest in found.get("files", {}).items()}


def write_projections(
    found: ProjectionAlignment,
    series: ProjectionSeries,
    folder: str | Path,
    *,
    stack: Literal["tiff", "hdf5", "none"] = "tiff",
    overwrite: bool = False,
    progress: Progress = silent,
) -> list[Path]:
    """Write all results of a series into a folder; frames are read one at a time.

    The files come into the folder together, and the record notes which are its own: only those are
    replaced by a later run, and those that it has not are taken away.

    Parameters
    ----------
    found : ProjectionAlignment
        The shifts.
    series : ProjectionSeries
        The frames.
    folder : path-like
        Made where it is not there.
    stack : "tiff", "hdf5" or "none"
        As what the aligned stack is written: OME-TIFF, DataExchange, or not at all.
    overwrite : bool
        Also replace files of these names that no record of ours names, or that were changed since.
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
        Something cannot be written, or the folder holds files that are not replaced.
    MissingDependency
        HDF5 is asked for and h5py is not installed.
    """
    target = Path(folder)
    if stack not in (*STACKS, "none"):
        raise ValueError(f"There is no stack {stack!r}. Choose one of: {', '.join([*STACKS, 'none'])}.")
    check_projection_folder(target, overwrite=overwrite)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"The folder {target} cannot be made: {error.strerror or error}.") from error
    with folder_written_whole(target, RECORD, obsolete=OTHERS) as stage:
        # A refused series is no stack to go on with: the tables and the report say why.
        with _stack_file(stage, found, "none" if found.verdict == "refused" else stack) as put:
            slices = _pass_over(found, series, put, portion(progress, 0.0, 0.85))
        progress(0.9, "drawing the report")
        if slices is not None:
            _write_preview(stage / PREVIEW, slices)
        texts = {name: table(found) for name, table in TABLES.items()}
        texts[ANGLES] = "".join(f"{angle:.6g}\n" for angle in found.angles_deg[found.used])
        texts[REPORT] = report_page(found, slices)
        for name, text in texts.items():
            (stage / name).write_text(text, encoding="utf-8")
        names = [name for name in OTHERS if (stage / name).exists()]
        record = {**json.loads(record_json(found)), "files": digests(stage, names)}
        (stage / RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    progress(1.0, "written")
    return [target / name for name in (*names, RECORD)]


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
    folder: Path, found: ProjectionAlignment, kind: str
) -> Iterator[Callable[[Floats], None] | None]:
    """Open the aligned stack for writing frame by frame."""
    if kind == "none":
        yield None
        return
    name, opened = STACKS[kind]
    with opened(folder / name, found) as put:
        yield put


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


STACKS: dict[str, tuple[str, Any]] = {
    "tiff": ("aligned.ome.tif", _ome_tiff),
    "hdf5": ("aligned.h5", _data_exchange),
}


OTHERS = (*(name for name, _ in STACKS.values()), PREVIEW, *TABLES, ANGLES, REPORT)


def _write_preview(path: Path, slices: Slices) -> None:
    """Write the reconstructed slices, before as the first channel and after as the second."""
    import tifffile

    both = np.stack([slices.slices_before, slices.slices_after], 1)
    names = {"Channel": {"Name": ["before", "after"]}}
    tifffile.imwrite(path, both, ome=True, metadata={"axes": "ZCYX", **names}, photometric="minisblack")


def _ome_size(pixel_um: float) -> dict[str, Any]:
    size = {"PhysicalSizeX": pixel_um, "PhysicalSizeY": pixel_um}
    return {**size, "PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
