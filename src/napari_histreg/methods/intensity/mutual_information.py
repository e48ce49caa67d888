"""Climb to the greatest mutual information: SimpleITK's registration framework."""

from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from napari_histreg.errors import NotConverged
from napari_histreg.geometry import FloatArray
from napari_histreg.matching.evidence import as_affine, require_plausible, weigh_pose
from napari_histreg.matching.picture import Picture
from napari_histreg.methods import fields
from napari_histreg.methods.fourier.phase_shift import ShiftFinder
from napari_histreg.methods.intensity.all_turns import swept_finding, unstretched
from napari_histreg.methods.intensity.sitk_climb import Climb, Freedom, climb
from napari_histreg.methods.method import Finding, Method
from napari_histreg.methods.starts import level_spacings, plain_starts, prealign, working_spacing
from napari_histreg.progress import Progress, portion
from napari_histreg.transforms import Affine, MatrixTransform, Rigid, Similarity, Transform

__all__ = ["MutualInformation"]

KINDS: dict[str, type[MatrixTransform]] = {"rigid": Rigid, "similarity": Similarity, "affine": Affine}
COARSE_PX = 128
COARSE_ITERATIONS = 40
CANDIDATES = 4
STEP_DEG = 2.0
PLAIN_STEP_DEG = 10.0
BY_PHASE = 5
SURE = 3.0
"""A peak of the phases this many times the second is no accident."""


