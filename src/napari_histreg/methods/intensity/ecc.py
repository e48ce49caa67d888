"""Climb to the greatest correlation: the enhanced correlation coefficient."""

import numpy as np
from pydantic import Field, field_validator

from napari_histreg.errors import NotConverged
from napari_histreg.geometry import FloatArray
from napari_histreg.matching.evidence import as_affine, require_plausible, weigh_pose
from napari_histreg.matching.picture import Picture
from napari_histreg.methods import fields
from napari_histreg.methods.intensity.ecc_level import Motion, climb
from napari_histreg.methods.method import Estimate, Method
from napari_histreg.methods.signal import comparable_pair
from napari_histreg.methods.starts import plain_starts, prealign, working_spacing
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.raster import Raster
from napari_histreg.transforms import Affine, MatrixTransform, Projective, Rigid, Transform, Translation

__all__ = ["ECC"]

COARSEST_PX = 40
KINDS: dict[Motion, type[MatrixTransform]] = {
    "translation": Translation,
    "euclidean": Rigid,
    "affine": Affine,
    "homography": Projective,
}


class ECC(Method):
    """Maximise the correlation of the two signals, coarse to fine.

    The enhanced correlation coefficient [1]_ does not see brightness and contrast, but both signals must
    be bright at the same places: give it the nuclear signal of differently stained slides. It climbs from
    a start and is exact to a fraction of a pixel; without a start it tries the slides as they lie, and
    centre on centre.

    Only where both masks are valid is looked at. The result is refused where it is implausible or where
    wrong poses of the two images agree as well.

    Notes
    -----
    OpenCV's iterations are called in short runs, between which progress is told and a cancel is heard.

    References
    ----------
    .. [1] G. D. Evangelidis and E. Z. Psarakis, Parametric image alignment using enhanced correlation
       coefficient maximization, IEEE TPAMI 30(10), 2008. doi:10.1109/TPAMI.2008.113
    """

    name = "ecc"

    motion: Motion = Field(
        "affine",
        title="Motion",
        description="What may change: the shift; also the turn; any affine map; or perspective too.",
    )
    levels: int = fields.levels(4)
    iterations: int = fields.iterations(100)
    epsilon: float = Field(
        1e-6, title="Epsilon", description="Stop when an iteration gains less correlation.", ge=1e-12, le=0.1
    )
    gaussian_px: int = Field(
        5, title="Gaussian filter (px)", description="Width of the smoothing, odd; 1 for none.", ge=1, le=51
    )
    max_side_px: int = fields.working_size(2048)

    @field_validator("gaussian_px")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"the width of the Gaussian filter must be odd, not {value}")
        return value

    def estimate(
        self,
        fixed: Raster,
        moving: Raster,
        *,
        initial: Transform | None = None,
        progress: Progress = silent,
    ) -> Estimate:
        """Find the transform between two rasters by correlation; see `Method.estimate`.

        Raises
        ------
        NotConverged
            The correlation cannot be raised, or the result is not one that can be trusted.
        """
        a, b = comparable_pair(fixed, moving)
        rho, matrix, start = self._best_start(a, b, initial, portion(progress, 0.0, 0.2))
        spacings = self._spacings(a, b, start)[1:]
        for k, spacing in enumerate(spacings):
            part = portion(progress, 0.2 + 0.7 * k / len(spacings), 0.2 + 0.7 * (k + 1) / len(spacings))
            rho, matrix = self._climb(a, b, start, spacing, matrix, part)
        progress(0.9, "comparing with wrong poses")
        fixed_to_moving = KINDS[self.motion](matrix).then(start)
        evidence = weigh_pose(a, b, as_affine(fixed_to_moving, a))
        require_plausible(as_affine(KINDS[self.motion](matrix), a), evidence, "ECC")
        progress(1.0, f"correlation {rho:.3f}")
        notes = () if rho >= 0.2 else (f"The correlation is only {rho:.2f}; look at the overlay.",)
        figures = {"correlation": rho, "margin": evidence.margin, "overlap": evidence.overlap}
        return Estimate(fixed_to_moving, score=rho, notes=notes, figures=figures)

    def _best_start(
        self, a: Picture, b: Picture, initial: Transform | None, progress: Progress
    ) -> tuple[float, FloatArray, Transform]:
        """Climb from each start on its coarsest level and keep the highest correlation."""
        starts = plain_starts(a, b) if initial is None else (initial,)
        found: list[tuple[float, FloatArray, Transform]] = []
        failure: NotConverged | None = None
        for k, start in enumerate(starts):
            part = portion(progress, k / len(starts), (k + 1) / len(starts))
            try:
                rho, matrix = self._climb(a, b, start, self._spacings(a, b, start)[0], np.eye(3), part)
                found.append((rho, matrix, start))
            except NotConverged as error:
                failure = error
        if not found:
            raise failure or NotConverged("There is no start to climb from.")
        return max(found, key=lambda item: item[0])

    def _spacings(self, a: Picture, b: Picture, start: Transform) -> list[float]:
        """Give the pixel sizes to work at, coarsest first."""
        finest = max(working_spacing(a, b, start), a.extent / self.max_side_px)
        deepest = max(1, 1 + int(np.log2(max(a.extent / finest / COARSEST_PX, 1))))
        return [finest * 2.0**k for k in range(min(self.levels, deepest) - 1, -1, -1)]

    def _climb(
        self, a: Picture, b: Picture, start: Transform, spacing: float, matrix: FloatArray, progress: Progress
    ) -> tuple[float, FloatArray]:
        return climb(
            prealign(a, b, start, spacing),
            matrix,
            self.motion,
            iterations=self.iterations,
            epsilon=self.epsilon,
            gaussian_px=self.gaussian_px,
            progress=progress,
        )
