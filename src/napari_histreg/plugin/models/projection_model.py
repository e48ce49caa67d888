"""ProjectionModel: what the widget for series of projections thinks."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from psygnal import Signal

from napari_histreg.methods.registry import MethodSpec
from napari_histreg.plugin.models.tones import Tone
from napari_histreg.progress import Progress
from napari_histreg.projections import (
    ProjectionAlignment,
    ProjectionSeries,
    align_projections,
    open_projections,
)
from napari_histreg.projections.arrays import Floats
from napari_histreg.projections.preview import reconstructed, sinogram
from napari_histreg.projections.registry import PROJECTION_METHODS, find_projection_method
from napari_histreg.projections.writing import write_projections

__all__ = ["ProjectionModel"]

VERDICT_TONES: dict[str, Tone] = {"accepted": "good", "doubtful": "doubt", "refused": "bad"}
State = Literal["idle", "running", "stopping"]


class ProjectionModel:
    """One series, its alignment, and slices of it.

    Attributes
    ----------
    changed : psygnal Signal
        Anything that is shown has changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        self.series: ProjectionSeries | None = None
        self.method = "joint"
        self.parameters: Mapping[str, Any] = {}
        self.state: State = "idle"
        self.fraction = 0.0
        self.message = ""
        self.result: ProjectionAlignment | None = None

    @property
    def methods(self) -> tuple[MethodSpec, ...]:
        """The table."""
        return PROJECTION_METHODS

    @property
    def spec(self) -> MethodSpec:
        """The chosen method's row."""
        return find_projection_method(self.method)

    @property
    def obstacle(self) -> str | None:
        """Why a run cannot be started now; None where it can."""
        if self.state != "idle":
            return "It is running. Cancel it first."
        return None if self.series is not None else "Open a series first."

    @property
    def slice_obstacle(self) -> str | None:
        """Why no slice can be shown; None where it can."""
        if self.state != "idle":
            return "It is running. Cancel it first."
        return None if self.result is not None else "There is no result yet. Press Align."

    @property
    def headline(self) -> str:
        """The result in one line; empty where there is none."""
        if self.result is None:
            return ""
        y, x = self.result.error_px
        used = int(self.result.used.sum())
        return (
            f"{self.result.verdict.capitalize()}: {used} of {len(self.result.used)} projections, expected "
            f"error {y:.2f} px (y), {x:.2f} px (x)"
        )

    @property
    def tone(self) -> Tone:
        """What the verdict means."""
        return VERDICT_TONES["refused" if self.result is None else self.result.verdict]

    @property
    def remarks(self) -> tuple[str, ...]:
        """Reasons, frames left out, and notes."""
        if self.result is None:
            return ()
        out = tuple(f"Projection {view} {why}." for view, why in list(self.result.left_out.items())[:8])
        axis = self.result.axis_px
        where = () if axis is None else (f"Rotation axis at column {axis:.2f}.",)
        return self.result.reasons + where + out + self.result.notes

    def open(
        self, source: Any, angles: str, dark: str = "", flat: str = ""
    ) -> Callable[[Progress], ProjectionSeries]:
        """Return the call that opens a series; empty words stand for what is not given."""

        def call(progress: Progress) -> ProjectionSeries:
            progress(0.0, "opening")
            return open_projections(source, angles or None, dark=dark or None, flat=flat or None)

        return call

    def choose(self, series: ProjectionSeries | None) -> None:
        """Work on another series."""
        if series is not self.series:
            self.series, self.result = series, None
            self.changed.emit()

    def begin(self) -> Callable[[Progress], ProjectionAlignment]:
        """Return the call that aligns the series, for a thread."""
        series, method, parameters = self.series, self.method, dict(self.parameters)
        if series is None:
            raise ValueError("There is no series to align.")
        self._start()
        return lambda progress: align_projections(
            series, method=method, must_find=False, progress=progress, **parameters
        )

    def begin_slice(self, row: int) -> Callable[[Progress], dict[str, Floats]]:
        """Return the call that makes sinogram and slice of a row, before and after, for a thread."""
        series, found = self.series, self.result
        if series is None or found is None:
            raise ValueError("There is no aligned series.")
        self._start()

        def call(progress: Progress) -> dict[str, Floats]:
            made = {}
            axis = (found.shape[1] - 1) / 2 if found.axis_px is None else found.axis_px
            for k, (name, aligned) in enumerate((("before", False), ("after", True))):

                def report(fraction: float, message: str, start: float = 0.5 * k) -> None:
                    progress(start + 0.4 * fraction, message)

                lines = sinogram(series, found, row, aligned=aligned, progress=report)
                made[f"sinogram {name}"] = lines
                made[f"slice {name}"] = reconstructed(lines, found.angles_deg[found.used], axis)
            return made

        return call

    def begin_saving(self, folder: str) -> Callable[[Progress], Any]:
        """Return the call that writes all results into a folder, for a thread."""
        series, found = self.series, self.result
        if series is None or found is None:
            raise ValueError("There is no aligned series.")
        self._start()
        return lambda progress: write_projections(found, series, folder, progress=progress)

    def report(self, fraction: float, message: str) -> None:
        """Take a report of progress."""
        self.fraction, self.message = fraction, message
        self.changed.emit()

    def succeed(self, found: ProjectionAlignment) -> None:
        """Take a result."""
        self.result = found
        self.finish()

    def stop(self) -> None:
        """Say that a stop was asked for."""
        self.state = "stopping"
        self.changed.emit()

    def finish(self, message: str = "") -> None:
        """Be idle again."""
        self.state, self.fraction, self.message = "idle", 0.0, message
        self.changed.emit()

    def _start(self) -> None:
        self.state, self.fraction, self.message = "running", 0.0, ""
        self.changed.emit()
