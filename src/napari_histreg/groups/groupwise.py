"""A group bent to its mean at once, by a method for groups, where the pictures confirm it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_histreg.errors import RegistrationError
from napari_histreg.geometry import FloatArray
from napari_histreg.groups.group import Member
from napari_histreg.methods.elastix.groupwise import ElastixGroupwise
from napari_histreg.preprocess import Recipe, prepare
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.raster import Raster
from napari_histreg.slides import Slide
from napari_histreg.transforms import resample
from napari_histreg.warping import Grid

__all__ = ["Groupwise", "bend_groupwise"]


@dataclass(frozen=True)
class Groupwise:
    """What the method did.

    Parameters
    ----------
    before, after : float
        Mean correlation of all pairs of slides in the frame.
    note : str
        In plain words.
    """

    before: float
    after: float
    note: str

    @property
    def is_better(self) -> bool:
        """Whether the slides lie better on one another than before."""
        return self.after > self.before


def bend_groupwise(
    members: Sequence[Member],
    slides: Sequence[Slide],
    template: int,
    method: ElastixGroupwise,
    *,
    progress: Progress = silent,
) -> tuple[tuple[Member, ...], Groupwise]:
    """Bend all slides that have a place to their mean.

    Parameters
    ----------
    members : sequence of Member
        With affine places.
    slides : sequence of Slide
        The same slides.
    template : int
        The slide that gives the frame its area.
    method : ElastixGroupwise
        With its parameters.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    tuple of Member
        Bent where the pictures then agree better; otherwise as they were.
    Groupwise
        What it did.
    """
    placed = [k for k, member in enumerate(members) if member.frame_to_slide is not None]
    size = max(slides[template].size)
    frame = Grid.of(slides[template]).with_spacing(
        max(size / method.max_side_px, max(slides[template].world_pixel_size))
    )
    images = []
    for number, k in enumerate(placed):
        progress(0.2 * number / len(placed), f"looking at {slides[k].name}")
        images.append(_seen(members[k], slides[k], frame, method.max_side_px))
    before = _likeness(images)
    try:
        bends = method.estimate_group(images, progress=portion(progress, 0.2, 0.95))
    except RegistrationError as error:
        return tuple(members), Groupwise(before, before, str(error))
    after = _likeness([resample(image, bend, frame) for image, bend in zip(images, bends, strict=True)])
    if not after > before:
        note = "Bending the group at once does not make its slides more alike: they stay as they were."
        return tuple(members), Groupwise(before, after, note)
    out = list(members)
    for k, bend in zip(placed, bends, strict=True):
        base = members[k].frame_to_slide
        out[k] = replace(members[k], frame_to_slide=None if base is None else bend.then(base))
    note = f"Bending the group at once raised the mean correlation from {before:.3f} to {after:.3f}."
    return tuple(out), Groupwise(before, after, note)


def _seen(member: Member, slide: Slide, frame: Grid, side: int) -> Raster:
    """See a slide's density in the frame."""
    if member.frame_to_slide is None:
        raise RegistrationError(f"{slide.name} has no place in the group.")
    density = prepare(slide, Recipe(signal="density", max_size_px=2 * side))
    return resample(density, member.frame_to_slide, frame)


def _likeness(images: Sequence[Raster]) -> float:
    """Return the mean correlation of all pairs, each where both are seen, whatever its sign."""
    found: list[float] = []
    for k, one in enumerate(images):
        for other in images[k + 1 :]:
            both = one.mask & other.mask
            if both.sum() > 100:
                found.append(
                    abs(_correlation(one.pixels[both].astype(float), other.pixels[both].astype(float)))
                )
    return float(np.mean(found)) if found else 0.0


def _correlation(first: FloatArray, second: FloatArray) -> float:
    a, b = (values - values.mean() for values in (first, second))
    return float((a @ b) / max(float(np.sqrt((a @ a) * (b @ b))), 1e-12))
