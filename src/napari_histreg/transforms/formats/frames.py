"""SlideFrame: what a file format may need to know of a slide, without the slide."""

from dataclasses import dataclass

__all__ = ["SlideFrame"]


@dataclass(frozen=True)
class SlideFrame:
    """The frame of one slide, as far as file formats care.

    Parameters
    ----------
    pixel_size_um : (float, float) or None
        Size of a level-0 pixel (y, x) in µm; None where the slide does not know it: world units are then
        pixels.
    shape : (int, int) or None
        Height and width of level 0 in pixels.
    bounds_offset_px : (float, float)
        Where level-0 pixel (0, 0) lies in the other tool's picture of the slide, (y, x) in level-0 pixels.
        0 for tools that crop slides as this package does (QuPath); the slide's bounds for those that
        show the whole scan of an .mrxs file (raw OpenSlide).
    name : str
        For formats that name what they connect.

    Examples
    --------
    >>> SlideFrame(pixel_size_um=(0.25, 0.25), shape=(20000, 30000), name="he").world_pixel_size
    (0.25, 0.25)
    """

    pixel_size_um: tuple[float, float] | None = None
    shape: tuple[int, int] | None = None
    bounds_offset_px: tuple[float, float] = (0.0, 0.0)
    name: str = ""

    def __post_init__(self) -> None:
        if self.pixel_size_um is not None and not all(0 < size < float("inf") for size in self.pixel_size_um):
            raise ValueError(f"A pixel size must be two numbers above 0 (y, x), not {self.pixel_size_um}.")

    @property
    def world_pixel_size(self) -> tuple[float, float]:
        """Size of a level-0 pixel (y, x) in world units: µm, or 1 px where unknown."""
        return self.pixel_size_um or (1.0, 1.0)
