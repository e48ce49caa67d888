"""The mouse's counterpart: a cross in the other view where the same tissue lies."""

import weakref
from typing import Any

import numpy as np

from napari_histreg.errors import TransformError
from napari_histreg.plugin.canvas.landmark_canvases import LandmarkCanvases
from napari_histreg.plugin.models.hints import has_prediction

__all__ = ["Counterpart"]


class Counterpart:
    """Shows in one view where the mouse is in the other.

    Parameters
    ----------
    canvases : LandmarkCanvases
        With a second canvas.
    main, beside : ViewerModel
        The two canvases.
    """

    def __init__(self, canvases: LandmarkCanvases, main: Any, beside: Any) -> None:
        self._canvases = canvases
        self._main, self._beside = weakref.ref(main), weakref.ref(beside)
        main.mouse_move_callbacks.append(self._on_main)
        beside.mouse_move_callbacks.append(self._on_beside)

    def close(self) -> None:
        """Leave the mouse alone and take the crosses away."""
        for reference, callback in ((self._main, self._on_main), (self._beside, self._on_beside)):
            viewer = reference()
            if viewer is not None and callback in viewer.mouse_move_callbacks:
                viewer.mouse_move_callbacks.remove(callback)
        for canvas in self._canvases.canvases_at_work:
            canvas.marks.clear("mouse")

    def _on_main(self, viewer: Any, event: Any) -> None:
        main, beside = self._canvases.main, self._canvases.beside
        if main is None or beside is None or not has_prediction(self._canvases.session):
            return
        main.marks.clear("mouse")
        try:
            back = self._canvases.session.fixed_to_moving.inverse()
        except TransformError:
            return
        moving = main.view.to_slide("moving", event.position)
        beside.marks.put("mouse", "fixed", back(np.array([moving]))[0])

    def _on_beside(self, viewer: Any, event: Any) -> None:
        main, beside = self._canvases.main, self._canvases.beside
        if main is None or beside is None or not has_prediction(self._canvases.session):
            return
        beside.marks.clear("mouse")
        fixed = beside.view.to_slide("fixed", event.position)
        main.marks.put("mouse", "moving", self._canvases.session.fixed_to_moving(np.array([fixed]))[0])
