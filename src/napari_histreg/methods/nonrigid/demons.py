"""Demons: a dense displacement by SimpleITK's diffusion, on top of an affine start."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from napari_histreg.matching.block_correlation import Plane
from napari_histreg.matching.picture import Picture
from napari_histreg.methods import fields
from napari_histreg.methods.method import Finding, Method
from napari_histreg.methods.nonrigid.dense import DenseField, conclude, lay_out, solve
from napari_histreg.methods.simpleitk import Watch
from napari_histreg.progress import Progress, portion
from napari_histreg.transforms import Transform

__all__ = ["Demons"]

FILTERS = {
    "symmetric": "FastSymmetricForcesDemonsRegistrationFilter",
    "diffeomorphic": "DiffeomorphicDemonsRegistrationFilter",
    "classic": "DemonsRegistrationFilter",
}


class Demons(Method):
    """Let local density diffuse from the moving to the fixed image.

    Each pixel is pushed along the gradient until the two signals agree, and the displacement is smoothed
    after every push [1]_; the symmetric forces look at both gradients [2]_, the diffeomorphic variant
    composes small invertible steps. Both signals are brought to one local contrast first, and the moving
    one is turned over where dense goes with empty. It bends only: give the affine alignment as the start.

    Notes
    -----
    Progress is told after each iteration; to cancel, the filter is stopped there.

    References
    ----------
    .. [1] J.-P. Thirion, Image matching as a diffusion process: an analogy with Maxwell's demons, Medical
       Image Analysis 2(3), 1998. doi:10.1016/S1361-8415(98)80022-4
    .. [2] T. Vercauteren et al., Diffeomorphic demons: efficient non-parametric image registration,
       NeuroImage 45(1), 2009. doi:10.1016/j.neuroimage.2008.10.040
    """

    name = "demons"
    label = "The demons method"

    variant: Literal["symmetric", "diffeomorphic", "classic"] = Field(
        "symmetric", title="Variant", description="Which forces push, and how steps are joined."
    )
    stiffness_px: float = Field(
        4.0,
        title="Stiffness (px)",
        description="The displacement is averaged over this radius after each step: larger bends less.",
        ge=0.5,
        le=100.0,
    )
    iterations: int = fields.iterations(60)
    levels: int = fields.levels(3)
    max_side_px: int = fields.working_size(512)

    def search(
        self, fixed: Picture, moving: Picture, initial: Transform | None, progress: Progress
    ) -> Finding:
        """Bend level by level; see `Method.search`.

        Raises
        ------
        NotConverged
            The displacement folds, or the pose is not one that can be trusted.
        """
        progress(0.0, "laying the images onto one another")
        pair = lay_out(fixed, moving, initial, self.max_side_px)
        field = solve(pair, self._improve, self.levels, portion(progress, 0.05, 0.85))
        return conclude(pair, field, self.label)

    def _improve(self, fixed: Plane, moving: Plane, field: DenseField, progress: Progress) -> DenseField:
        import SimpleITK as sitk

        engine: Any = getattr(sitk, FILTERS[self.variant])()
        engine.SetNumberOfIterations(self.iterations)
        engine.SetStandardDeviations(self.stiffness_px)
        engine.SetSmoothDisplacementField(True)
        # SimpleITK's vectors are (x, y).
        so_far = sitk.GetImageFromArray(np.ascontiguousarray(field[..., ::-1], np.float64), isVector=True)
        size = f"{fixed.shape[1]} x {fixed.shape[0]} px"
        with Watch(engine, progress) as watch:
            watch.tell(lambda: engine.GetElapsedIterations() / self.iterations, f"demons at {size}")
            found = engine.Execute(sitk.GetImageFromArray(fixed), sitk.GetImageFromArray(moving), so_far)
        return np.ascontiguousarray(sitk.GetArrayViewFromImage(found)[..., ::-1], np.float32)
