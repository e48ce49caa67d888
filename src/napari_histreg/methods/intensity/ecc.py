"""Climb to the greatest correlation: the enhanced correlation coefficient."""

import numpy as np
from pydantic import Field, field_validator

from napari_histreg.errors import NotConverged
from napari_histreg.geometry import FloatArray
from napari_histreg.matching.picture import Picture
from napari_histreg.methods import fields
from napari_histreg.methods.intensity.ecc_level import Motion, climb
from napari_histreg.methods.method import Finding, Method
from napari_histreg.methods.starts import level_spacings, plain_starts, prealign
from napari_histreg.progress import Progress, portion
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
    label = "ECC"

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

    def search(
        self, fixed: Picture, moving: Picture, initial: Transform | None, progress: Progress
    ) -> Finding:
        """Climb from the best start, coarse to fine; see `Method.search`.

        Raises
        ------
        NotConverged
            The correlation cannot be raised, or the result is not one that can be trusted.
        """
        rho, matrix, start = self._best_start(fixed, moving, initial, portion(progress, 0.0, 0.2))
        spacings = self._spacings(fixed, moving, start)[1:]
        for k, spacing in enumerate(spacings):
            part = portion(progress, 0.2 + 0.7 * k / len(spacings), 0.2 + 0.7 * (k + 1) / len(spacings))
            rho, matrix = self._climb(fixed, moving, start, spacing, matrix, part)
        return Finding(
            KINDS[self.motion](matrix),
            start,
            score=rho,
            words=f"correlation {rho:.3f}",
            notes=() if rho >= 0.2 else (f"The correlation is only {rho:.2f}; look at the overlay.",),
            figures={"correlation": rho},
        )

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
        return level_spacings(
            a, b, start, levels=self.levels, max_side_px=self.max_side_px, coarsest_px=COARSEST_PX
        )

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
