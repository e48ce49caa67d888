"""A slide as it stands in the viewer."""

from dataclasses import dataclass
from functools import cached_property

from napari_histreg.records.record import SlideRecord
from napari_histreg.slides import Slide

__all__ = ["ChosenSlide", "slide_key"]


@dataclass(frozen=True, eq=False)
class ChosenSlide:
    """A slide and the layers that show it.

    Parameters
    ----------
    key : str
        What the plugin knows the slide by; stays the same while the slide is in the viewer, whatever its
        layers are called.
    slide : Slide
        The pixels.
    layers : tuple of str
        Names of the layers that show it, as they were when it was chosen.
    """

    key: str
    slide: Slide
    layers: tuple[str, ...] = ()

    @cached_property
    def record(self) -> SlideRecord:
        """What is noted of the slide in files, its fingerprint among it."""
        return SlideRecord.of(self.slide)


def slide_key(slide: Slide) -> str:
    """Return what the plugin knows a slide by, as long as it is open."""
    return f"{id(slide):x}"
