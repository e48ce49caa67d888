"""Drawings of a group: the graph of its links, and how the sections of a stack lie."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.groups.evidence import grid_over
from napari_histreg.groups.group import GroupRegistration, Link
from napari_histreg.groups.warped import stems
from napari_histreg.transforms import Affine, Transform, approximate_affine
from napari_histreg.units import unit_sign

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "link_colour",
    "link_graph",
    "link_lines",
    "nearest_affine",
    "node_places",
    "stack_curves",
    "stack_poses",
]

GREEN, YELLOW, RED, GREY = "#2e9e5b", "#e9a800", "#c1121f", "#b4bac2"
STATES: Mapping[str, str] = {"used": GREEN, "contradicted": RED, "refused": GREY, "aside": GREY}
VERDICTS: Mapping[str, str] = {"accepted": GREEN, "doubtful": YELLOW, "refused": RED}
DOTS_PER_INCH = 100
LITTLE = 0.5


def link_colour(link: Link) -> str:
    """Return the colour of a link: green, yellow where it counts little, red, or grey where it was
    refused.
    """
    return YELLOW if link.state == "used" and link.weight < LITTLE else STATES[link.state]


def node_places(count: int, *, ordered: bool) -> FloatArray:
    """Return where slides are drawn, (N, 2) as (x, y) from -1 to 1: round a circle, or sections in a line.

    Examples
    --------
    >>> node_places(3, ordered=True).tolist()
    [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    """
    if ordered:
        return np.stack([np.linspace(-1, 1, count), np.zeros(count)], 1)
    angle = np.pi / 2 - 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(angle), np.sin(angle)], 1)


def link_lines(first: FloatArray, last: FloatArray, *, ordered: bool) -> FloatArray:
    """Return the line of a link between two places: straight, or an arc over the line of sections."""
    if not ordered:
        return np.stack([first, last])
    t = np.linspace(0, np.pi, 25)
    middle, reach = (first + last) / 2, (last - first)[0] / 2
    return np.stack([middle[0] - reach * np.cos(t), middle[1] + abs(reach) * np.sin(t)], 1)


def link_graph(group: GroupRegistration, *, width_px: int = 900) -> "Figure":
    """Draw the slides as dots in the colour of their verdict, and the links between them in theirs.

    Parameters
    ----------
    group : GroupRegistration
    width_px : int
        Width of the figure.

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    height_px = 260 if group.ordered else width_px // 2
    size = width_px / DOTS_PER_INCH, height_px / DOTS_PER_INCH
    figure = Figure(figsize=size, dpi=DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot()
    axes.set_axis_off()
    places = node_places(len(group), ordered=group.ordered)
    order = ("refused", "aside", "used", "contradicted")
    for link in sorted(group.links, key=lambda link: order.index(link.state)):
        line = link_lines(places[link.fixed], places[link.moving], ordered=group.ordered)
        wide = 2.0 if link.state in ("used", "contradicted") else 0.8
        axes.plot(*line.T, color=link_colour(link), linewidth=wide, zorder=1)
    for k, (x, y) in enumerate(places):
        dot = 150 if k == group.template else 60 if len(group) <= 30 else 20
        axes.scatter([x], [y], s=dot, color=VERDICTS[group.members[k].verdict], zorder=2)
    if group.ordered:
        reach = max(
            (abs(places[a, 0] - places[b, 0]) / 2 for a, b in (x.ends for x in group.links)), default=0.1
        )
        axes.set_ylim(-0.6 * reach, 1.1 * reach)
        for k in range(0, len(group), max(1, len(group) // 20)):
            axes.annotate(
                str(k + 1), places[k], (0, -16), textcoords="offset points", ha="center", fontsize=8
            )
    else:
        axes.set_xlim(-2.2, 2.2)
        axes.set_ylim(-1.25, 1.25)
        for name, (x, y) in zip(stems(group.names), places, strict=True):
            side = "center" if abs(x) < 0.1 else "left" if x > 0 else "right"
            away = (8 * np.sign(x) if side != "center" else 0, 9 * np.sign(y) if side == "center" else -3)
            axes.annotate(name[:40], (x, y), away, textcoords="offset points", ha=side, fontsize=8)
    words = "green counts, yellow counts little, red is contradicted by loops, grey was refused"
    axes.set_title(f"Links: {words}", fontsize=9)
    return figure


def nearest_affine(group: GroupRegistration, k: int) -> Affine:
    """Return the affine that comes closest to how a slide lies in the frame."""
    transform: Transform = group.to_frame(k)
    points = grid_over(group.members[k].slide)
    return transform if isinstance(transform, Affine) else approximate_affine(transform, points)


def stack_poses(group: GroupRegistration) -> dict[str, FloatArray]:
    """List how each section lies in the frame.

    Returns
    -------
    dict of str to (N,) ndarray
        "shift y" and "shift x" of its middle against the template's, in units of the frame; "turn" in
        degrees; "area", its change in percent. NaN where it has no place.
    """
    out = {name: np.full(len(group), np.nan) for name in ("shift y", "shift x", "turn", "area")}
    home = grid_over(group.members[group.template].slide).mean(0)
    for k in group.placed:
        affine = nearest_affine(group, k)
        middle = grid_over(group.members[k].slide).mean(0)
        out["shift y"][k], out["shift x"][k] = affine(middle[None])[0] - home
        out["turn"][k] = affine.angle_deg
        out["area"][k] = 100 * (affine.scale**2 - 1)
    return out


def stack_curves(group: GroupRegistration, *, width_px: int = 900) -> "Figure":
    """Draw how sections lie, and how far their links are from the solution, over the sections.

    Parameters
    ----------
    group : GroupRegistration
    width_px : int
        Width of the figure.

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    unit = unit_sign(group.unit)
    poses = stack_poses(group)
    errors = np.array([np.nan if m.error is None else m.error for m in group.members])
    panels = (
        (f"shift ({unit})", {"down": poses["shift y"], "right": poses["shift x"]}),
        ("turn (degrees)", {"": poses["turn"]}),
        ("change of area (%)", {"": poses["area"]}),
        (f"links off by ({unit})", {"": errors}),
    )
    size = width_px / DOTS_PER_INCH, 6.4
    figure = Figure(figsize=size, dpi=DOTS_PER_INCH, layout="constrained")
    sections = np.arange(1, len(group) + 1)
    for number, (label, lines) in enumerate(panels, 1):
        axes = figure.add_subplot(len(panels), 1, number)
        for name, values in lines.items():
            axes.plot(sections, values, marker=".", linewidth=1, label=name)
        axes.set_ylabel(label, fontsize=8)
        axes.grid(alpha=0.3)
        if len(lines) > 1:
            axes.legend(fontsize=8)
    axes.set_xlabel("section", fontsize=8)
    return figure
