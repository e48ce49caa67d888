"""What every registration method is: its parameters, and one verb: refuse, search, weigh, report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from napari_histreg.landmarks import Landmarks
from napari_histreg.progress import Progress, silent
from napari_histreg.raster import Raster
from napari_histreg.transforms import Deformation, MatrixTransform, Transform, Translation

if TYPE_CHECKING:
    from napari_histreg.matching.evidence import Evidence
    from napari_histreg.matching.picture import Picture
    from napari_histreg.matching.related_evidence import RelatedEvidence

__all__ = ["Estimate", "Finding", "Method"]

WEIGHED = 0.9
"""Share of the work after which a result is weighed."""


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
    related : RelatedEvidence or None
        What speaks for the pose by values that go together, where that was asked.
    """

    fixed_to_moving: Transform
    score: float | None = None
    notes: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    landmarks: Landmarks | None = None
    related: "RelatedEvidence | None" = None


@dataclass(frozen=True)
class Finding:
    """What a search came to, before it is weighed against wrong poses.

    Parameters
    ----------
    change : Transform
        What the search adds before the start, in the fixed frame.
    start : Transform
        Where it began, fixed to moving.
    score : float, optional
        The method's own measure, larger is better; by default the margin over wrong poses.
    words : str
        What the progress is told at the end.
    notes, figures, landmarks, related
        As in `Estimate`.
    evidence : Evidence, optional
        Where the search has weighed its poses already.
    is_proven : bool
        Whether the search has shown by itself that chance does not do as well: it is not weighed.
    """

    change: Transform
    start: Transform = field(default_factory=Translation.identity)
    score: float | None = None
    words: str = ""
    notes: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    landmarks: Landmarks | None = None
    related: "RelatedEvidence | None" = None
    evidence: "Evidence | None" = None
    is_proven: bool = False

    @property
    def fixed_to_moving(self) -> Transform:
        """Start and change as one transform."""
        change, start = self.change, self.start
        if isinstance(change, Deformation) and change.base is None and isinstance(start, MatrixTransform):
            return change.followed_by(start)
        return change.then(start)


class Method(BaseModel):
    """An algorithm and its parameters; a subclass per algorithm.

    One model yields the Python call, the JSON record, the command line's ``-p KEY=VALUE``, the form in
    napari (``title``, ``description`` and bounds of each field) and the table in the docs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=False)

    name: ClassVar[str]
    """Name in the table of methods."""

    label: ClassVar[str] = "The method"
    """What a sentence about its result begins with."""

    def estimate(
        self,
        fixed: Raster,
        moving: Raster,
        *,
        initial: Transform | None = None,
        progress: Progress = silent,
    ) -> Estimate:
        """Find the transform between two rasters.

        Both are refused where they hold nothing to align; then the method searches, and what it found is
        refused where it cannot be a specimen's or where wrong poses agree as well.

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
        # The table of methods is read without loading what searches.
        from napari_histreg.matching.evidence import as_affine, require_plausible, weigh_pose
        from napari_histreg.methods.signal import comparable_pair

        a, b = comparable_pair(fixed, moving)
        found = self.search(a, b, initial, progress)
        fixed_to_moving, score, figures = found.fixed_to_moving, found.score, dict(found.figures)
        if not found.is_proven:
            progress(WEIGHED, "comparing with wrong poses")
            evidence = found.evidence or weigh_pose(a, b, as_affine(fixed_to_moving, a))
            require_plausible(as_affine(found.change, a), evidence, self.label)
            figures |= {"margin": evidence.margin, "overlap": evidence.overlap}
            score = evidence.margin if score is None else score
        progress(1.0, found.words or f"margin over wrong poses {figures.get('margin', 0):.2f}")
        return Estimate(fixed_to_moving, score, found.notes, figures, found.landmarks, found.related)

    def search(
        self, fixed: "Picture", moving: "Picture", initial: Transform | None, progress: Progress
    ) -> Finding:
        """Search for the pose; what a new method has to write.

        Parameters
        ----------
        fixed, moving : Picture
            The signals, 0 to 1, one channel each.
        initial : Transform or None
            Where to start, fixed to moving in world units.
        progress : Progress
            Told of the progress from 0 to 0.9; may raise `Cancelled`.

        Returns
        -------
        Finding

        Raises
        ------
        RegistrationError
            Nothing was found; the message says why.
        """
        raise TypeError(f"{type(self).__name__} does not say how to search for a transform.")
