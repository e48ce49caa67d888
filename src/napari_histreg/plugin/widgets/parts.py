"""Small parts that the widgets share, so that they look alike."""

from collections.abc import Callable
from typing import Any

from psygnal import SignalInstance
from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_histreg.plugin.models.session_signals import Announcement
from napari_histreg.plugin.models.tones import Tone
from napari_histreg.plugin.widgets.theme import toned

__all__ = [
    "Scrolled",
    "button",
    "column",
    "combo",
    "fill",
    "follow",
    "form",
    "heading",
    "note",
    "quiet",
    "row",
    "set_allowed",
]


class Scrolled(QScrollArea):
    """Scrolls its content up and down, and is never narrower than it.

    Parameters
    ----------
    content : QWidget
    """

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(content)
        content.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell the layout around when the content has become wider or narrower."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))

    def minimumSizeHint(self) -> QSize:
        """Ask for the width of the content and of the bar beside it."""
        width = self.widget().minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, 80)


def row(*controls: QWidget) -> QHBoxLayout:
    """Lay controls out from left to right."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    for control in controls:
        layout.addWidget(control)
    return layout


def column(widget: QWidget, *, margin: int = 6, spacing: int = 6) -> QVBoxLayout:
    """Lay the children of a widget out from top to bottom."""
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(spacing)
    return layout


def form() -> QFormLayout:
    """Return a layout of labelled lines whose fields take the width there is."""
    layout = QFormLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(5)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return layout


def note(text: str = "", *, tone: Tone = "") -> QLabel:
    """Return a wrapped line of text; hidden while it is empty (see `fill`)."""
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    # A wrapped label must be allowed to be narrow, or it would widen the dock.
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    fill(label, text, tone=tone)
    return label


def follow(widget: QWidget, signal: SignalInstance | Announcement, slot: Callable[..., Any]) -> None:
    """Connect a model's signal to a method of a widget for as long as the widget lives."""
    signal.connect(slot)
    widget.destroyed.connect(lambda _object=None: signal.disconnect(slot, missing_ok=True))


def heading(text: str) -> QLabel:
    """Return the heading of a group of controls."""
    label = QLabel(text)
    label.setStyleSheet("font-weight: bold; padding-top: 4px;")
    return label


def fill(label: QLabel, text: str, *, tone: Tone = "", bold: bool = False) -> None:
    """Set a note's text and what it means, and hide it where there is none."""
    label.setText(text)
    toned(label, tone, bold=bold)
    label.setVisible(bool(text))


def button(text: str, tip: str, pressed: Callable[[], Any]) -> QPushButton:
    """Return a button; `tip` says what it does."""
    control = QPushButton(text)
    control.setToolTip(tip)
    control.setProperty("does", tip)
    control.clicked.connect(lambda _checked=False: pressed())
    return control


def set_allowed(control: QWidget, obstacle: str | None) -> None:
    """Let a control be pressed, or say in its tooltip why it cannot."""
    control.setEnabled(obstacle is None)
    control.setToolTip(obstacle or control.property("does") or "")


def combo(tip: str = "") -> QComboBox:
    """Return a list to choose from that shortens long names instead of widening the dock."""
    control = QComboBox()
    control.setToolTip(tip)
    control.setProperty("does", tip)
    control.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    control.setMinimumContentsLength(8)
    return control


def quiet(control: QComboBox, items: list[tuple[str, Any]], current: Any) -> None:
    """Fill a list with (text, value) and choose a value, without telling anybody."""
    blocked = control.blockSignals(True)
    control.clear()
    for k, (text, value) in enumerate(items):
        control.addItem(text, value)
        if value == current:
            control.setCurrentIndex(k)
    control.blockSignals(blocked)
