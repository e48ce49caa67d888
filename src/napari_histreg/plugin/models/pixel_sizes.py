"""Other pixel sizes for slides that say none, or a wrong one."""

from dataclasses import replace

from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.models.session_state import SessionState
from napari_histreg.slides import Slide

__all__ = ["rescaled", "resized"]


def resized(slide: Slide, pixel_um: float | None) -> Slide:
    """Return the slide with pixels of another size; the same one where nothing changes.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_histreg.slides import open_slide
    >>> slide = open_slide(np.zeros((4, 5), np.uint8))
    >>> resized(slide, 0.5).pixel_size_um, resized(slide, None) is slide
    ((0.5, 0.5), True)
    """
    known = slide.pixel_size_um
    if pixel_um is None:
        return slide if known is None else replace(slide, pixel_size_um=None)
    # The field shows one number, of the height: a width of its own is kept where that was not touched.
    same = known is not None and abs(known[0] - pixel_um) < 5e-5
    return slide if same else replace(slide, pixel_size_um=(pixel_um, pixel_um))


def rescaled(
    state: SessionState, pairs: SessionState, fixed: Slide, moving: Slide, new_fixed: Slide, new_moving: Slide
) -> SessionState:
    """Return a state with the pairs of another, on the same pixels, though these have other sizes."""
    landmarks = Landmarks(
        pairs.landmarks.fixed * _ratio(fixed, new_fixed),
        pairs.landmarks.moving * _ratio(moving, new_moving),
        pairs.landmarks.names,
        pairs.landmarks.enabled,
        pairs.landmarks.confidence,
    )
    return replace(
        state,
        landmarks=landmarks,
        pair_ids=pairs.pair_ids,
        next_id=pairs.next_id,
        model=pairs.model,
        follow=pairs.follow,
    )


def _ratio(slide: Slide, other: Slide) -> tuple[float, float]:
    (y, x), (old_y, old_x) = other.world_pixel_size, slide.world_pixel_size
    return y / old_y, x / old_x
