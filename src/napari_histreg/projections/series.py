"""ProjectionSeries: frames on disk, read one at a time, with their angles and corrections."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

from napari_histreg.projections.arrays import Floats
from napari_histreg.projections.correction import Corrected, Correction

__all__ = ["ProjectionSeries", "RawSeries"]

Plane = NDArray[Any]


@dataclass(frozen=True, eq=False)
class RawSeries:
    """What a file holds, before anything is done to it.

    Parameters
    ----------
    name : str
        For messages.
    shape : (int, int, int)
        Projections, rows, columns.
    read : callable
        Returns projection number i, (Y, X) in the file's dtype; may be called from any thread.
    angles : (N,) ndarray or None
        As the file has them, in degrees.
    dark, flat : (Y, X) ndarray or None
        The mean of the frames without beam, and without body.
    pixel_um : float or None
        Size of a pixel.
    notes : tuple of str
        Remarks.
    close : callable
        Lets the file go.
    """

    name: str
    shape: tuple[int, int, int]
    read: Callable[[int], Plane]
    angles: Floats | None = None
    dark: Floats | None = None
    flat: Floats | None = None
    pixel_um: float | None = None
    notes: tuple[str, ...] = ()
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True, eq=False)
class ProjectionSeries:
    """A series of projections with one angle each.

    Parameters
    ----------
    raw : RawSeries
        The frames.
    angles_deg : (A,) ndarray
        One for each frame.
    correction : Correction
        What turns a frame into line integrals.
    pixel_um : float or None
        Size of a detector pixel at the body.
    notes : tuple of str
        Remarks on files, angles and corrections.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_histreg.projections import open_projections
    >>> series = open_projections(np.ones((3, 4, 5)), angles="0:120", kind="absorption")
    >>> series.shape, series.angles_deg.tolist()
    ((3, 4, 5), [0.0, 60.0, 120.0])
    """

    raw: RawSeries
    angles_deg: Floats
    correction: Correction
    pixel_um: float | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def name(self) -> str:
        """For messages and file names."""
        return self.raw.name

    @property
    def shape(self) -> tuple[int, int, int]:
        """Projections, rows, columns."""
        return self.raw.shape

    @property
    def kind(self) -> Literal["intensity", "absorption"]:
        """What the frames hold."""
        return self.correction.kind

    def frame(self, view: int) -> Plane:
        """Read a frame as it was taken.

        Parameters
        ----------
        view : int
            Its number, 0 to A - 1.

        Returns
        -------
        (Y, X) ndarray

        Raises
        ------
        DamagedFile
            It cannot be read.
        """
        return self.raw.read(view)

    def line_integrals(self, view: int) -> Corrected:
        """Read a frame as line integrals of the attenuation; see `Correction.apply`."""
        return self.correction.apply(self.frame(view))

    def close(self) -> None:
        """Let the files go."""
        self.raw.close()

    def __enter__(self) -> "ProjectionSeries":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
