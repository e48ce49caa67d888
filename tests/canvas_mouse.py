"""A mouse and a keyboard on a real canvas, for the tests of the plugin."""

import time
from typing import Any

import numpy as np
from qtpy.QtCore import QEventLoop, QPoint, Qt, QTimer
from qtpy.QtTest import QTest


class CanvasMouse:
    """Moves, clicks and drags at places given in the canvas's world, as a person would."""

    def __init__(self, canvas: Any) -> None:
        self.canvas = canvas

    def pixel(self, position: Any) -> QPoint:
        """Return the pixel of a place (y, x); it must be in view, or nobody could click there."""
        assert self.sees(position), f"{position} is not in view"
        return self._pixel(position)

    def sees(self, position: Any) -> bool:
        """Whether a place (y, x) is in view."""
        return bool(self.canvas.native.rect().contains(self._pixel(position)))

    def _pixel(self, position: Any) -> QPoint:
        y, x = np.asarray(position, float)[-2:]
        column, row = self.canvas.view.scene.transform.map([x, y])[:2]
        return QPoint(round(column), round(row))

    def move(self, position: Any) -> None:
        QTest.mouseMove(self.canvas.native, self.pixel(position))
        settle()

    def click(self, position: Any) -> None:
        native, pixel = self.canvas.native, self.pixel(position)
        QTest.mouseMove(native, pixel)
        QTest.mouseClick(native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, pixel)
        settle()

    def drag(self, start: Any, stop: Any, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
        begin, end = self.pixel(start), self.pixel(stop)
        native, button = self.canvas.native, Qt.MouseButton.LeftButton
        QTest.mouseMove(native, begin)
        settle()
        QTest.mousePress(native, button, modifier, begin)
        for step in range(1, 6):
            QTest.mouseMove(native, begin + (end - begin) * step / 5)
            settle(0.02)
        QTest.mouseRelease(native, button, modifier, end)
        settle()

    def key(self, key: Any, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
        self.canvas.native.setFocus()
        QTest.keyClick(self.canvas.native, key, modifier)
        settle()


def main_mouse(viewer: Any) -> CanvasMouse:
    """Return the mouse of a viewer's own canvas."""
    return CanvasMouse(viewer.window._qt_viewer.canvas)


def press(button: Any) -> None:
    """Press a button with the mouse; it must be allowed."""
    assert button.isEnabled(), button.toolTip()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    settle()


def settle(seconds: float = 0.1) -> None:
    """Let the window work off what is waiting, deletions too."""
    loop = QEventLoop()
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()


def wait_for(condition: Any, seconds: float = 20.0) -> None:
    """Let the window work until something has come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        settle(0.02)
