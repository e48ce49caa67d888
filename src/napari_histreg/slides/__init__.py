"""Slides: files and arrays in, a lazy image pyramid out."""

from typing import TYPE_CHECKING, Any

from napari_histreg.slides.slide import Channel, Level, PixelSource, Slide

if TYPE_CHECKING:
    from napari_histreg.slides.description import describe
    from napari_histreg.slides.opening import open_slide
    from napari_histreg.slides.writers import write_slide

__all__ = ["Channel", "Level", "PixelSource", "Slide", "describe", "open_slide", "write_slide"]

_LAZY = {"describe": "description", "open_slide": "opening", "write_slide": "writers"}


def __getattr__(name: str) -> Any:
    """Import a public function when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