class MutualInformation(Method):
    """Maximise what one signal tells about the other, coarse to fine.

    Mattes' mutual information [1]_ asks only that equal values of one image fall on similar values of the
    other, whichever they are: it aligns stains that look nothing alike. It climbs from a start. Several
    rotations about it are tried on a small copy first, so that a start that is fifteen degrees off is
    enough. With ``metric="mean_squares"`` both signals must have the same values.

    Only where both masks are valid is looked at. The result is refused where it is implausible or where
    wrong poses of the two images agree as well. Where its edges do not convince, as those of CT and MR seldom
    do, every turn and shift is tried (``search_deg`` about a start; any turn without one), and cells that
    took no part in learning which values go together are asked; see `search_related`. It stretches only
    where that is worth much, or these cells confirm it.

    Notes
    -----
    After each iteration progress is told; to cancel, the optimiser is stopped at every further one.

    References
    ----------
    .. [1] D. Mattes et al., PET-CT image registration in the chest using free-form deformations, IEEE TMI
       22(1), 2003. doi:10.1109/TMI.2003.809072
    """

    name = "mi"
    label = "The climb by mutual information"

    metric: Literal["mutual_information", "mean_squares"] = Field(
        "mutual_information",
        title="Metric",
        description="Mutual information for different stains; mean squares for the same stain and scanner.",
    )
    transform: Freedom = Field(
        "affine", title="Transform", description="What may change, on top of the start."
    )
    levels: int = fields.levels(4)
    iterations: int = fields.iterations(200)
    bins: int = Field(
        32,
        title="Bins",
        description="Of the joint histogram.",
        ge=5,
        le=256,
        json_schema_extra=fields.ADVANCED,
    )
    sampling: float = Field(
        0.2, title="Sampling", description="Share of the pixels looked at, on large levels.", gt=0.001, le=1.0
    )
    search_deg: float = Field(
        20.0,
        title="Rotations tried (degrees)",
        description="To either side of the start, on a small copy; 0 tries only the start.",
        ge=0.0,
        le=180.0,
    )
    sweep: bool = Field(
        True,
        title="Try all turns where edges do not convince",
        description="Tries every turn and shift, and asks cells that took no part: for images that share "
        "few edges, such as CT and MR.",
    )
    max_side_px: int = fields.working_size(1024)
    seed: int = fields.seed()

    def search(
        self, fixed: Picture, moving: Picture, initial: Transform | None, progress: Progress
    ) -> Finding:
        """Climb from the best of several turns, coarse to fine; see `Method.search`.

        Raises
        ------
        NotConverged
            The optimiser gave up, or the result is not one that can be trusted.
        """
        if not self.sweep or self.metric != "mutual_information":
            return self._climbed(fixed, moving, initial, progress)
        try:
            found = self._climbed(fixed, moving, initial, portion(progress, 0.0, 0.5))
            evidence = weigh_pose(fixed, moving, as_affine(found.fixed_to_moving, fixed))
            found = replace(found, evidence=evidence)
            require_plausible(as_affine(found.change, fixed), evidence, self.label)
            if self.transform != "rigid":
                found = unstretched(fixed, moving, found)
                if found.evidence is not None:
                    require_plausible(as_affine(found.change, fixed), found.evidence, self.label)
            return found
        except NotConverged as error:
            failure = str(error)
        return swept_finding(
            fixed, moving, initial, freedom=self.transform, search_deg=self.search_deg, failure=failure,
            progress=portion(progress, 0.5, 0.9),
        )  # fmt: skip

    def _climbed(
        self, fixed: Picture, moving: Picture, initial: Transform | None, progress: Progress
    ) -> Finding:
        start, matrix = self._best_start(fixed, moving, initial, portion(progress, 0.0, 0.4))
        # What was found on the small copy must not be lost on a smaller one.
        spacings = level_spacings(
            fixed,
            moving,
            start,
            levels=self.levels,
            max_side_px=self.max_side_px,
            coarsest_px=COARSE_PX,
        )
        value = 0.0
        for k, spacing in enumerate(spacings):
            part = portion(progress, 0.4 + 0.5 * k / len(spacings), 0.4 + 0.5 * (k + 1) / len(spacings))
            value, matrix = climb(
                prealign(fixed, moving, start, spacing), matrix, self._how(self.transform), part
            )
        return Finding(
            KINDS[self.transform](matrix),
            start,
            score=-value,
            words=f"metric {value:.4f}",
            figures={"metric": value},
        )

    def _how(self, freedom: Freedom, *, coarse: bool = False) -> Climb:
        return Climb(
            metric=self.metric,
            freedom=freedom,
            iterations=COARSE_ITERATIONS if coarse else self.iterations,
            bins=self.bins,
            sampling=self.sampling,
            seed=self.seed,
            step_px=2.0 if coarse else 0.2,
        )

    def _best_start(
        self, a: Picture, b: Picture, initial: Transform | None, progress: Progress
    ) -> tuple[Transform, FloatArray]:
        """Climb a little from several rotations about each start; keep the pose that stands out most."""
        starts = plain_starts(a, b) if initial is None else (initial,)
        how = self._how("rigid" if self.transform == "rigid" else "similarity", coarse=True)
        found: list[tuple[float, Transform, FloatArray]] = []
        failure: NotConverged | None = None
        for k, start in enumerate(starts):
            part = portion(progress, 0.8 * k / len(starts), 0.8 * (k + 1) / len(starts))
            coarse = max(working_spacing(a, b, start), a.extent / COARSE_PX)
            seeds = self._seeds(ShiftFinder(a, b, start, coarse), portion(part, 0.0, 0.3))
            pair = prealign(a, b, start, coarse)
            for j, seed in enumerate(seeds):
                piece = portion(part, 0.3 + 0.7 * j / len(seeds), 0.3 + 0.7 * (j + 1) / len(seeds))
                try:
                    value, matrix = climb(pair, seed.matrix, how, piece)
                    found.append((value, start, matrix))
                except NotConverged as error:
                    failure = error
        if not found:
            raise failure or NotConverged("There is no start to climb from.")
        found.sort(key=lambda item: item[0])
        weighed: list[tuple[float, Transform, FloatArray]] = []
        for k, (_, start, matrix) in enumerate(found[:CANDIDATES]):
            progress(0.8 + 0.2 * k / CANDIDATES, "comparing the best starts")
            # The metric alone favours poses that overlap little.
            margin = weigh_pose(a, b, as_affine(Affine(matrix).then(start), a), side=96).margin
            weighed.append((margin, start, matrix))
        _, start, matrix = max(weighed, key=lambda item: item[0])
        return start, matrix

    def _seeds(self, finder: ShiftFinder, progress: Progress) -> list[MatrixTransform]:
        """Give the poses to climb from: turns as they are, and those whose phases best show a shift."""
        middle = finder.fixed.box.mean(0)
        seeds: list[MatrixTransform] = [
            Rigid.of(angle_deg=angle, centre=middle) for angle in _angles(self.search_deg, PLAIN_STEP_DEG)
        ]
        shifted: list[tuple[float, MatrixTransform]] = []
        angles = _angles(self.search_deg, STEP_DEG)
        for k, angle in enumerate(angles):
            progress(k / len(angles), "looking for shifts at several turns")
            # The climb reaches no further than a nucleus; the phases show shifts of any size.
            peak, seed = finder.shift(Rigid.of(angle_deg=angle, centre=middle))
            shifted.append((peak.margin, seed))
        shifted.sort(key=lambda item: -item[0])
        if shifted[0][0] > SURE:
            return [seed for _, seed in shifted[:2]]
        return seeds + [seed for _, seed in shifted[:BY_PHASE]]


def _angles(reach_deg: float, step_deg: float) -> list[float]:
    """Lay rotations evenly over both sides of nought, nearest first."""
    count = int(np.ceil(reach_deg / step_deg))
    steps = np.linspace(0, reach_deg, count + 1)
    return sorted({float(s) * sign for s in steps for sign in (1, -1)}, key=abs)
