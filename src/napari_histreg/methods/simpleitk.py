"""SimpleITK as the methods use it: pictures as images, an engine set up, watched and stopped."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np

from napari_histreg.errors import NotConverged
from napari_histreg.files.interruption import uninterrupted
from napari_histreg.matching.picture import Picture
from napari_histreg.methods.starts import Prealigned
from napari_histreg.progress import Progress

__all__ = ["Metric", "Watch", "execute", "image_of", "registration_engine", "require_defined"]

Metric = Literal["mutual_information", "mean_squares"]


def image_of(picture: Picture, fixed: Picture, *, mask: bool = False) -> Any:
    """Return a picture's signal, or its mask, as an image whose unit is a pixel of the fixed picture."""
    import SimpleITK as sitk

    plane = picture.mask.astype(np.uint8) if mask else np.ascontiguousarray(picture.channels[0])
    image = sitk.GetImageFromArray(plane)
    y, x = (np.array(picture.frame.origin) - fixed.frame.origin) / fixed.frame.spacing
    image.SetOrigin([float(x), float(y)])
    return image


def registration_engine(
    pair: Prealigned, *, metric: Metric, bins: int, sampling: float, fewest: int, seed: int
) -> Any:
    """Return SimpleITK's registration method with metric, masks, sampling and interpolation set.

    Parameters
    ----------
    pair : Prealigned
        The pictures; where their masks exclude something, only the rest is looked at.
    metric : {"mutual_information", "mean_squares"}
        What is climbed.
    bins : int
        Of the joint histogram.
    sampling : float
        Share of the pixels looked at, 0 to 1.
    fewest : int
        Pixels that are looked at in any case.
    seed : int
        Of the sampling.
    """
    import SimpleITK as sitk

    engine = sitk.ImageRegistrationMethod()
    # Threads add up in any order, and the last digits with them: the same input must give the same answer.
    engine.SetNumberOfThreads(1)
    engine.SetNumberOfWorkUnits(1)
    if metric == "mutual_information":
        engine.SetMetricAsMattesMutualInformation(bins)
    else:
        engine.SetMetricAsMeanSquares()
    for picture, set_mask in (
        (pair.fixed, engine.SetMetricFixedMask),
        (pair.moving, engine.SetMetricMovingMask),
    ):
        if not picture.mask.all():
            set_mask(image_of(picture, pair.fixed, mask=True))
    share = min(1.0, max(sampling, fewest / pair.fixed.mask.size))
    if share < 1.0:
        engine.SetMetricSamplingStrategy(engine.RANDOM)
        # 0 would be the time of day.
        engine.SetMetricSamplingPercentage(share, seed + 1)
    engine.SetInterpolator(sitk.sitkLinear)
    return engine


def execute(engine: Any, pair: Prealigned, watch: "Watch") -> None:
    """Run a registration method on a pair of pictures, watched.

    Raises
    ------
    NotConverged
        SimpleITK gave up: too little overlap.
    """
    images = [image_of(picture, pair.fixed) for picture in (pair.fixed, pair.moving)]
    try:
        with watch:
            engine.Execute(*images)
    except RuntimeError as error:
        raise NotConverged(
            "The optimiser gave up: the images overlap too little at the start, or one is empty there. "
            "Give a start (initial) closer to the truth."
        ) from error


def require_defined(*values: float) -> None:
    """Refuse what a climb found where the metric or the place is not finite.

    Raises
    ------
    NotConverged
        A value is NaN or infinite.
    """
    if not np.isfinite(values).all():
        raise NotConverged("The metric of the two images is undefined near the start. Give another start.")


class Watch:
    """Tell of each iteration of an engine; what the progress raises, or a signal, stops it.

    SimpleITK swallows what a callback raises, and its stop ends one level only. So the exception is kept,
    the engine is told to stop at every further iteration, and on leaving the exception comes back.

    Parameters
    ----------
    engine : SimpleITK filter or registration method
        With ``AddCommand`` and ``StopRegistration``.
    progress : Progress
        Told a fraction and a message.

    Examples
    --------
    >>> import SimpleITK as sitk
    >>> engine = sitk.DemonsRegistrationFilter()
    >>> with Watch(engine, lambda fraction, message: None) as watch:
    ...     watch.tell(lambda: engine.GetElapsedIterations() / 10, "demons")
    """

    def __init__(self, engine: Any, progress: Progress) -> None:
        self.engine = engine
        self.progress = progress
        self.stopped: BaseException | None = None
        self._held = uninterrupted()
        self._signals: list[int] = []

    def tell(
        self, fraction: Callable[[], float], message: str, note: Callable[[], None] = lambda: None
    ) -> None:
        """Say what is told at each iteration; `note` is called first."""
        import SimpleITK as sitk

        def report() -> None:
            if self.stopped is None and not self._signals:
                note()
                try:
                    self.progress(fraction(), message)
                    return
                except BaseException as error:  # noqa: BLE001 - raised again on leaving
                    self.stopped = error
            self.engine.StopRegistration()

        self.engine.AddCommand(sitk.sitkIterationEvent, report)

    def __enter__(self) -> Self:
        self._signals = self._held.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.engine.RemoveAllCommands()
        self._held.__exit__(None, None, None)
        if self.stopped is not None:
            raise self.stopped from None
