"""The graph of a group, drawn: slides as dots, links as lines that say what became of them."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_histreg.plugin.models.group_graph import GroupGraph, lay_out
from napari_histreg.plugin.models.group_rows import LinkSort, LinkView, SlideRow
from napari_histreg.plugin.models.tones import Tone
from napari_histreg.plugin.widgets.theme import tone_colour

__all__ = ["GroupGraphView"]

SORTS: dict[LinkSort, tuple[Tone, Qt.PenStyle, float]] = {
    "refused": ("off", Qt.PenStyle.DotLine, 1.0),
    "contradicted": ("bad", Qt.PenStyle.DotLine, 2.0),
    "doubtful": ("doubt", Qt.PenStyle.DashLine, 2.0),
    "accepted": ("good", Qt.PenStyle.SolidLine, 2.0),
}
"""Colour, dashes and width of each sort of link, in the order of drawing."""

LEGEND: tuple[tuple[LinkSort, str], ...] = (
    ("accepted", "counts"),
    ("doubtful", "doubtful"),
    ("refused", "refused"),
    ("contradicted", "contradicted"),
)
DOT, MARK, ROW = 6.0, 4.0, 18
MOST_NUMBERS = 24
HEIGHT = 220


class GroupGraphView(QWidget):
    """Draws the graph; a click on a link or a slide is told.

    Attributes
    ----------
    link_clicked : Signal(int)
        Number of the link.
    slide_clicked : Signal(int)
        Place of the slide.
    """

    link_clicked = Signal(int)
    slide_clicked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._links: tuple[LinkView, ...] = ()
        self._rows: tuple[SlideRow, ...] = ()
        self._ordered = False
        self._chosen: int | None = None
        self._graph = self._laid_out()
        self.setMouseTracking(True)
        self.setMinimumSize(180, HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Ask for little width."""
        return QSize(240, HEIGHT)

    @property
    def graph(self) -> GroupGraph:
        """Where everything is drawn, in pixels of this widget."""
        return self._graph

    def show_group(
        self, rows: Sequence[SlideRow], links: Sequence[LinkView], *, ordered: bool, chosen: int | None
    ) -> None:
        """Draw other slides and links.

        Parameters
        ----------
        rows : sequence of SlideRow
            The slides by their places.
        links : sequence of LinkView
        ordered : bool
            Whether the slides are sections in their order.
        chosen : int or None
            The link that stands out.
        """
        wanted = tuple(rows), tuple(links), ordered, chosen
        if wanted != (self._rows, self._links, self._ordered, self._chosen):
            self._rows, self._links, self._ordered, self._chosen = wanted
            self._graph = self._laid_out()
            self.update()

    def _laid_out(self) -> GroupGraph:
        size = self.width(), self.height() - ROW
        return lay_out(len(self._rows), self._links, *size, ordered=self._ordered)

    def resizeEvent(self, event: Any) -> None:
        """Lay everything out anew."""
        super().resizeEvent(event)
        self._graph = self._laid_out()

    def paintEvent(self, _event: Any) -> None:
        """Draw links, then slides, then what the lines mean."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for sort in SORTS:
            for k, link in enumerate(self._links):
                if link.sort == sort:
                    self._draw_link(painter, k, link)
        for k, row in enumerate(self._rows):
            self._draw_slide(painter, k, row)
        self._draw_legend(painter)
        painter.end()

    def _draw_link(self, painter: QPainter, k: int, link: LinkView) -> None:
        pen = self._pen(link.sort)
        if k == self._chosen:
            pen.setWidthF(pen.widthF() + 2.5)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in self._graph.lines[k].tolist()]))
        self._mark(painter, link, QPointF(*self._graph.middle(k)))

    def _mark(self, painter: QPainter, link: LinkView, at: QPointF) -> None:
        """Mark the middle: a cross where loops contradict, a square where a person made the link."""
        pen = self._pen(link.sort)
        pen.setStyle(Qt.PenStyle.SolidLine)
        painter.setPen(pen)
        if link.sort == "contradicted":
            for dy in (-MARK, MARK):
                painter.drawLine(at - QPointF(MARK, dy), at + QPointF(MARK, dy))
        elif link.by_hand:
            painter.setBrush(pen.color())
            painter.drawRect(QRectF(at - QPointF(MARK, MARK), at + QPointF(MARK, MARK)))

    def _draw_slide(self, painter: QPainter, k: int, row: SlideRow) -> None:
        x, y = self._graph.nodes[k].tolist()
        colour = QColor(tone_colour(row.tone) or tone_colour("off"))
        painter.setPen(QPen(colour, 2))
        # A slide that has no place is a ring.
        painter.setBrush(Qt.BrushStyle.NoBrush if row.tone == "bad" else colour)
        painter.drawEllipse(QPointF(x, y), DOT, DOT)
        if len(self._rows) <= MOST_NUMBERS:
            painter.setPen(self.palette().color(self.foregroundRole()))
            below = QRectF(x - 20, y + DOT, 40, 16)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, str(k + 1))

    def _draw_legend(self, painter: QPainter) -> None:
        left, y = 4.0, self.height() - ROW / 2
        for sort, word in LEGEND:
            painter.setPen(self._pen(sort))
            painter.drawLine(QPointF(left, y), QPointF(left + 18, y))
            self._mark(painter, LinkView((0, 0), sort, False, ""), QPointF(left + 9, y))
            painter.setPen(self.palette().color(self.foregroundRole()))
            wide = painter.fontMetrics().horizontalAdvance(word)
            box = QRectF(left + 22, y - ROW / 2, wide + 4, ROW)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, word)
            left += wide + 32

    def _pen(self, sort: LinkSort) -> QPen:
        tone, style, width = SORTS[sort]
        return QPen(QColor(tone_colour(tone)), width, style)

    def mousePressEvent(self, event: Any) -> None:
        """Tell of a slide or a link under the mouse."""
        at = event.position()
        node = self._graph.node_at(at.x(), at.y())
        link = None if node is not None else self._graph.link_at(at.x(), at.y())
        if node is not None:
            self.slide_clicked.emit(node)
        elif link is not None:
            self.link_clicked.emit(link)

    def mouseMoveEvent(self, event: Any) -> None:
        """Say what lies under the mouse."""
        at = event.position()
        node, link = self._graph.node_at(at.x(), at.y()), self._graph.link_at(at.x(), at.y())
        said = ""
        if node is not None:
            row = self._rows[node]
            said = f"{row.name}: {row.state}"
        elif link is not None:
            said = f"{self._links[link].words} Click to open this pair."
        self.setCursor(Qt.CursorShape.PointingHandCursor if said else Qt.CursorShape.ArrowCursor)
        QToolTip.showText(event.globalPosition().toPoint(), said, self)
