"""Search every shift for the greatest normalised correlation."""

from typing import Literal

import numpy as np
from pydantic import Field

from napari_histreg.errors import NotConverged
from napari_histreg.matching.picture import Picture
from napari_histreg.methods import fields
from napari_histreg.methods.fourier.peaks import Peak, find_peak, masked_correlation
from napari_histreg.methods.method import Finding, Method
from napari_histreg.methods.starts import plain_starts, prealign_whole, working_spacing
from napari_histreg.progress import Progress
from napari_histreg.transforms import Transform, Translation

__all__ = ["Correlation"]


class Correlation(Method):
    """Find the shift at which two signals correlate most, among all shifts.

    The normalised correlation of the pixels that both masks allow, at every shift at once by Fourier
    transforms [1]_, [2]_: a small image is found anywhere in a large one. Rotation, scale and mirror must be
    right already, or come with the start. The result is refused where the second best shift is nearly as
    good, or where wrong poses agree as well.

    References
    ----------
    .. [1] J. P. Lewis, Fast normalized cross-correlation, Vision Interface, 1995.
    .. [2] D. Padfield, Masked object registration in the Fourier domain, IEEE TIP 21(5), 2012.
       doi:10.1109/TIP.2011.2181402
    """

    name = "correlation"
    label = "The correlation"

    least_overlap: float = Field(
        0.3,
        title="Least overlap",
        description="Share of the largest possible overlap below which shifts are not looked at.",
        ge=0.05,
        le=1.0,
    )
    polarity: Literal["same", "inverted", "either"] = Field(
        "either", title="Polarity", description="Whether bright in one image is bright in the other."
    )
    least_margin: float = Field(
        1.1,
        title="Least margin",
        description="Refuse where the best shift is less than this many times as good as the second.",
        ge=1.0,
        le=10.0,
    )
    max_side_px: int = fields.working_size(1024)

    def search(
        self, fixed: Picture, moving: Picture, initial: Transform | None, progress: Progress
    ) -> Finding:
        """Search for the shift; see `Method.search`.

        Raises
        ------
        NotConverged
            No shift stands out.
        """
        progress(0.0, "laying the images on one another")
        # As every shift is tried, only a scale makes a difference between the starts.
        starts = {s.kind: s for s in plain_starts(fixed, moving)}.values() if initial is None else (initial,)
        found = [self._peak(fixed, moving, start, progress) for start in starts]
        peak, residual, start = max(found, key=lambda item: item[0].margin)
        if peak.margin < self.least_margin:
            raise NotConverged(
                f"The best shift correlates {peak.height:.2f}, another one {peak.second:.2f}: none stands "
                "out. The images may be unrelated, or turned or scaled; give a start (initial) or use a "
                "method that searches all poses."
            )
        return Finding(
            residual,
            start,
            score=peak.height,
            words=f"correlation {peak.height:.3f}",
            figures={"correlation": peak.height, "second_correlation": peak.second},
        )

    def _peak(
        self, a: Picture, b: Picture, start: Transform, progress: Progress
    ) -> tuple[Peak, Translation, Transform]:
        """Find the best shift from one start."""
        spacing = max(working_spacing(a, b, start), max(a.extent, b.extent) / self.max_side_px)
        pair = prealign_whole(a, b, start, spacing)
        planes = [p.channels[0] for p in (pair.fixed, pair.moving)]
        masks = [p.mask for p in (pair.fixed, pair.moving)]
        progress(0.2, "correlating all shifts")
        surface = masked_correlation(*planes, *masks, least_overlap=self.least_overlap)
        if self.polarity != "same":
            turned = np.where(np.isfinite(surface), -surface, -np.inf)
            surface = turned if self.polarity == "inverted" else np.maximum(surface, turned)
        if not np.isfinite(surface).any():
            raise NotConverged("At no shift do both images show anything. Lower the least overlap.")
        peak = find_peak(surface, apart=max(4.0, 0.03 * max(planes[0].shape)))
        matrix = np.eye(3)
        matrix[:2, 2] = peak.shift
        return peak, Translation(pair.to_world(matrix)), start
