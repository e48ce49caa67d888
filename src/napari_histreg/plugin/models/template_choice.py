"""Which of the open slides the others should be aligned to."""

from collections.abc import Callable, Sequence

from napari_histreg.progress import Progress
from napari_histreg.registration.template import TemplateChoice, choose_template
from napari_histreg.slides import Slide

__all__ = ["FEWEST", "template_choice", "template_words"]

FEWEST = 3
"""Of two slides, neither is nearer to the other."""


def template_choice(slides: Sequence[Slide]) -> Callable[[Progress], TemplateChoice]:
    """Return the call that finds the slide nearest to all others, as ``histreg template`` does."""
    compared = tuple(slides)
    return lambda progress: choose_template(compared, progress=progress)


def template_words(choice: TemplateChoice, slides: Sequence[Slide]) -> str:
    """Say which slide is nearest, and how near each is on average, nearest first."""
    others = len(slides) - 1
    told = ", ".join(f"{slides[k].name} {choice.distances[k].sum() / others:.3f}" for k in choice.order)
    return f"{slides[choice.index].name} is nearest to the others (mean distance: {told})."
