"""What every registration method is: its parameters, and one verb that runs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from napari_histreg.landmarks import Landmarks
from napari_histreg.progress import Progress, silent
from napari_histreg.raster import Raster
from napari_histreg.transforms import Transform

__all__ = ["Estimate", "Method"]


@dataclass(frozen=True)
class Estimate:
    """What a method found.

    Parameters
    ----------
    fixed_to_moving : Transform
        Maps fixed to moving, both in world units.
    score : float or None
        The method's own measure, larger is better; comparable only within one method.
    notes : tuple of str
        Doubts and remarks in plain words, shown to the user.
    figures : mapping of str to float
        Countable findings, such as keypoints, matches and inliers.
    landmarks : Landmarks or None
        The point pairs that carried the result, in world units, where the method has some.
    """

    fixed_to_moving: Transform
    score: float | None = None
    notes: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    landmarks: Landmarks | None = None


class Method(BaseModel):
    """An algorithm and its parameters; a subclass per algorithm.

    One model yields the Python call, the JSON record, the command line's ``-p KEY=VALUE``, the form in
    napari (``title``, ``description`` and bounds of each field) and the table in the docs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=False)

    name: ClassVar[str]
    """Name in the table of methods."""

    def estimate(
        self,
        fixed: Raster,
        moving: Raster,
        *,
        initial: Transform | None = None,
        progress: Progress = silent,
    ) -> Estimate:
        """Find the transform between two rasters.

        Parameters
        ----------
        fixed, moving : Raster
            The prepared signals.
        initial : Transform, optional
            Where to start, fixed to moving in world units.
        progress : Progress, optional
            Told of the progress; may raise `Cancelled`.

        Returns
        -------
        Estimate

        Raises
        ------
        RegistrationError
            No alignment was found; the message says why.
        """
        raise TypeError(f"{type(self).__name__} does not say how to estimate a transform.")
