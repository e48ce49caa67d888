"""Volumes: CT, MR and other piles of planes, read, cut, registered in three dimensions and written.

Indices and points are (z, y, x). Points lie in the patient's frame in mm: z to the head, y to the back,
x to the left.
"""

from typing import TYPE_CHECKING, Any

from napari_histreg.volumes.volume import Volume

if TYPE_CHECKING:
    from napari_histreg.volumes.opening import open_volume
    from napari_histreg.volumes.planes import plane_of
    from napari_histreg.volumes.series import list_series
    from napari_histreg.volumes.writing import write_volume

__all__ = ["Volume", "list_series", "open_volume", "plane_of", "write_volume"]

_LAZY = {
    "list_series": "series",
    "open_volume": "opening",
    "plane_of": "planes",
    "write_volume": "writing",
}


def __getattr__(name: str) -> Any:
    """Import a public function when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
