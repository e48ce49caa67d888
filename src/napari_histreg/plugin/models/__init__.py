"""What the widgets think: the session and its parts, without Qt and without napari."""

from napari_histreg.plugin.models.chosen_slide import ChosenSlide
from napari_histreg.plugin.models.session import Session
from napari_histreg.plugin.models.session_state import Origin, SessionState, Side

__all__ = ["ChosenSlide", "Origin", "Session", "SessionState", "Side"]
