"""An aligned series in a few lines for a terminal."""

import numpy as np

from napari_histreg.projections.alignment import ProjectionAlignment

__all__ = ["summary"]

MOST_LEFT_OUT = 8


def summary(found: ProjectionAlignment) -> str:
    """Say what was found.

    Parameters
    ----------
    found : ProjectionAlignment
        The shifts.

    Returns
    -------
    str
        Lines.
    """
    used = found.used
    largest = np.abs(found.shifts_px[used]).max(0) if used.any() else np.zeros(2)
    lines = [
        f"{found.verdict}: {int(used.sum())} of {len(used)} projections of {found.name} by {found.method}",
        *(f"  {reason}" for reason in found.reasons),
        f"  largest shift: {largest[0]:.2f} px (y), {largest[1]:.2f} px (x)",
    ]
    if found.axis_px is not None:
        ways = ", ".join(f"{name} {column:.2f}" for name, column in found.axis_ways.items())
        lines.append(f"  rotation axis: column {found.axis_px:.2f} ({ways})")
    if found.tilt_deg:
        lines.append(f"  tilt of the axis: {found.tilt_deg:.2f} degrees")
    for view, why in list(found.left_out.items())[:MOST_LEFT_OUT]:
        lines.append(f"  left out: projection {view} ({found.angles_deg[view]:g} degrees) {why}")
    if len(found.left_out) > MOST_LEFT_OUT:
        lines.append(f"  left out: {len(found.left_out) - MOST_LEFT_OUT} more, see shifts.csv")
    return "\n".join([*lines, *(f"  note: {note}" for note in found.notes)])
