"""Where slides and links of a group are drawn in a picture of some size, and what lies under the mouse."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.groups.drawings import link_lines, node_places
from napari_histreg.plugin.models.group_rows import LinkView

__all__ = ["GroupGraph", "lay_out"]

MARGIN = 22.0
"""Room for the dots and numbers at the edges, in pixels of the screen."""

REACH = 7.0
"""So near the mouse must be to a link."""


@dataclass(frozen=True, eq=False)
class GroupGraph:
    """A graph in pixels of the screen, (x, y) from the upper left.

    Parameters
    ----------
    nodes : (N, 2) ndarray
        Middles of the slides' dots.
    lines : tuple of (M, 2) ndarray
        One for each link.
    """

    nodes: FloatArray
    lines: tuple[FloatArray, ...]

    def middle(self, link: int) -> tuple[float, float]:
        """Return the place where a link is marked."""
        line = self.lines[link]
        x, y = line[len(line) // 2] if len(line) > 2 else line.mean(0)
        return float(x), float(y)

    def link_at(self, x: float, y: float) -> int | None:
        """Return the link nearest to a place; None where none is near."""
        if not self.lines:
            return None
        away = [_distance(line, np.array([x, y])) for line in self.lines]
        nearest = int(np.argmin(away))
        return nearest if away[nearest] <= REACH else None

    def node_at(self, x: float, y: float) -> int | None:
        """Return the slide whose dot lies at a place; None where none does."""
        if not len(self.nodes):
            return None
        away = np.linalg.norm(self.nodes - (x, y), axis=1)
        nearest = int(np.argmin(away))
        return nearest if away[nearest] <= REACH else None


def lay_out(
    count: int, links: Sequence[LinkView], width: float, height: float, *, ordered: bool
) -> GroupGraph:
    """Lay slides round an ellipse, or sections in a line with the links as arcs above.

    Parameters
    ----------
    count : int
        Slides.
    links : sequence of LinkView
    width, height : float
        Of the picture, in pixels of the screen.
    ordered : bool
        Whether the slides are sections in their order.

    Examples
    --------
    >>> graph = lay_out(2, [LinkView((0, 1), "accepted", False, "")], 144, 100, ordered=True)
    >>> graph.nodes.tolist()
    [[22.0, 78.0], [122.0, 78.0]]
    >>> graph.link_at(*graph.middle(0)), graph.link_at(72, 0)
    (0, None)
    """
    places = node_places(count, ordered=ordered)
    lines = [link_lines(places[a], places[b], ordered=ordered) for a, b in (link.ends for link in links)]
    half = np.array([width, height]) / 2 - MARGIN
    if not ordered:
        return GroupGraph(_on_screen(places, half, MARGIN), tuple(_on_screen(x, half, MARGIN) for x in lines))
    # The highest arc fills the height, and low ones stay apart from the line of the sections.
    top = max((float(line[:, 1].max()) for line in lines), default=0.0)
    squeeze = np.array([1.0, 2 / top if top > 0 else 1.0])

    def lifted(points: FloatArray) -> FloatArray:
        return _on_screen(points * squeeze - (0.0, 1.0), half, MARGIN)

    return GroupGraph(lifted(places), tuple(lifted(line) for line in lines))


def _on_screen(points: FloatArray, half: FloatArray, margin: float) -> FloatArray:
    """Map (x, y) from -1 to 1, y up, to pixels with y down."""
    return np.asarray(margin + half * (1 + points * (1, -1)))


def _distance(line: FloatArray, point: FloatArray) -> float:
    """Return how far a point is from a line of several pieces."""
    start, step = line[:-1], np.diff(line, axis=0)
    length = np.maximum((step**2).sum(1), 1e-9)
    along = np.clip(((point - start) * step).sum(1) / length, 0, 1)
    return float(np.linalg.norm(start + along[:, None] * step - point, axis=1).min())
