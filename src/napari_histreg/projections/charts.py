"""Pictures of an aligned series: sinograms, slices, shift curves, what is left."""

from typing import TYPE_CHECKING

import numpy as np

from napari_histreg.projections.alignment import ProjectionAlignment
from napari_histreg.projections.arrays import Floats
from napari_histreg.quality.charts import as_picture
from napari_histreg.quality.drawing import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["axis_chart", "grey_picture", "likeness_chart", "residual_chart", "shift_chart"]

DOTS_PER_INCH = 100
Y_COLOUR, X_COLOUR, OUT_COLOUR = "#2f6db5", "#e08a00", "#c1121f"
LARGEST_PX = 480


def shift_chart(found: ProjectionAlignment) -> Picture:
    """Draw the shifts over the angle, frames left out as crosses at the foot."""
    figure = _figure(7.6, 2.9)
    axes = figure.subplots()
    order = np.argsort(found.angles_deg, kind="stable")
    order = order[found.used[order]]
    for axis, (name, colour) in enumerate((("y", Y_COLOUR), ("x", X_COLOUR))):
        axes.plot(
            found.angles_deg[order],
            found.shifts_px[order, axis],
            ".-",
            lw=0.8,
            ms=3,
            color=colour,
            label=name,
        )
    out = list(found.left_out)
    if out:
        foot = np.full(len(out), axes.get_ylim()[0])
        axes.plot(found.angles_deg[out], foot, "x", color=OUT_COLOUR, label="left out", clip_on=False)
    axes.set(xlabel="angle (degrees)", ylabel="shift (px)")
    axes.legend(loc="upper right", ncols=3, fontsize="small")
    return as_picture(figure)


def residual_chart(found: ProjectionAlignment) -> Picture:
    """Draw how often what remains of a left-out view's shift has which size."""
    figure = _figure(3.8, 2.9)
    axes = figure.subplots()
    left = found.remaining_px[found.used]
    reach = max(float(np.percentile(np.abs(left), 99)) if left.size else 0.0, 0.05)
    edges = np.linspace(-reach, reach, 31).tolist()
    for axis, (name, colour) in enumerate((("y", Y_COLOUR), ("x", X_COLOUR))):
        axes.hist(left[:, axis], edges, histtype="step", lw=1.5, color=colour, label=name)
    axes.set(xlabel="remaining shift (px)", ylabel="projections")
    axes.legend(fontsize="small")
    return as_picture(figure)


def likeness_chart(found: ProjectionAlignment) -> Picture:
    """Draw each frame's correlation with its prediction from all others."""
    figure = _figure(3.8, 2.9)
    axes = figure.subplots()
    used = found.used
    axes.plot(np.flatnonzero(used), found.likeness[used], ".", ms=4, color=Y_COLOUR)
    axes.plot(np.flatnonzero(~used), found.likeness[~used], "x", color=OUT_COLOUR, label="left out")
    axes.set(xlabel="projection", ylabel="correlation", ylim=(min(0.0, float(found.likeness.min())), 1.02))
    if not used.all():
        axes.legend(fontsize="small")
    return as_picture(figure)


def axis_chart(found: ProjectionAlignment) -> Picture | None:
    """Draw where each way puts the rotation axis; None for fewer than two ways."""
    if len(found.axis_ways) < 2:
        return None
    figure = _figure(7.6, 1.5)
    axes = figure.subplots()
    for row, column in enumerate(found.axis_ways.values()):
        axes.plot(column, row, "o", color=Y_COLOUR)
        axes.annotate(f" {column:.2f}", (column, row), fontsize="small", va="center")
    if found.axis_px is not None:
        axes.axvline(found.axis_px, color=X_COLOUR, lw=1)
    axes.set_yticks(range(len(found.axis_ways)), list(found.axis_ways))
    axes.margins(x=0.2, y=0.25)
    axes.set(xlabel="column of the rotation axis (px)")
    return as_picture(figure)


def grey_picture(values: Floats, like: Floats | None = None) -> Picture:
    """Return a plane as a grey picture, reduced where it is large, enlarged where it is small.

    Parameters
    ----------
    values : (Y, X) ndarray
        The plane.
    like : ndarray, optional
        Whose range of values is taken for black and white; its own by default.
    """
    step = max(1, -(-max(values.shape) // LARGEST_PX))
    larger = max(1, LARGEST_PX // (2 * max(values.shape)) + 1) if max(values.shape) < LARGEST_PX // 2 else 1
    shown = np.repeat(np.repeat(values[::step, ::step], larger, 0), larger, 1)
    low, high = np.percentile(values if like is None else like, (0.5, 99.8))
    grey = np.clip((shown - low) / max(float(high - low), 1e-12), 0, 1)
    return np.repeat((255 * grey).astype(np.uint8)[..., None], 3, -1)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
