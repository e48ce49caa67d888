"""Plan: the ways to find a pose, in the order in which they are tried."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from napari_histreg.errors import NoTissue, RegistrationError, TransformError
from napari_histreg.geometry import FloatArray
from napari_histreg.matching.evidence import as_affine
from napari_histreg.matching.picture import Picture
from napari_histreg.methods.intensity.mutual_information import MutualInformation
from napari_histreg.methods.starts import plain_starts
from napari_histreg.progress import Progress
from napari_histreg.raster import Raster
from napari_histreg.registration.automatic.attempts import Attempt, by_starts
from napari_histreg.registration.automatic.criteria import CRITERIA
from napari_histreg.registration.automatic.hypotheses import KEPT
from napari_histreg.registration.automatic.overview import Overview, with_channels
from napari_histreg.registration.automatic.searches import EXHAUSTIVE, GLANCE, QUICK, THOROUGH, PoseSearch
from napari_histreg.registration.automatic.small_field import SmallField, small_field
from napari_histreg.registration.automatic.tiles import Side
from napari_histreg.registration.request import Request
from napari_histreg.slides import Slide
from napari_histreg.transforms import fit_affine

__all__ = ["Plan", "scale_ranges"]

SHARE = 0.05
"""Of the turns that a coarser search looked at, the best share round which a finer one looks again. What can
be accepted stands half as far again above chance as the best wrong pose; at three quarters of the size it is
still among the best."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What is known before the search for a pose, and what to try with it.

    Parameters
    ----------
    slides : (Slide, Slide)
        Fixed and moving.
    overviews : (Overview, Overview)
        Of both.
    request : Request
        The user's start and landmarks.
    scale_play : float
        How far the scale may differ from what the pixel sizes say, as a share.
    scale_range : float
        How many times larger or smaller one field of view may be, where a pixel size is missing.
    mirror : bool
        Whether mirrored poses are tried.
    """

    slides: tuple[Slide, Slide]
    overviews: tuple[Overview, Overview]
    request: Request
    scale_play: float = 0.12
    scale_range: float = 2.6
    mirror: bool = True

    @property
    def pictures(self) -> tuple[Picture, Picture]:
        """The pictures of both overviews."""
        return self.overviews[0].picture, self.overviews[1].picture

    @property
    def knows_scale(self) -> bool:
        """Whether both slides know their pixel size."""
        return all(overview.knows_size for overview in self.overviews)

    def small_field(self) -> SmallField | None:
        """Return the search for a small field in a whole slide, where one slide is that; None otherwise."""
        sides = Side(self.slides[0], self.overviews[0]), Side(self.slides[1], self.overviews[1])
        scales, _ = scale_ranges(*self.pictures, play=self.scale_play, widest=self.scale_range)
        return small_field(sides, scales, mirror=self.mirror)

    def attempts(self) -> Iterator[Attempt]:
        """Yield the attempts, cheap ones first; later ones are not even prepared where one convinced."""
        pictures = self.pictures
        known, unknown = scale_ranges(*pictures, play=self.scale_play, widest=self.scale_range)
        scales = known if self.knows_scale else unknown
        # Starts are judged together with the poses of the search: without wrong ones there is no margin.
        given = self.given_starts()
        if given:
            yield Attempt("given start", by_starts(given), pictures, judged=False)
        plain = [start.matrix for start in plain_starts(*pictures)]
        yield Attempt("plain starts", by_starts(plain), pictures, judged=False)
        for effort in (QUICK, THOROUGH):
            search = PoseSearch(pictures, scales, effort, self.mirror)
            yield Attempt(effort.name, search, pictures)
        finest = PoseSearch(pictures, scales, EXHAUSTIVE, self.mirror, coarser=search, share=SHARE)
        yield Attempt(EXHAUSTIVE.name, finest, pictures, late=True)
        if self.knows_scale:
            quick = PoseSearch(pictures, unknown, GLANCE, self.mirror, known)
            yield Attempt(f"{GLANCE.name}, any scale", quick, pictures, late=True)
            effort = replace(THOROUGH, count=KEPT)
            search = PoseSearch(pictures, unknown, effort, self.mirror, known, quick, SHARE)
            yield Attempt(f"{THOROUGH.name}, any scale", search, pictures, late=True)
        # A right pose fits half as well again as any wrong one. Within half a step of it, a search sees four
        # fifths of that: where it has seen no such margin, a climb has nothing to find.
        yield Attempt("mutual information", self.climb, pictures, least_margin=CRITERIA.least_margin)
        yield from self.other_channels(scales)

    def given_starts(self) -> list[FloatArray]:
        """Return the starts that the user gave, as affine matrices in world units."""
        starts = []
        if self.request.initial is not None:
            starts.append(as_affine(self.request.initial, self.pictures[0]))
        landmarks = self.request.landmarks
        if landmarks is not None and len(landmarks.fixed) >= 3:
            # Points on one line give no start, and the search does without.
            with suppress(TransformError):
                starts.append(fit_affine(landmarks.fixed, landmarks.moving).matrix)
        return starts

    def climb(self, progress: Progress) -> tuple[list[FloatArray], dict[str, float]]:
        """Refine the plain centred start by mutual information; no start where that gives up."""
        rasters = [
            Raster.on(p.frame, p.channels.mean(0), p.mask)
            for p in (picture.reduced(picture.extent / 384) for picture in self.pictures)
        ]
        try:
            estimate = MutualInformation(sweep=False).estimate(*rasters, progress=progress)
        except RegistrationError:
            return [], {"poses": 0.0}
        return [as_affine(estimate.fixed_to_moving, self.pictures[0])], {"poses": 1.0}

    def other_channels(self, scales: tuple[float, float]) -> Iterator[Attempt]:
        """Yield attempts with other channels, where the slides have more."""
        (fixed, moving), (first, second) = self.slides, self.overviews
        choices = [(a, second.channels) for a in first.others] + [(first.channels, b) for b in second.others]
        for a, b in choices:
            try:
                pair = with_channels(first, a).picture, with_channels(second, b).picture
            except NoTissue:
                continue
            names = ", ".join([*(fixed.channels[k].name for k in a), *(moving.channels[k].name for k in b)])
            search = PoseSearch(pair, scales, QUICK, self.mirror)
            remark = f"Other channels were tried: {names}."
            yield Attempt(f"channels {names}", search, pair, remark, late=True)


def scale_ranges(
    fixed: Picture, moving: Picture, *, play: float, widest: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Give the scales to search with and without known pixel sizes, moving world units per fixed one.

    Without, the scale is measured against what would make the fields of view equally large.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_histreg.geometry import Frame
    >>> small = Picture(np.zeros((1, 50, 50), np.float32), Frame((50, 50), (1.0, 1.0), (0.0, 0.0)))
    >>> large = Picture(np.zeros((1, 100, 100), np.float32), Frame((100, 100), (1.0, 1.0), (0.0, 0.0)))
    >>> scale_ranges(small, large, play=0.1, widest=2.5)[1]
    (0.8, 5.0)
    """
    ratio = moving.extent / fixed.extent
    return (1 / (1 + play), 1 + play), (ratio / widest, ratio * widest)
