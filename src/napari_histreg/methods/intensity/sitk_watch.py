"""Progress of a running SimpleITK engine, and how it is stopped."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from napari_histreg.progress import Progress

__all__ = ["Watch"]


class Watch:
    """Tell of each iteration of an engine; what the progress raises stops it and is raised again.

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

    def tell(self, fraction: Callable[[], float], message: str) -> None:
        """Say what is told at each iteration."""
        import SimpleITK as sitk

        def report() -> None:
            if self.stopped is None:
                try:
                    self.progress(fraction(), message)
                    return
                except BaseException as error:  # noqa: BLE001 - raised again on leaving
                    self.stopped = error
            self.engine.StopRegistration()

        self.engine.AddCommand(sitk.sitkIterationEvent, report)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.engine.RemoveAllCommands()
        if self.stopped is not None:
            raise self.stopped from None
