"""How well labels of both slides, such as masks of vessels, lie on one another before and after."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from napari_histreg.geometry import tiles
from napari_histreg.records.record import Registration
from napari_histreg.slides import Slide
from napari_histreg.transforms import Translation
from napari_histreg.warping import Grid, warp_slide

__all__ = ["LabelScore", "evaluate_labels"]

TILE = 2048


@dataclass(frozen=True)
class LabelScore:
    """Overlap of the labels of one pair.

    Parameters
    ----------
    name : str
        The pair.
    verdict : str
        Of its registration.
    dice_before, dice_after : float
        Dice overlap of everything that is labelled, the moving slide as it lies and as it was aligned.
    """

    name: str
    verdict: str
    dice_before: float
    dice_after: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


def evaluate_labels(registration: Registration, fixed_labels: Slide, moving_labels: Slide) -> LabelScore:
    """Carry the labels of the moving slide along, and measure how far they cover those of the fixed one.

    Parameters
    ----------
    registration : Registration
        The alignment of the two slides.
    fixed_labels, moving_labels : Slide
        A mask or label image of each slide, on its level-0 pixels; what is not 0 in any channel is labelled.

    Returns
    -------
    LabelScore

    Raises
    ------
    ValueError
        A mask has another size than its slide.
    RegistrationError
        There is no transform, not even a guess.
    """
    for labels, record in ((fixed_labels, registration.fixed), (moving_labels, registration.moving)):
        if labels.shape != record.shape:
            raise ValueError(
                f"The labels {labels.name} are {labels.shape[0]} x {labels.shape[1]} px and the slide "
                f"{record.name} is {record.shape[0]} x {record.shape[1]} px. "
                "Give labels on the slide's own pixels."
            )
    grid = Grid(registration.fixed.shape, registration.fixed.world_pixel_size)
    moving = _on_pixels_of(moving_labels, registration.moving.pixel_size_um)
    before, after = (
        _dice(fixed_labels, warp_slide(moving, transform, grid, interpolation="nearest"))
        for transform in (Translation.identity(), registration.fixed_to_moving)
    )
    name = f"{registration.moving.name} to {registration.fixed.name}"
    return LabelScore(name, registration.verdict, before, after)


def _on_pixels_of(labels: Slide, pixel_size_um: tuple[float, float] | None) -> Slide:
    """Give labels the pixel size of their slide: masks rarely know it."""
    return replace(labels, pixel_size_um=pixel_size_um, background=0.0)


def _dice(first: Slide, second: Slide) -> float:
    """Return the Dice overlap of what is labelled, tile by tile; NaN where nothing is."""
    common = total = 0
    for region in tiles(first.shape, TILE):
        a, b = ((slide.read(0, region) > 0).any(axis=0) for slide in (first, second))
        common += int((a & b).sum())
        total += int(a.sum()) + int(b.sum())
    return 2 * common / total if total else float("nan")
