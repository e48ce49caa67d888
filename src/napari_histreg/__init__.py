"""Align histology slides across stains, and say how far the result can be trusted.

>>> import napari_histreg
>>> pair = napari_histreg.phantom_pair(1500, angle_deg=20)
>>> result = napari_histreg.register(pair.fixed, pair.moving)
>>> result.verdict
'accepted'
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_histreg.errors import Cancelled, HistregError
    from napari_histreg.groups import GroupRegistration, register_group
    from napari_histreg.groups.document import read_group, write_group
    from napari_histreg.landmarks import Landmarks, fit_landmarks, read_landmarks, write_landmarks
    from napari_histreg.projections import align_projections, open_projections
    from napari_histreg.records.document import read_registration, write_registration
    from napari_histreg.registration import Registration, register
    from napari_histreg.registration.catalogue import list_methods
    from napari_histreg.samples import demo_pair, phantom_pair
    from napari_histreg.slides import Slide, open_slide, write_slide
    from napari_histreg.transforms import Affine, Rigid, Similarity, Transform, Translation
    from napari_histreg.warping import Grid, warp_slide

    __version__: str

__all__ = [
    "Affine",
    "Cancelled",
    "Grid",
    "GroupRegistration",
    "HistregError",
    "Landmarks",
    "Registration",
    "Rigid",
    "Similarity",
    "Slide",
    "Transform",
    "Translation",
    "__version__",
    "align_projections",
    "demo_pair",
    "fit_landmarks",
    "list_methods",
    "open_projections",
    "open_slide",
    "phantom_pair",
    "read_group",
    "read_landmarks",
    "read_registration",
    "register",
    "register_group",
    "warp_slide",
    "write_group",
    "write_landmarks",
    "write_registration",
    "write_slide",
]
_PLACES = {
    "errors": ("Cancelled", "HistregError"),
    "groups": ("GroupRegistration", "register_group"),
    "groups.document": ("read_group", "write_group"),
    "landmarks": ("Landmarks", "fit_landmarks", "read_landmarks", "write_landmarks"),
    "registration": ("Registration", "register"),
    "registration.catalogue": ("list_methods",),
    "projections": ("align_projections", "open_projections"),
    "records.document": ("read_registration", "write_registration"),
    "samples": ("demo_pair", "phantom_pair"),
    "slides": ("Slide", "open_slide", "write_slide"),
    "transforms": ("Affine", "Rigid", "Similarity", "Transform", "Translation"),
    "warping": ("Grid", "warp_slide"),
}
_HOME = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name from its room on first use, so that importing the package stays light."""
    if name == "__version__":
        from importlib.metadata import version

        return version("napari-histreg")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
