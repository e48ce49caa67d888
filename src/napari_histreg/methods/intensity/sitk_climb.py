"""One level of a climb to the best rigid, similar or affine pose, by SimpleITK."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from napari_histreg.geometry import SWAP, FloatArray
from napari_histreg.methods.simpleitk import Metric, Watch, execute, registration_engine, require_defined
from napari_histreg.methods.starts import Prealigned
from napari_histreg.progress import Progress

__all__ = ["Climb", "Freedom", "climb"]

Freedom = Literal["rigid", "similarity", "affine"]

FEWEST_SAMPLES = 20000
"""A level with no more pixels than this is looked at whole."""


@dataclass(frozen=True)
class Climb:
    """How to climb.

    Parameters
    ----------
    metric : {"mutual_information", "mean_squares"}
        What is climbed.
    freedom : str
        What may change.
    iterations, bins, seed : int
        As in `MutualInformation`.
    sampling : float
        Share of the pixels looked at.
    step_px : float
        Length of the first step; it shrinks whenever the direction turns. Long steps leave a small peak.
    """

    metric: Metric
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
    frame = pair.fixed.frame.matrix
    centre = [(n - 1) / 2 for n in pair.fixed.frame.shape[::-1]]
    transform = _to_sitk(np.linalg.inv(frame) @ matrix @ frame, how.freedom, centre)
    engine = registration_engine(
        pair,
        metric=how.metric,
        bins=how.bins,
        sampling=how.sampling,
        fewest=FEWEST_SAMPLES,
        seed=how.seed,
    )
    # The gradient steps were chosen where plain descent stops early.
    engine.SetOptimizerAsRegularStepGradientDescent(
        learningRate=how.step_px, minStep=1e-4, numberOfIterations=how.iterations, relaxationFactor=0.7
    )
    engine.SetOptimizerScalesFromPhysicalShift()
    engine.SetInitialTransform(transform, inPlace=True)
    best = _Best(engine, transform.GetParameters())
    watch = Watch(engine, progress)
    size = f"{pair.fixed.frame.shape[1]} x {pair.fixed.frame.shape[0]} px"
    watch.tell(lambda: engine.GetOptimizerIteration() / how.iterations, f"{how.freedom} at {size}", best.note)
    execute(engine, pair, watch)
    transform.SetParameters(best.place)
    found = frame @ _from_sitk(transform) @ np.linalg.inv(frame)
    require_defined(best.value, *found.ravel())
    return best.value, found


class _Best:
    """The best place of a climb: the optimiser returns where it stopped, which may be worse."""

    def __init__(self, engine: Any, position: tuple[float, ...]) -> None:
        self.engine, self.position, self.place, self.value = engine, position, position, math.inf

    def note(self) -> None:
        """Look at the iteration that just ended."""
        value = float(self.engine.GetMetricValue())
        if value < self.value:
            # The value was measured before the step that ended this iteration.
            self.value, self.place = value, self.position
        self.position = tuple(self.engine.GetOptimizerPosition())


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
