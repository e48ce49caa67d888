"""Words in the colour of what they mean, whatever theme napari has."""

from typing import Any

from qtpy.QtWidgets import QLabel, QWidget

from napari_histreg.plugin.models.tones import TONES, Tone, is_light

__all__ = ["follow_theme", "tone_colour", "toned"]

_TONE = "tone"


def tone_colour(tone: Tone) -> str:
    """Return a tone's colour, "#rrggbb", for the present theme; empty for words of no particular tone."""
    return TONES["light" if _theme_is_light() else "dark"][tone] if tone else ""


def toned(label: QLabel, tone: Tone, *, bold: bool = False) -> None:
    """Give a label a tone, which stays readable when the theme changes (see `follow_theme`)."""
    label.setProperty(_TONE, tone)
    label.setProperty("is_bold", bold)
    colour = f"color: {tone_colour(tone)};" if tone else ""
    label.setStyleSheet(colour + ("font-weight: bold;" if bold else ""))


def follow_theme(widget: QWidget, viewer: Any) -> None:
    """Colour the labels of a widget anew whenever the viewer gets another theme."""

    def recolour(_event: Any = None) -> None:
        for label in widget.findChildren(QLabel):
            if label.property(_TONE):
                toned(label, label.property(_TONE), bold=bool(label.property("is_bold")))

    events = getattr(viewer, "__wrapped__", viewer).events
    events.theme.connect(recolour)
    widget.destroyed.connect(lambda _object=None: events.theme.disconnect(recolour))


def _theme_is_light() -> bool:
    from napari import current_viewer
    from napari.settings import get_settings
    from napari.utils.theme import get_theme

    viewer = current_viewer()
    name = get_settings().appearance.theme if viewer is None else viewer.theme
    return is_light(get_theme(name).background.as_hex(format="long"))
