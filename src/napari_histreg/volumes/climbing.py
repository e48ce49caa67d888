"""One level of a climb to the greatest mutual information of two volumes, by SimpleITK."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import NotConverged
from napari_histreg.files.interruption import uninterrupted
from napari_histreg.progress import Progress, silent
from napari_histreg.volumes.body import Body, rim
from napari_histreg.volumes.itk_images import from_itk_matrix, to_itk_matrix
from napari_histreg.volumes.pose import VolumePose

__all__ = ["Freedom", "VolumeClimb", "climb_volumes"]

Freedom = Literal["rigid", "affine"]
FEWEST_SAMPLES = 30_000


@dataclass(frozen=True)
class VolumeClimb:
    """How to climb.

    Parameters
    ----------
    freedom : {"rigid", "affine"}
        What may change.
    iterations, bins, seed : int
        Of the optimiser, of the joint histogram, of the samples.
    sampling : float
        Share of the body's voxels looked at, where there are many.
    step_mm : float
        Length of the first step.
    relaxation : float
        Share that remains of the step whenever the direction turns; an affine map has long narrow ridges,
        on which too little stops early.
    """

    freedom: Freedom = "rigid"
    iterations: int = 100
    bins: int = 32
    seed: int = 0
    sampling: float = 1.0
    step_mm: float = 2.0
    relaxation: float = 0.6


def climb_volumes(
    fixed: Body,
    moving: Body,
    pose: VolumePose,
    how: VolumeClimb,
    *,
    mask: NDArray[np.bool_] | None = None,
    progress: Progress = silent,
) -> tuple[float, VolumePose]:
    """Improve a pose.

    Parameters
    ----------
    fixed, moving : Body
        The volumes.
    pose : VolumePose
        Where to begin, fixed to moving.
    how : VolumeClimb
    mask : (Z, Y, X) ndarray of bool, optional
        Where to look, on the fixed grid; the body and a rim of air by default.
    progress : Progress, optional
        Told of each iteration; what it raises stops the climb and is raised again.

    Returns
    -------
    value : float
        The metric; smaller is better.
    pose : VolumePose
        The best place the optimiser has been at.

    Raises
    ------
    NotConverged
        SimpleITK gave up: too little overlap.
    """
    import SimpleITK as sitk

    # Nothing outside of what the moving volume shows counts: its edge is not the body's.
    look = rim(fixed) if mask is None else mask
    method = _method(how, int(look.sum()))
    method.SetMetricFixedMask(_image(fixed, look.astype(np.uint8)))
    transform = _to_sitk(pose, how.freedom, fixed)
    method.SetInitialTransform(transform, inPlace=True)
    watch = _Watch(method, progress, how.iterations, transform.GetParameters())
    method.AddCommand(sitk.sitkIterationEvent, watch)
    try:
        with uninterrupted() as watch.signals:
            method.Execute(_image(fixed, fixed.values), _image(moving, moving.values))
    except RuntimeError as error:
        watch.raise_again()
        raise NotConverged(
            "The two volumes overlap too little at the start. Give a start closer to the truth (--initial)."
        ) from error
    watch.raise_again()
    transform.SetParameters(watch.best)
    if not math.isfinite(watch.value):
        raise NotConverged("The metric of the two volumes is undefined near the start. Give another start.")
    return watch.value, _from_sitk(transform)


class _Watch:
    """After each iteration: tell the progress, stop when asked to, remember the best place."""

    def __init__(self, method: Any, progress: Progress, iterations: int, position: tuple[float, ...]) -> None:
        self.method, self.progress, self.iterations = method, progress, iterations
        self.stopped: BaseException | None = None
        self.signals: list[int] = []
        self.position, self.best, self.value = position, position, math.inf

    def __call__(self) -> None:
        if self.stopped is not None or self.signals:
            self.method.StopRegistration()
            return
        value = float(self.method.GetMetricValue())
        if value < self.value:
            # The value was measured before the step that ended this iteration.
            self.value, self.best = value, self.position
        self.position = tuple(self.method.GetOptimizerPosition())
        try:
            self.progress(min(self.method.GetOptimizerIteration() / self.iterations, 1.0), "climbing")
        except BaseException as error:  # noqa: BLE001 - SimpleITK swallows what a callback raises
            self.stopped = error
            self.method.StopRegistration()

    def raise_again(self) -> None:
        """Raise what the progress raised, if it did."""
        if self.stopped is not None:
            raise self.stopped


def _method(how: VolumeClimb, voxels: int) -> Any:
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    # Threads add up in any order, and the last digits with them: the same input must give the same answer.
    method.SetNumberOfThreads(1)
    method.SetNumberOfWorkUnits(1)
    method.SetMetricAsMattesMutualInformation(how.bins)
    share = min(1.0, max(how.sampling, FEWEST_SAMPLES / max(voxels, 1)))
    if share < 1.0:
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(share, how.seed + 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=how.step_mm,
        minStep=how.step_mm / 500,
        numberOfIterations=how.iterations,
        relaxationFactor=how.relaxation,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    return method


def _image(body: Body, values: NDArray[Any]) -> Any:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    matrix = to_itk_matrix(body.index_to_patient)
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(matrix[:3, 3].tolist())
    image.SetDirection((matrix[:3, :3] / spacing).ravel().tolist())
    return image


def _to_sitk(pose: VolumePose, freedom: Freedom, fixed: Body) -> Any:
    """Make the transform that the optimiser changes, turning about the middle of the body."""
    import SimpleITK as sitk

    matrix = pose.matrix_lps
    centre = fixed.centre_mm[::-1]
    transform: Any = sitk.Euler3DTransform() if freedom == "rigid" else sitk.AffineTransform(3)
    transform.SetCenter(centre.tolist())
    turn = matrix[:3, :3]
    if freedom == "rigid":
        u, _, vt = np.linalg.svd(turn)
        turn = u @ vt
    transform.SetMatrix(turn.ravel().tolist(), *([1e-4] if freedom == "rigid" else []))
    moved = matrix[:3, :3] @ centre + matrix[:3, 3]
    transform.SetTranslation((moved - centre).tolist())
    return transform


def _from_sitk(transform: Any) -> VolumePose:
    matrix, centre = np.eye(4), np.array(transform.GetCenter())
    matrix[:3, :3] = np.reshape(transform.GetMatrix(), (3, 3))
    matrix[:3, 3] = np.array(transform.GetTranslation()) + centre - matrix[:3, :3] @ centre
    return VolumePose(from_itk_matrix(matrix))
