"""Shifts and record as files: our own table, those of other tools, and JSON."""

import csv
import io
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_histreg.projections.alignment import GAUGE, ProjectionAlignment

__all__ = ["RECORD_FORMAT", "TABLES", "record_json", "shift_table", "tomopy_table", "txm_wizard_table"]

RECORD_FORMAT = "napari-histreg projections"
COLUMNS = (
    "projection",
    "angle_deg",
    "shift_y_px",
    "shift_x_px",
    "shift_y_um",
    "shift_x_um",
    "remaining_y_px",
    "remaining_x_px",
    "noise_y_px",
    "noise_x_px",
    "correlation",
    "used",
    "reason",
)


def shift_table(found: ProjectionAlignment) -> str:
    """Return the shifts of all frames as CSV, in pixels and µm, with what is left of each.

    A shift is how far the frame lies off: ``aligned[y, x] = frame[y + shift_y, x + shift_x]``.
    """
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(COLUMNS)
    used, um = found.used, found.shifts_um
    for view, angle in enumerate(found.angles_deg):
        write(
            [
                view,
                f"{angle:.6g}",
                *(f"{value:.4f}" if used[view] else "" for value in found.shifts_px[view]),
                *(f"{value:.6g}" if used[view] else "" for value in ([] if um is None else um[view])),
                *([""] * (2 if um is None else 0)),
                *(f"{value:.4f}" for value in found.remaining_px[view]),
                *(f"{value:.4f}" for value in found.noise_px[view]),
                f"{found.likeness[view]:.4f}",
                int(used[view]),
                found.left_out.get(view, ""),
            ]
        )
    return out.getvalue()


def tomopy_table(found: ProjectionAlignment) -> str:
    """Return two columns as TomoPy's ``align_joint`` gives them: sx (along the rows' axis) and sy.

    ``tomopy.prep.alignment.shift_images(prj, sx, sy)`` takes them; TomoPy's x is the first axis of a frame.
    """
    return _columns("sx sy", [(y, x) for y, x in found.shifts_px])


def txm_wizard_table(found: ProjectionAlignment) -> str:
    """Return number, x and y shift of each frame, to be added to its content, for TXM-Wizard's manual shifts.

    Columns grow to the right and rows downwards, numbers start at 1.
    """
    rows = [(k + 1.0, -x, -y) for k, (y, x) in enumerate(found.shifts_px)]
    return "".join(f"{k:.0f}\t{x:.4f}\t{y:.4f}\n" for k, x, y in rows)


TABLES = {
    "shifts.csv": shift_table,
    "shifts_tomopy.txt": tomopy_table,
    "shifts_txm_wizard.txt": txm_wizard_table,
}


def record_json(found: ProjectionAlignment) -> str:
    """Return the record as JSON; numbers that are not finite become null."""
    record = {
        "format": RECORD_FORMAT,
        "version": 1,
        "name": found.name,
        "shape": list(found.shape),
        "projections": len(found.angles_deg),
        "verdict": found.verdict,
        "reasons": list(found.reasons),
        "notes": list(found.notes),
        "convention": "aligned[y, x] = frame[y + shift_y, x + shift_x]. " + GAUGE,
        "method": found.method,
        "parameters": dict(found.parameters),
        "pixel_um": found.pixel_um,
        "axis_px": found.axis_px,
        "axis_ways_px": dict(found.axis_ways),
        "tilt_deg": found.tilt_deg,
        "tilt_error_deg": found.tilt_error_deg,
        "error_px": {"y": found.error_px[0], "x": found.error_px[1]},
        "left_out": {str(view): reason for view, reason in found.left_out.items()},
        "bin": found.bin,
        "seconds": round(found.seconds, 3),
        "figures": dict(found.figures),
        "angles_deg": found.angles_deg.tolist(),
        "shifts_px": found.shifts_px.tolist(),
    }
    return json.dumps(_plain(record), indent=1, ensure_ascii=False, allow_nan=False)


def _columns(head: str, rows: list[Any]) -> str:
    return f"# {head}\n" + "".join(" ".join(f"{value:.6f}" for value in row) + "\n" for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
