"""Optical flow: a displacement for every pixel, on top of an affine start."""

from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from napari_histreg.matching.block_correlation import Plane
from napari_histreg.matching.picture import Picture
from napari_histreg.methods import fields
from napari_histreg.methods.method import Finding, Method
from napari_histreg.methods.nonrigid.dense import DenseField, conclude, lay_out, solve, warped
from napari_histreg.progress import Progress, portion
from napari_histreg.transforms import Transform

__all__ = ["OpticalFlow"]

RANGE = 4.0  # standard deviations of local density that fill the solvers' range of 0 to 1


class OpticalFlow(Method):
    """Follow local density from the fixed to the moving image, pixel by pixel.

    Both signals are brought to one local contrast first, and the moving one is turned over where dense
    goes with empty, so that two stains of the same structures look alike. Three solvers: ``tvl1`` keeps
    sharp changes of the displacement and bears outliers [1]_; ``ilk`` fits a shift in each window [2]_;
    ``dis`` searches patches and is by far the fastest [3]_. It bends only: give the affine alignment as
    the start.

    Notes
    -----
    A solver cannot be interrupted within a level: at 1024 px ``tvl1`` takes some 7 s for the last one, at
    the default of 512 px less than 2 s. Where the flow folds the tissue it is smoothed until it does not.

    References
    ----------
    .. [1] C. Zach, T. Pock and H. Bischof, A duality based approach for realtime TV-L1 optical flow, DAGM
       2007. doi:10.1007/978-3-540-74936-3_22
    .. [2] G. Le Besnerais and F. Champagnat, Dense optical flow by iterative local window registration,
       ICIP 2005. doi:10.1109/ICIP.2005.1529706
    .. [3] T. Kroeger et al., Fast optical flow using dense inverse search, ECCV 2016.
       doi:10.1007/978-3-319-46493-0_29
    """

    name = "flow"
    label = "The optical flow"

    solver: Literal["tvl1", "ilk", "dis"] = Field(
        "tvl1",
        title="Solver",
        description="TV-L1 bears outliers, iLK is smooth, DIS is fast.",
    )
    stiffness_px: float = Field(
        12.0,
        title="Stiffness (px)",
        description="The flow is averaged over this radius: larger bends less.",
        ge=0.0,
        le=200.0,
    )
    window_px: int = Field(
        9, title="Window radius (px)", description="Of iLK: larger is smoother.", ge=2, le=100
    )
    attachment: float = Field(
        10.0,
        title="Attachment",
        description="Of TV-L1: smaller is smoother, larger follows the images.",
        ge=0.1,
        le=200.0,
    )
    levels: int = fields.levels(3)
    max_side_px: int = fields.working_size(512)

    def search(
        self, fixed: Picture, moving: Picture, initial: Transform | None, progress: Progress
    ) -> Finding:
        """Bend level by level; see `Method.search`.

        Raises
        ------
        NotConverged
            The flow folds, or the pose is not one that can be trusted.
        """
        progress(0.0, "laying the images onto one another")
        pair = lay_out(fixed, moving, initial, self.max_side_px)
        field = solve(pair, self._improve, self.levels, portion(progress, 0.05, 0.85))
        return conclude(pair, field, self.label)

    def _improve(self, fixed: Plane, moving: Plane, field: DenseField, progress: Progress) -> DenseField:
        """Add the flow that is left after the displacement so far."""
        left = self._flow(fixed, warped(moving, field))
        if self.stiffness_px > 0:
            left = cv2.GaussianBlur(left, (0, 0), self.stiffness_px, borderType=cv2.BORDER_REFLECT)
        # A point goes first where the rest of the flow takes it, then on from there.
        return left + np.stack([warped(np.ascontiguousarray(field[..., k]), left) for k in range(2)], -1)

    def _flow(self, fixed: Plane, moving: Plane) -> DenseField:
        a, b = (np.clip(0.5 + p / (2 * RANGE), 0, 1).astype(np.float32) for p in (fixed, moving))
        if self.solver == "dis":
            engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
            first, second = (np.round(255 * p).astype(np.uint8) for p in (a, b))
            start = np.zeros((*a.shape, 2), np.float32)
            return np.ascontiguousarray(engine.calc(first, second, start)[..., ::-1], np.float32)
        from skimage.registration import optical_flow_ilk, optical_flow_tvl1

        if self.solver == "ilk":
            found = optical_flow_ilk(a, b, radius=self.window_px, gaussian=True, prefilter=False)
        else:
            found = optical_flow_tvl1(a, b, attachment=self.attachment, prefilter=False)
        return np.ascontiguousarray(np.moveaxis(found, 0, -1), np.float32)
