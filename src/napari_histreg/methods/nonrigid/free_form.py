"""Free-form deformation: a B-spline grid by SimpleITK's mutual information, on top of an affine start."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from napari_histreg.errors import NotConverged
from napari_histreg.geometry import FloatArray
from napari_histreg.matching.picture import Picture
from napari_histreg.methods import fields
from napari_histreg.methods.method import Finding, Method
from napari_histreg.methods.simpleitk import Watch, execute, registration_engine, require_defined
from napari_histreg.methods.starts import Prealigned, level_spacings, likely_start, prealign
from napari_histreg.progress import Progress, portion
from napari_histreg.transforms import Transform
from napari_histreg.transforms.bspline import BSpline

__all__ = ["FreeForm"]

COARSEST_PX = 64
FEWEST_SAMPLES = 20000
"""A level with no more pixels than this is looked at whole."""

STEP_PX = 0.4
LAST_STEP_PX = 0.005
LEAST_JACOBIAN = 0.05
COARSER = 1.4  # of the grid where a fit folds
TRIES = 4


class FreeForm(Method):
    """Move the points of a B-spline grid until one signal tells most about the other.

    A coarse grid of control points bends the moving image smoothly [1]_; Mattes' mutual information asks
    only that equal values of one image fall on similar values of the other, so the stains may look nothing
    alike. With ``metric="mean_squares"`` both signals must have the same values. It bends only: give the
    affine alignment as the start.

    Where the result folds the tissue, a coarser grid is taken, and a note says so.

    Notes
    -----
    Progress is told after each iteration; to cancel, the optimiser is stopped at every further one.

    References
    ----------
    .. [1] D. Rueckert et al., Nonrigid registration using free-form deformations: application to breast MR
       images, IEEE TMI 18(8), 1999. doi:10.1109/42.796284
    .. [2] D. Mattes et al., PET-CT image registration in the chest using free-form deformations, IEEE TMI
       22(1), 2003. doi:10.1109/TMI.2003.809072
    """

    name = "free_form"
    label = "The free-form deformation"

    metric: Literal["mutual_information", "mean_squares"] = Field(
        "mutual_information",
        title="Metric",
        description="Mutual information for different stains; mean squares for the same stain and scanner.",
    )
    grid_spacing_px: float = Field(
        64.0,
        title="Grid spacing (px)",
        description="Distance of control points at the working size: larger bends less.",
        ge=8.0,
        le=1000.0,
    )
    levels: int = fields.levels(2)
    iterations: int = fields.iterations(60)
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
    max_side_px: int = fields.working_size(512)
    seed: int = fields.seed()

    def search(
        self, fixed: Picture, moving: Picture, initial: Transform | None, progress: Progress
    ) -> Finding:
        """Bend on a grid that does not fold, coarse to fine; see `Method.search`.

        Raises
        ------
        NotConverged
            The optimiser gave up, the grid folds, or the pose is not one that can be trusted.
        """
        progress(0.0, "laying the images onto one another")
        start = likely_start(fixed, moving) if initial is None else initial
        residual, value, notes = self._without_folds(fixed, moving, start, portion(progress, 0.05, 0.9))
        return Finding(
            residual,
            start,
            score=-value,
            words=f"metric {value:.4f}",
            notes=notes,
            figures={"metric": value, "smallest_jacobian": residual.folding().minimum},
        )

    def _without_folds(
        self, a: Picture, b: Picture, start: Transform, progress: Progress
    ) -> tuple[BSpline, float, tuple[str, ...]]:
        """Fit on coarser and coarser grids until the tissue is not folded."""
        grid_px = self.grid_spacing_px
        for k in range(TRIES):
            # Most often the first grid will do.
            part = portion(progress, 1 - 0.1**k, 1 - 0.1 ** (k + 1))
            residual, value = self._fitted(a, b, start, grid_px, part)
            if residual.folding().minimum > LEAST_JACOBIAN:
                first, last = f"{self.grid_spacing_px:.0f}", f"{grid_px:.0f}"
                note = f"A grid of {first} px folded the tissue; it was widened to {last} px."
                return residual, value, (note,) if k else ()
            grid_px *= COARSER
        raise NotConverged(
            "The free-form deformation folds the tissue even on a coarser grid. Give a start (initial) "
            "closer to the truth or raise the grid spacing (grid_spacing_px)."
        )

    def _fitted(
        self, a: Picture, b: Picture, start: Transform, grid_px: float, progress: Progress
    ) -> tuple[BSpline, float]:
        """Climb from coarse to fine; returns the bend of the fixed frame and the metric."""
        spacings = level_spacings(
            a, b, start, levels=self.levels, max_side_px=self.max_side_px, coarsest_px=COARSEST_PX
        )
        bend, value = self._grid(a, grid_px * spacings[-1]), 0.0
        for k, spacing in enumerate(spacings):
            pair = prealign(a, b, start, spacing)
            bend, value = self._climb(
                pair, bend, portion(progress, k / len(spacings), (k + 1) / len(spacings))
            )
        return bend, value

    def _grid(self, a: Picture, wanted: float) -> BSpline:
        """Lay a control grid that bends all of the fixed picture and half a cell round it."""
        low, high = a.box.min(0), a.box.max(0)
        cells = np.maximum(np.round((high - low) / wanted), 1) + 1
        spacing = (high - low) / (cells - 1)
        # A grid bends what is one cell within it; half a cell more than the picture is bent.
        origin = low - 1.5 * spacing
        rows, columns = (cells + 3).astype(int)
        return BSpline(
            np.zeros((rows, columns, 2)),
            origin=(float(origin[0]), float(origin[1])),
            spacing=(float(spacing[0]), float(spacing[1])),
        )

    def _climb(self, pair: Prealigned, bend: BSpline, progress: Progress) -> tuple[BSpline, float]:
        """Improve the metric on one level; SimpleITK works in pixels of that level, (x, y)."""
        import SimpleITK as sitk

        transform = _to_sitk(bend, pair)
        engine = self._engine(pair, transform)
        size = f"{pair.fixed.frame.shape[1]} x {pair.fixed.frame.shape[0]} px"
        watch = Watch(engine, progress)
        watch.tell(lambda: engine.GetOptimizerIteration() / self.iterations, f"bending at {size}")
        execute(engine, pair, watch)
        value = float(engine.GetMetricValue())
        require_defined(value)
        return _from_sitk(sitk.BSplineTransform(transform), pair), value

    def _engine(self, pair: Prealigned, transform: Any) -> Any:
        engine = registration_engine(
            pair,
            metric=self.metric,
            bins=self.bins,
            sampling=self.sampling,
            fewest=FEWEST_SAMPLES,
            seed=self.seed,
        )
        # A step is a length over all coefficients together: so much, root mean square, for each.
        whole = float(np.sqrt(len(transform.GetParameters())))
        engine.SetOptimizerAsRegularStepGradientDescent(
            learningRate=STEP_PX * whole,
            minStep=LAST_STEP_PX * whole,
            numberOfIterations=self.iterations,
            relaxationFactor=0.7,
            gradientMagnitudeTolerance=1e-8,
        )
        engine.SetInitialTransform(transform, inPlace=True)
        return engine


def _to_sitk(bend: BSpline, pair: Prealigned) -> Any:
    """Turn a bend of the fixed frame into SimpleITK's transform in pixels, (x, y)."""
    import SimpleITK as sitk

    rows, columns = bend.coefficients.shape[:2]
    y, x = (np.array(bend.origin) - pair.fixed.frame.origin) / pair.spacing
    dy, dx = np.array(bend.spacing) / pair.spacing
    transform = sitk.BSplineTransform(2, 3)
    transform.SetFixedParameters([columns, rows, x, y, dx, dy, 1.0, 0.0, 0.0, 1.0])
    coefficients: FloatArray = bend.coefficients / pair.spacing
    transform.SetParameters(np.moveaxis(coefficients[..., ::-1], -1, 0).ravel().tolist())
    return transform


def _from_sitk(transform: Any, pair: Prealigned) -> BSpline:
    """Undo `_to_sitk`."""
    columns, rows, x, y, dx, dy, *_ = transform.GetFixedParameters()
    in_px = BSpline.from_itk(
        transform.GetParameters(),
        size_xy=(int(columns), int(rows)),
        origin_xy=(x, y),
        spacing_xy=(dx, dy),
    )
    origin = np.array(in_px.origin) * pair.spacing + pair.fixed.frame.origin
    spacing = np.array(in_px.spacing) * pair.spacing
    return BSpline(
        in_px.coefficients * pair.spacing,
        origin=(float(origin[0]), float(origin[1])),
        spacing=(float(spacing[0]), float(spacing[1])),
    )
