"""One level of a climb by SimpleITK; the only place that speaks to its registration framework."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from napari_histreg.errors import NotConverged
from napari_histreg.geometry import FloatArray
from napari_histreg.matching.picture import Picture
from napari_histreg.methods.starts import Prealigned
from napari_histreg.progress import Progress

__all__ = ["Climb", "Freedom", "climb"]

Freedom = Literal["rigid", "similarity", "affine"]

SWAP = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
FEWEST_SAMPLES = 20000
"""A level with no more pixels than this is looked at whole."""


@dataclass(frozen=True)
class Climb:
    """How to climb.

    Parameters
    ----------
    metric : str
        "mutual_information" or "mean_squares".
    freedom : str
        What may change.
    iterations, bins, seed : int
        As in `MutualInformation`.
    sampling : float
        Share of the pixels looked at.
    step_px : float
        Length of the first step; it shrinks whenever the direction turns. Long steps leave a small peak.
    """

    metric: str
    freedom: Freedom
    iterations: int
    bins: int
    sampling: float
    seed: int
    step_px: float = 0.2


def climb(pair: Prealigned, matrix: FloatArray, how: Climb, progress: Progress) -> tuple[float, FloatArray]:
    """Improve the metric of two pictures on one level.

    Parameters
    ----------
    pair : Prealigned
        The two pictures on pixels of one size; the optimiser works in these pixels, so that its steps
        mean the same at every level.
    matrix : (3, 3) ndarray
        Where to begin: a map of the fixed frame, (y, x, 1), in world units.
    how : Climb
        Settings.
    progress : Progress
        Told of each iteration; what it raises stops the optimiser and is raised again.

    Returns
    -------
    value : float
        The metric, smaller is better.
    matrix : (3, 3) ndarray
        As `matrix`.

    Raises
    ------
    NotConverged
        SimpleITK gave up: too little overlap.
    """
    import SimpleITK as sitk

    frame = pair.fixed.frame.matrix
    centre = [(n - 1) / 2 for n in pair.fixed.frame.shape[::-1]]
    transform = _to_sitk(np.linalg.inv(frame) @ matrix @ frame, how.freedom, centre)
    method = _method(pair, how)
    method.SetInitialTransform(transform, inPlace=True)
    size = f"{pair.fixed.frame.shape[1]} x {pair.fixed.frame.shape[0]} px"
    watch = _Watch(method, progress, f"{how.freedom} at {size}", how.iterations, transform.GetParameters())
    method.AddCommand(sitk.sitkIterationEvent, watch)
    images = [_image(picture, pair.fixed) for picture in (pair.fixed, pair.moving)]
    try:
        method.Execute(*images)
    except RuntimeError as error:
        watch.raise_again()
        raise NotConverged(
            "The optimiser gave up: the images overlap too little at the start, or one is empty there. "
            "Give a start (initial) closer to the truth."
        ) from error
    watch.raise_again()
    transform.SetParameters(watch.best)
    found = frame @ _from_sitk(transform) @ np.linalg.inv(frame)
    if not (math.isfinite(watch.value) and np.isfinite(found).all()):
        raise NotConverged("The metric of the two images is undefined near the start. Give another start.")
    return watch.value, found


class _Watch:
    """What happens after each iteration: tell the progress, stop when asked to, remember the best place.

    The optimiser returns where it stopped, which may be worse than where it has been.
    """

    def __init__(
        self, method: Any, progress: Progress, words: str, iterations: int, position: tuple[float, ...]
    ) -> None:
        self.method, self.progress, self.words, self.iterations = method, progress, words, iterations
        self.stopped: BaseException | None = None
        self.position, self.best, self.value = position, position, math.inf

    def __call__(self) -> None:
        # SimpleITK swallows what a callback raises, and its stop ends one level only.
        if self.stopped is not None:
            self.method.StopRegistration()
            return
        value = float(self.method.GetMetricValue())
        if value < self.value:
            # The value was measured before the step that ended this iteration.
            self.value, self.best = value, self.position
        self.position = tuple(self.method.GetOptimizerPosition())
        try:
            self.progress(self.method.GetOptimizerIteration() / self.iterations, self.words)
        except BaseException as error:  # noqa: BLE001 - raised again by raise_again
            self.stopped = error
            self.method.StopRegistration()

    def raise_again(self) -> None:
        """Raise what the progress raised, if it did."""
        if self.stopped is not None:
            raise self.stopped


def _method(pair: Prealigned, how: Climb) -> Any:
    """Set metric and optimiser; the gradient steps were chosen where plain descent stops early."""
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    # Threads add up in any order, and the last digits with them: the same input must give the same answer.
    method.SetNumberOfThreads(1)
    method.SetNumberOfWorkUnits(1)
    if how.metric == "mutual_information":
        method.SetMetricAsMattesMutualInformation(how.bins)
    else:
        method.SetMetricAsMeanSquares()
    _look_at(method, pair, how)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=how.step_px, minStep=1e-4, numberOfIterations=how.iterations, relaxationFactor=0.7
    )
    method.SetOptimizerScalesFromPhysicalShift()
    return method


def _look_at(method: Any, pair: Prealigned, how: Climb) -> None:
    """Set masks and sampling."""
    for picture, setter in (
        (pair.fixed, method.SetMetricFixedMask),
        (pair.moving, method.SetMetricMovingMask),
    ):
        if not picture.mask.all():
            setter(_image(picture, pair.fixed, mask=True))
    pixels = pair.fixed.mask.size
    share = min(1.0, max(how.sampling, FEWEST_SAMPLES / pixels))
    if share < 1.0:
        method.SetMetricSamplingStrategy(method.RANDOM)
        # 0 would be the time of day.
        method.SetMetricSamplingPercentage(share, how.seed + 1)


def _image(picture: Picture, fixed: Picture, *, mask: bool = False) -> Any:
    """Give a SimpleITK image in pixels of the fixed picture."""
    import SimpleITK as sitk

    plane = picture.mask.astype(np.uint8) if mask else np.ascontiguousarray(picture.channels[0])
    image = sitk.GetImageFromArray(plane)
    offset = (np.array(picture.frame.origin) - fixed.frame.origin) / fixed.frame.spacing
    image.SetOrigin([float(offset[1]), float(offset[0])])
    return image


def _to_sitk(matrix_px: FloatArray, freedom: Freedom, centre_xy: list[float]) -> Any:
    """Give SimpleITK's transform of a pixel matrix on (y, x, 1)."""
    import SimpleITK as sitk

    m = SWAP @ matrix_px @ SWAP
    linear, centre = m[:2, :2], np.array(centre_xy)
    shift = (linear @ centre + m[:2, 2] - centre).tolist()
    angle = math.atan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])
    if freedom == "rigid":
        return sitk.Euler2DTransform(centre_xy, angle, shift)
    if freedom == "similarity":
        return sitk.Similarity2DTransform(
            math.sqrt(abs(float(np.linalg.det(linear)))), angle, shift, centre_xy
        )
    return sitk.AffineTransform(linear.ravel().tolist(), shift, centre_xy)


def _from_sitk(transform: Any) -> FloatArray:
    """Give the pixel matrix on (y, x, 1)."""
    linear = np.array(transform.GetMatrix()).reshape(2, 2)
    centre, shift = np.array(transform.GetCenter()), np.array(transform.GetTranslation())
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre + shift - linear @ centre
    return np.asarray(SWAP @ matrix @ SWAP)
