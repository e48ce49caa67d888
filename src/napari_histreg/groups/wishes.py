"""Wishes: what a group of slides is to become."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from napari_histreg.errors import MissingPixelSize
from napari_histreg.groups.solution import KINDS
from napari_histreg.records.record import SlideRecord

__all__ = ["Wishes"]


@dataclass(frozen=True)
class Wishes:
    """What a group is to become.

    Parameters
    ----------
    ordered : bool
        Whether the slides are sections in their order.
    frame : {"template", "mean", "rmse", "ncc", "mi"} or int
        The frame: the slide that all others move least onto (of sections the middle one), the mean shape of
        all, the slide that looks most like all others by a measure, or a slide.
    model : {"affine", "similarity", "rigid"}
        By what kind of transform slides may differ.
    keep_shape : float or None
        Take the smooth trend out of the found places, over so many sections; None leaves it in.
    preferred : tuple of int
        Slides in the order in which they would make a template, where a measure chose it.
    """

    ordered: bool = False
    frame: Literal["template", "mean", "rmse", "ncc", "mi"] | int = "template"
    model: str = "affine"
    keep_shape: float | None = None
    preferred: tuple[int, ...] = ()

    def check(self, slides: Sequence[SlideRecord]) -> None:
        """Make sure that slides can become what is wished.

        Raises
        ------
        ValueError
            The model does not exist, or the trend is to be taken out of slides without order.
        MissingPixelSize
            A model that keeps lengths is asked for and some slides only know their pixel size.
        """
        if self.model not in KINDS:
            raise ValueError(f"The model is one of {', '.join(KINDS)}, not {self.model!r}.")
        if self.keep_shape is not None and not self.ordered:
            raise ValueError("The trend is taken out of sections in their order only: give the order too.")
        if self.keep_shape is not None and not self.keep_shape > 0:
            raise ValueError(f"The trend goes over a positive number of sections, not {self.keep_shape}.")
        if self.model == "rigid" and len({slide.unit for slide in slides}) > 1:
            without = next(slide.name for slide in slides if slide.pixel_size_um is None)
            raise MissingPixelSize(
                f"{without} does not say how large its pixels are, so that a rigid model cannot join it to "
                "slides that do. Give its pixel size, or use the model similarity or affine."
            )
