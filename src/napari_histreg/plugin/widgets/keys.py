"""Keyboard shortcuts that hold only while a widget is in use."""

from collections.abc import Callable, Mapping
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QWidget

try:  # QShortcut moved with Qt 6.
    from qtpy.QtGui import QShortcut
except ImportError:
    from qtpy.QtWidgets import QShortcut

__all__ = ["Keys"]


class Keys:
    """Binds keys inside a widget and on canvases.

    Parameters
    ----------
    widget : QWidget
        Where the keys work while it has the focus.
    actions : mapping of str to callable
        Keys as napari writes them, such as "Control-Z", and what they do.
    """

    def __init__(self, widget: QWidget, actions: Mapping[str, Callable[[], Any]]) -> None:
        self._actions = dict(actions)
        self._viewers: list[Any] = []
        for keys, action in self._actions.items():
            if "-" not in keys:
                continue  # single letters belong to text fields there
            shortcut = QShortcut(QKeySequence(keys.replace("Control", "Ctrl").replace("-", "+")), widget)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)

    def hold(self, viewer: Any) -> None:
        """Bind the keys on a canvas."""
        if any(viewer is other for other in self._viewers):
            return
        for keys, action in self._actions.items():
            viewer.bind_key(keys, lambda _viewer, action=action: action(), overwrite=True)
        self._viewers.append(viewer)

    def release(self, viewer: Any = None) -> None:
        """Give the keys of a canvas back, or of all canvases."""
        for held in list(self._viewers):
            if viewer is None or held is viewer:
                for keys in self._actions:
                    held.bind_key(keys, None, overwrite=True)
                self._viewers.remove(held)
