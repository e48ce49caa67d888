"""The fixed slide by itself on a second canvas, with a camera of its own.

Everything that is particular to napari's second canvas (a viewer model and a Qt view of it in a dock) is in
this file.
"""

import weakref
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QMainWindow, QSizePolicy, QWidget

from napari_histreg.plugin.canvas.canvas_view import CanvasView
from napari_histreg.plugin.canvas.cursor_counterpart import Counterpart
from napari_histreg.plugin.canvas.landmark_canvases import LandmarkCanvases
from napari_histreg.plugin.models.hints import obstacle
from napari_histreg.plugin.widgets.parts import button, column, follow, note, set_allowed
from napari_histreg.plugin.widgets.window_room import share_width

__all__ = ["SideBySide", "open_beside"]

DOCK_NAME = "Fixed slide"


def open_beside(viewer: Any, canvases: LandmarkCanvases, on_closed: Callable[[], None]) -> "SideBySide":
    """Open the second canvas in a dock left of the main one.

    Parameters
    ----------
    viewer : napari.Viewer
    canvases : LandmarkCanvases
        Gets the canvas.
    on_closed : callable
        Called when the dock has been closed, by whomever.
    """
    widget = SideBySide(viewer, canvases, on_closed)
    dock = viewer.window.add_dock_widget(widget, name=DOCK_NAME, area="left")
    main = dock.parentWidget()
    # Beside the column of layer lists, not below it, and as wide as what is left for the main canvas.
    main.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock, Qt.Orientation.Horizontal)

    # Only once the dock has its place does it have a width.
    timer = QTimer(widget)
    timer.setSingleShot(True)
    timer.timeout.connect(lambda: share_width(main, dock))
    timer.start(0)
    return widget


class SideBySide(QWidget):
    """A canvas with the fixed slide, whose camera can be locked to the main one.

    Parameters
    ----------
    viewer : napari.Viewer
        The main viewer.
    canvases : LandmarkCanvases
        Gets the canvas.
    on_closed : callable
        Called once, when the canvas has gone.
    """

    def __init__(self, viewer: Any, canvases: LandmarkCanvases, on_closed: Callable[[], None]) -> None:
        from napari.components import ViewerModel
        from napari.qt import QtViewer

        super().__init__()
        self._main_viewer = weakref.ref(getattr(viewer, "__wrapped__", viewer))
        self._canvases = canvases
        self._on_closed = on_closed
        self._open = True
        self.viewer = ViewerModel(title=DOCK_NAME)
        self.canvas: Any = QtViewer(self.viewer)
        self.canvas.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._copies: list[tuple[Any, Any]] = []
        self._build(getattr(viewer, "__wrapped__", viewer))
        self._show_slide()
        follow(self, canvases.session.events.slides_changed, self._show_slide)
        follow(self, canvases.session.events.state_changed, self._show_state)
        self._show_state()

    @property
    def locked(self) -> bool:
        """Whether both cameras move as one."""
        return bool(self.lock_button.isChecked())

    def close_down(self) -> None:
        """Give the canvas back; the widget is of no use afterwards."""
        if not self._open:
            return
        self._open = False
        self.lock_button.setChecked(False)
        self._counterpart.close()
        self._canvases.remove_canvas()
        self._forget_copies()
        self._on_closed()
        canvas, self.canvas = self.canvas, None
        canvas.setParent(None)
        canvas.close()

    def _build(self, main: Any) -> None:
        self.title = note()
        self.lock_button = button("Lock views", "Let both views pan, zoom and turn as one", lambda: None)
        self.lock_button.setCheckable(True)
        self.lock_button.toggled.connect(self._on_lock)
        self.whole_button = button("Whole slide", "Show the whole slide", self.viewer.reset_view)
        row = QHBoxLayout()
        row.addWidget(self.title, 1)
        row.addWidget(self.whole_button)
        row.addWidget(self.lock_button)
        layout = column(self, margin=4)
        layout.addLayout(row)
        layout.addWidget(self.canvas, 1)
        self._counterpart = Counterpart(self._canvases, main, self.viewer)
        for camera in (main.scene.camera, self.viewer.scene.camera):
            for change in (camera.events.center, camera.events.zoom, camera.events.angles):
                change.connect(self._on_camera)

    def _show_slide(self) -> None:
        """Show the fixed slide that is chosen now."""
        from napari.layers import Layer

        self._canvases.remove_canvas()
        self._forget_copies()
        self.viewer.layers.clear()
        if not self._canvases.session.is_ready:
            self.title.setText("Choose two slides.")
            self.title.show()
            return
        originals = self._canvases.sync.fixed_layers()
        for original in originals:
            data, options, kind = original.as_layer_data_tuple()
            # A slide that takes part in the depth test would hide the points that lie in its plane.
            blending = "translucent_no_depth" if original.rgb else options["blending"]
            copy = Layer.create(data, {**options, "visible": True, "blending": blending}, kind)
            self.viewer.layers.append(copy)
            self._copies.append((original, copy))
            for name in ("contrast_limits", "colormap", "gamma"):
                if hasattr(original, name) and not getattr(original, "rgb", False):
                    getattr(original.events, name).connect(self._on_look)
        self.viewer.layers.selection.clear()
        self.title.setText(originals[0].metadata["histreg_slide"].name)
        self.title.show()
        first = self._copies[0][1]
        view = CanvasView(self.viewer, lambda side: first if side == "fixed" else None, self.canvas.canvas)
        self._canvases.add_canvas(view)
        self.viewer.reset_view()

    def _show_state(self, _state: Any = None) -> None:
        reason = obstacle(self._canvases.session, "lock")
        set_allowed(self.lock_button, reason or None)
        if reason:
            self.lock_button.setChecked(False)

    def _on_look(self, event: Any) -> None:
        """Give the copies the contrast and colours of the layers on the main canvas."""
        for original, copy in self._copies:
            if original is event.source:
                setattr(copy, event.type, getattr(original, event.type))

    def _forget_copies(self) -> None:
        for original, _ in self._copies:
            for name in ("contrast_limits", "colormap", "gamma"):
                if hasattr(original, name):
                    getattr(original.events, name).disconnect(self._on_look)
        self._copies.clear()

    def _on_lock(self, locked: bool) -> None:
        main = self._main_viewer()
        if locked and main is not None:
            self._copy_camera(main.scene.camera, self.viewer.scene.camera)

    def _on_camera(self, event: Any) -> None:
        main = self._main_viewer()
        if not self.locked or main is None:
            return
        cameras = [main.scene.camera, self.viewer.scene.camera]
        source = event.source
        other = cameras[1] if source is cameras[0] else cameras[0]
        self._copy_camera(source, other)

    def _copy_camera(self, source: Any, target: Any) -> None:
        """Let one camera look where the other looks.

        Both canvases have the fixed slide's world, since the moving slide's layers lie on the main one by
        the current transform; so the same place on both is the same tissue.
        """
        for name in ("center", "zoom", "angles"):
            if getattr(target, name) != getattr(source, name):
                setattr(target, name, getattr(source, name))

    def event(self, event: Any) -> bool:
        """Close down when the dock lets go of the widget."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.close_down()
        return bool(super().event(event))

    def hideEvent(self, event: Any) -> None:
        """Close down with the window: napari does not know of this canvas and would leave it behind."""
        super().hideEvent(event)
        window = self.window()
        if isinstance(window, QMainWindow) and not window.isVisible():
            self.close_down()

    def closeEvent(self, event: Any) -> None:
        """Close down where this widget is a window by itself."""
        self.close_down()
        super().closeEvent(event)
