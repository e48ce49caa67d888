"""register_group: many slides of one specimen in one frame."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from napari_histreg.groups.group import GroupRegistration
from napari_histreg.groups.hand_links import hand_links
from napari_histreg.groups.linking import LinkSettings
from napari_histreg.groups.names import place_of
from napari_histreg.groups.run import check_method, run_group
from napari_histreg.groups.wishes import Wishes
from napari_histreg.landmarks import Landmarks
from napari_histreg.progress import Progress, silent
from napari_histreg.registration.request import check_signal
from napari_histreg.slides import Slide, open_slide
from napari_histreg.slides.several_files import natural_key

__all__ = ["natural_order", "register_group"]

FRAMES: tuple[Literal["template", "mean", "rmse", "ncc", "mi"], ...] = (
    "template",
    "mean",
    "rmse",
    "ncc",
    "mi",
)


def register_group(  # noqa: PLR0913 - each is named, and one that people choose
    slides: Sequence[Slide | str | os.PathLike[str] | Any],
    *,
    order: Literal["names", "given"] | None = None,
    frame: str | int = "template",
    model: str = "affine",
    method: str = "auto",
    channel: int | str | None = None,
    signal: str | None = None,
    keep_shape: float | None = None,
    landmarks: Mapping[tuple[int, int], Landmarks] | None = None,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
    **parameters: Any,
) -> GroupRegistration:
    """Align many slides of one specimen to one frame, and judge each of them.

    Pairs are aligned by `register`, as many as it takes for every slide to lie in a loop. One robust
    least-squares solution over all of them gives the slides' transforms; a pair that contradicts the loops
    through it loses its weight. A slide that fits nowhere is refused by itself and harms no other.

    Parameters
    ----------
    slides : sequence of Slide, path or array
        Two or more, in any order and of any stain.
    order : {"names", "given"}, optional
        Slides are serial sections in the order of their names (2 before 10), or as they are given; without it
        they lie in no order.
    frame : "template", "mean", "rmse", "ncc", "mi", or a slide by its place or name
        The common frame: that of the slide onto which the others have to move least (of sections, the middle
        one); the mean shape of all; that of the slide which looks most like all others as they lie, by summed
        root mean square difference, correlation or mutual information (`choose_template`); or that of the
        slide named.
    model : {"affine", "similarity", "rigid"}
        How slides may differ from one another.
    method : str
        How pairs are aligned; a name from ``list_methods()``. Or "elastix_groupwise": pairs are aligned by
        "auto", and then all slides are bent to their mean at once.
    channel : int or str, optional
        The channel to align by, in all slides that have it.
    signal : {"nuclear", "grey", "vessels", "frangi"}, optional
        What is looked at, see `register`; where all slides are colour photographs of the retina, their
        vessels by default.
    keep_shape : float, optional
        Take the smooth trend out of the places of sections, over so many sections (5, say): what is left
        corrects what jumps from section to section only, and the stack keeps the shape that the images give
        it.
    landmarks : mapping of (int, int) to Landmarks, optional
        Three point pairs or more that a person placed on two slides, by their places in `slides`: such a
        pair is taken as right.
    folder : path-like, optional
        Where each pair is kept as it is done, and used again by the next run with the same slides and
        settings.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.
    **parameters
        Of the method.

    Returns
    -------
    GroupRegistration
        Members in the order given, or of the names.

    Raises
    ------
    ValueError
        Fewer than two slides, an unknown order, frame, model, method or parameter, or too few landmarks.
    ReadError
        A slide cannot be read.
    RegistrationError
        No two slides could be aligned.

    Examples
    --------
    >>> from napari_histreg.samples import phantom_pair
    >>> pair = phantom_pair(1500, angle_deg=20)
    >>> group = register_group([pair.fixed, pair.moving])
    >>> group.verdict(0), group.verdict(1), len(group.links)
    ('accepted', 'accepted', 1)
    """
    if len(slides) < 2:
        raise ValueError(f"A group needs two slides or more, not {len(slides)}.")
    if order not in (None, "names", "given"):
        raise ValueError(f'The order is "names" or "given", not {order!r}.')
    check_signal(signal)
    check_method(method, parameters)
    with ExitStack() as opened:
        read = [s if isinstance(s, Slide) else opened.enter_context(open_slide(s)) for s in slides]
        names = [slide.name for slide in read]
        places = natural_order(names) if order == "names" else list(range(len(read)))
        wishes = Wishes(
            ordered=order is not None,
            frame=_frame(frame, names, places),
            model=model,
            keep_shape=keep_shape,
        )
        return run_group(
            [read[k] for k in places],
            wishes,
            LinkSettings(method, parameters, channel, signal),
            by_hand=hand_links(landmarks or {}, names, places),
            folder=None if folder is None else Path(folder),
            progress=progress,
        )


def _frame(
    frame: str | int, given: Sequence[str], places: Sequence[int]
) -> Literal["template", "mean", "rmse", "ncc", "mi"] | int:
    for word in FRAMES:
        if frame == word:
            return word
    if isinstance(frame, str):
        try:
            return place_of([given[k] for k in places], frame)
        except ValueError as error:
            raise ValueError(f"The frame is one of {', '.join(FRAMES)}, or a slide. {error}") from None
    if not 0 <= frame < len(given):
        raise ValueError(f"The frame is slide {frame}, and there are {len(given)} slides, counted from 0.")
    return places.index(frame)


def natural_order(names: Sequence[str]) -> list[int]:
    """Return the places of names in the order that people expect: numbers by their value.

    Examples
    --------
    >>> natural_order(["s10", "s2", "s1"])
    [2, 1, 0]
    """
    return sorted(range(len(names)), key=lambda k: natural_key(names[k]))
