"""GroupOptions: how the next run over a group goes."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from napari_histreg.groups.linking import LinkSettings
from napari_histreg.groups.recipe import natural_order
from napari_histreg.groups.registry import GROUP_METHODS
from napari_histreg.groups.wishes import Wishes
from napari_histreg.methods.spec import MethodSpec
from napari_histreg.registration.catalogue import list_methods
from napari_histreg.slides import Slide

__all__ = ["GroupOptions", "Order", "place_among"]

Order = Literal["none", "names", "given"]


class GroupOptions:
    """How a group is aligned.

    Attributes
    ----------
    order : {"none", "names", "given"}
        Whether the slides are sections, in the order of their names or as they are listed.
    frame : "template", "mean" or Slide
        See `register_group`.
    model : str
        By what kind of transform slides may differ.
    keep_shape : float
        Over how many sections the smooth trend is taken out; 0 leaves it in.
    method : str
        How pairs are aligned, or a method for groups.
    parameters : mapping
        Of the method.
    """

    def __init__(self) -> None:
        self.order: Order = "none"
        self.frame: Literal["template", "mean"] | Slide = "template"
        self.model = "affine"
        self.keep_shape = 0.0
        self.method = "auto"
        self.parameters: Mapping[str, Any] = {}

    @cached_property
    def methods(self) -> tuple[MethodSpec, ...]:
        """Ways of aligning a group: by pairs, then all at once; those that are not installed come last."""
        # To see what is installed takes a while, and this is asked at every report of progress.
        return (*self._available, *(spec for spec in _listed() if spec not in self._available))

    @cached_property
    def _available(self) -> tuple[MethodSpec, ...]:
        return tuple(spec for spec in _listed() if spec.is_available)

    @property
    def spec(self) -> MethodSpec:
        """The chosen method's line in the tables."""
        return next(spec for spec in self.methods if spec.name == self.method)

    @property
    def obstacle(self) -> str | None:
        """Why the chosen method cannot be used; None where it can."""
        if self.spec in self._available:
            return None
        return f"{self.spec.title} is not installed. Install it with: {self.spec.install_line}"

    @property
    def settings(self) -> LinkSettings:
        """How pairs are aligned, for `run_group`."""
        return LinkSettings(self.method, dict(self.parameters))

    def wishes(self, slides: Sequence[Slide]) -> Wishes:
        """Return what these slides are to become."""
        frame: Any = self.frame
        if isinstance(frame, Slide):
            place = place_among(slides, frame)
            frame = "template" if place is None else place
        ordered = self.order != "none"
        return Wishes(ordered, frame, self.model, self.keep_shape if ordered and self.keep_shape else None)

    def arranged(self, slides: Sequence[Slide]) -> tuple[Slide, ...]:
        """Put slides into their order."""
        if self.order != "names":
            return tuple(slides)
        return tuple(slides[k] for k in natural_order([slide.name for slide in slides]))


def _listed() -> tuple[MethodSpec, ...]:
    return (*(spec for spec in list_methods() if spec.name != "landmarks"), *GROUP_METHODS)


def place_among(slides: Sequence[Slide], slide: Slide) -> int | None:
    """Return where a slide stands among others, as itself."""
    return next((k for k, other in enumerate(slides) if other is slide), None)
