"""A remark where two slides fit at another scale than their pixel sizes say."""

import numpy as np

from napari_histreg.records.record import Outcome
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform

__all__ = ["scale_remark"]

PLAY = 1.15
"""Sections shrink and stretch by a few percent, and scanners differ by one or two; beyond this share, either
way, it is the pixel sizes that are wrong."""


def scale_remark(outcome: Outcome, fixed: Slide, moving: Slide) -> str | None:
    """Say that the pixel sizes contradict an alignment; None where they do not, or where one is unknown.

    Where slides are aligned is seen in their pixels, whatever their files say of the size of these. A wrong
    pixel size leaves such an alignment right, and everything that is given in µm wrong.

    Parameters
    ----------
    outcome : Outcome
        What was found; a refused guess tells nothing of the scale.
    fixed, moving : Slide
        The slides.

    Returns
    -------
    str or None
        One sentence.

    Examples
    --------
    >>> from napari_histreg.slides import open_slide
    >>> from napari_histreg.transforms import Affine
    >>> slide = open_slide(np.ones((40, 50)), pixel_size_um=0.5)
    >>> scale_remark(Outcome(Affine(np.eye(3)), "accepted"), slide, slide) is None
    True
    >>> scale_remark(Outcome(Affine(np.diag([4.0, 4.0, 1.0])), "accepted"), slide, slide)
    'The slides fit at 4 times the scale that their pixel sizes give: check the pixel sizes.'
    """
    transform = outcome.fixed_to_moving
    if transform is None or outcome.verdict == "refused":
        return None
    if fixed.pixel_size_um is None or moving.pixel_size_um is None:
        return None
    scale = _scale(transform, np.array(fixed.shape) * fixed.world_pixel_size)
    if 1 / PLAY <= scale <= PLAY:
        return None
    return (
        f"The slides fit at {scale:.3g} times the scale that their pixel sizes give: check the pixel sizes."
    )


def _scale(fixed_to_moving: Transform, size: np.ndarray) -> float:
    """Return how many moving µm a fixed one becomes, over the middle half of the fixed slide."""
    middle, reach = size / 2, size / 4
    steps = np.array([[reach[0], 0.0], [-reach[0], 0.0], [0.0, reach[1]], [0.0, -reach[1]]])
    there = fixed_to_moving(middle + steps)
    area = np.linalg.det(np.stack([there[0] - there[1], there[2] - there[3]])) / (4 * reach.prod())
    return float(np.sqrt(abs(area)))
