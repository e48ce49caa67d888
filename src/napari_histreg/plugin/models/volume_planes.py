"""The planes of volumes that are shown as slides: which there are, and any other of them."""

from dataclasses import replace

from napari_histreg.slides import Slide
from napari_histreg.slides.address import PlaneChoice, parse_address
from napari_histreg.slides.volume_planes import plane_slide
from napari_histreg.volumes import Volume, open_volume
from napari_histreg.volumes.planes import PLANES, PlaneName

__all__ = ["VolumePlanes"]


class VolumePlanes:
    """Planes of one volume, each the same slide whenever it is shown again.

    What was done with a plane, such as pairs that were placed on it, is kept under its slide, so coming back
    to a plane must give the slide that it was.

    Parameters
    ----------
    shown : Slide
        A plane of a volume, as `open_slide` gives it.

    Attributes
    ----------
    shown : Slide
        The plane that is shown now.
    """

    def __init__(self, shown: Slide) -> None:
        self.shown = shown
        self._volume: Volume | None = None
        self._slides = {_place(shown): shown}

    @staticmethod
    def has_planes(slide: Slide) -> bool:
        """Tell whether a slide is one plane of several, whose file is known."""
        return slide.path is not None and int(slide.metadata.get("count") or 1) > 1

    @property
    def plane(self) -> PlaneName:
        """Which way the shown plane lies."""
        found: PlaneName = self.shown.metadata["plane"]
        return found

    @property
    def index(self) -> int:
        """Number of the shown plane."""
        return int(self.shown.metadata["index"])

    @property
    def count(self) -> int:
        """How many planes lie this way."""
        return int(self.shown.metadata["count"])

    @property
    def choices(self) -> tuple[PlaneName, ...]:
        """The ways in which the volume can be cut; only its own where planes are missing."""
        return PLANES if not self._read().uneven else (self.plane,)

    def at(self, index: int | None, plane: PlaneName | None = None) -> Slide:
        """Return a plane as a slide; the middle one where no index is given.

        Raises
        ------
        ReadError
            The volume cannot be read again, or cannot be cut this way.
        ValueError
            There is no such plane.
        """
        wanted = plane or self.plane
        if index is not None and (wanted, index) in self._slides:
            return self._slides[wanted, index]
        made = plane_slide(self._read(), replace(self._choice(), plane=wanted, index=index))
        return self._slides.setdefault(_place(made), made)

    def _choice(self) -> PlaneChoice:
        return parse_address(self.shown.path or "")[1] or PlaneChoice()

    def _read(self) -> Volume:
        if self._volume is None:
            path, _ = parse_address(self.shown.path or "")
            choice = self._choice()
            self._volume = open_volume(path, series=choice.series, t=choice.t)
        return self._volume


def _place(slide: Slide) -> tuple[str, int]:
    return str(slide.metadata["plane"]), int(slide.metadata["index"])
