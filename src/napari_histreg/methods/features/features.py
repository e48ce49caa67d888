"""Distinct points matched one by one: SIFT, ORB, BRISK and FREAK."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from napari_histreg.errors import NotEnoughMatches
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks import Landmarks
from napari_histreg.matching.picture import Picture
from napari_histreg.methods import fields
from napari_histreg.methods.features.consensus import Consensus, agree, chance_inliers
from napari_histreg.methods.features.keypoints import Detector, Keypoints, find_keypoints, match_keypoints
from napari_histreg.methods.method import Finding, Method
from napari_histreg.progress import Progress
from napari_histreg.transforms import Transform

__all__ = ["Brisk", "Features", "Freak", "Orb", "Sift"]

CLEARLY_MORE = 2.0
"""So many times more points must agree than agree by chance."""

SMALLEST_SPREAD = 0.05
"""The agreeing points must spread (standard deviation, narrower direction) over this share of the image."""


@dataclass(frozen=True, eq=False)
class _Attempt:
    """What came of one way of looking at the moving image."""

    mirrored: bool
    inverted: bool
    counts: tuple[int, int]
    fixed: FloatArray
    moving: FloatArray
    consensus: Consensus | None

    @property
    def places(self) -> int:
        """How many distinct places agree."""
        return 0 if self.consensus is None else self.consensus.places


class Features(Method):
    """Match distinct points by their surroundings and keep those that agree on one transform.

    Works from any rotation, over a range of scales and, as the moving image is also tried with left and
    right exchanged, mirrored. Points must look alike in both images: the same section stained twice, or the
    same stain on close sections. No start is needed; one that is given is not used.

    A result is returned only where clearly more points agree than do by chance. Chance is measured: on the
    image turned over the wrong way, and on the same points paired at random.
    """

    detector: ClassVar[Detector]

    model: Literal["rigid", "similarity", "affine", "projective"] = Field(
        "affine",
        title="Transform",
        description="What the matched points must agree on. Narrower models need fewer points.",
    )
    max_keypoints: int = Field(
        5000,
        title="Keypoints",
        description="Keep at most so many points per image, the strongest.",
        ge=50,
        le=50000,
    )
    ratio: float = Field(
        0.85,
        title="Ratio test",
        description="A match must be nearer than this share of the second best; lower is stricter.",
        gt=0.3,
        le=1.0,
    )
    tolerance_px: float = Field(
        4.0,
        title="Tolerance (px)",
        description="Distance in pixels of the fixed image up to which a match counts as agreeing.",
        ge=0.5,
        le=50.0,
    )
    smoothing_px: float = Field(
        1.0, title="Smoothing (px)", description="Gaussian applied first; 0 for none.", ge=0.0, le=10.0
    )
    mirror: bool = fields.tried_mirrored()
    polarity: Literal["auto", "same", "inverted"] = Field(
        "auto",
        title="Polarity",
        description="Whether bright in one image is bright in the other; auto tries the negative where "
        "the plain image finds nothing.",
    )
    min_inliers: int = Field(
        10, title="Least agreeing points", description="Refuse with fewer distinct places.", ge=4, le=1000
    )
    max_side_px: int = fields.working_size(2048)
    seed: int = fields.seed()

    def search(
        self, fixed: Picture, moving: Picture, initial: Transform | None, progress: Progress
    ) -> Finding:
        """Match points and keep those that agree on one transform; see `Method.search`.

        Raises
        ------
        NotEnoughMatches
            Hardly more points agree than do by chance, or they lie too close together.
        """
        pictures = [p.reduced(p.spacing * max(p.frame.shape) / self.max_side_px) for p in (fixed, moving)]
        polarities = {"auto": (False, True), "same": (False,), "inverted": (True,)}[self.polarity]
        attempts: list[_Attempt] = []
        progress(0.0, f"finding {self.detector.upper()} keypoints")
        known = self._keypoints(pictures[0])
        for k, inverted in enumerate(polarities):
            for mirrored in (False, True)[: 1 + self.mirror]:
                done = 0.1 + 0.2 * len(attempts)
                progress(done, f"finding {self.detector.upper()} keypoints")
                other = self._keypoints(pictures[1], mirrored=mirrored, inverted=inverted)
                progress(done + 0.1, f"matching {len(known)} and {len(other)} keypoints")
                attempts.append(self._attempt(known, other, *pictures, mirrored=mirrored, inverted=inverted))
            progress(0.1 + 0.2 * len(attempts), "checking the matches against chance")
            best = max(attempts, key=lambda a: a.places)
            chance = self._chance(best, attempts, pictures[0])
            if k + 1 < len(polarities) and self._refusal(best, chance, pictures[0]) is None:
                break
        refusal = self._refusal(best, chance, pictures[0])
        if refusal is not None or best.consensus is None:
            raise NotEnoughMatches(refusal or "No matched points agree.")
        return self._finding(best, best.consensus, chance)

    def _keypoints(self, picture: Picture, *, mirrored: bool = False, inverted: bool = False) -> Keypoints:
        return find_keypoints(
            picture,
            self.detector,
            limit=self.max_keypoints,
            smoothing_px=self.smoothing_px,
            mirrored=mirrored,
            inverted=inverted,
        )

    def _attempt(
        self,
        a: Keypoints,
        b: Keypoints,
        fixed: Picture,
        moving: Picture,
        *,
        mirrored: bool,
        inverted: bool,
    ) -> _Attempt:
        """Match and fit one way of looking at the moving image."""
        pairs = match_keypoints(a, b, ratio=self.ratio)
        here = a.points_px[pairs[:, 0]] * fixed.frame.spacing + fixed.frame.origin
        there = b.points_px[pairs[:, 1]] * moving.frame.spacing + moving.frame.origin
        tolerance = self.tolerance_px * fixed.spacing
        consensus = agree(self.model, here, there, tolerance=tolerance, mirrored=mirrored, seed=self.seed)
        return _Attempt(mirrored, inverted, (len(a), len(b)), here, there, consensus)

    def _chance(self, best: _Attempt, attempts: list[_Attempt], fixed: Picture) -> int:
        """Count how many places agree by chance."""
        # Of the same polarity only: a mirror image of a signal is wrong for certain if the signal is right.
        wrong = [a.places for a in attempts if a.mirrored != best.mirrored]
        shuffled = chance_inliers(
            self.model, best.fixed, best.moving, tolerance=self.tolerance_px * fixed.spacing, seed=self.seed
        )
        return max([shuffled, *wrong])

    def _refusal(self, best: _Attempt, chance: int, fixed: Picture) -> str | None:
        """Say why an attempt is not to be trusted, or None."""
        counts = (
            f"{best.counts[0]} and {best.counts[1]} keypoints, {len(best.fixed)} matches, "
            f"{best.places} places agree, {chance} do by chance"
        )
        hint = "Try the nuclear signal, another level, or a method for different stains."
        if best.consensus is None or best.places < self.min_inliers:
            return f"Too few matched points agree on one {self.model} transform ({counts}). {hint}"
        if best.places < CLEARLY_MORE * chance:
            return f"Hardly more matched points agree than by chance ({counts}). {hint}"
        if best.consensus.anisotropy > 2:
            return (
                f"The matched points ask for a stretch of {best.consensus.anisotropy:.2f} to 1, which no "
                f"tissue does ({counts}). {hint}"
            )
        spread = best.consensus.spread(best.fixed)
        if spread < SMALLEST_SPREAD * fixed.extent:
            return (
                "All points that agree lie in one small spot, which says nothing about the rest of the image "
                f"({counts}). {hint}"
            )
        return None

    def _finding(self, best: _Attempt, consensus: Consensus, chance: int) -> Finding:
        """Put the winner into words and figures."""
        inliers = consensus.inliers
        share = float(inliers.mean())
        notes = []
        if share < 0.15:
            notes.append(f"Only {100 * share:.0f} % of the matches agree; look at the overlay.")
        if best.inverted:
            notes.append("The moving image matched as its negative.")
        if best.mirrored:
            notes.append("The moving image is mirrored.")
        return Finding(
            consensus.fixed_to_moving,
            is_proven=True,
            words="matched",
            score=share,
            notes=tuple(notes),
            figures={
                "keypoints_fixed": best.counts[0],
                "keypoints_moving": best.counts[1],
                "matches": len(best.fixed),
                "inliers": int(inliers.sum()),
                "inlier_places": best.places,
                "chance_places": chance,
                "mirrored": best.mirrored,
                "inverted": best.inverted,
            },
            landmarks=Landmarks.of(best.fixed[inliers], best.moving[inliers]),
        )


class Sift(Features):
    """Scale-invariant keypoints, robust and exact to a fraction of a pixel [1]_; see `Features`.

    References
    ----------
    .. [1] D. G. Lowe, Distinctive image features from scale-invariant keypoints, IJCV 60(2), 2004.
       doi:10.1023/B:VISI.0000029664.99615.94
    .. [2] M. A. Fischler and R. C. Bolles, Random sample consensus, Commun. ACM 24(6), 1981.
       doi:10.1145/358669.358692
    """

    name = "sift"
    detector = "sift"


class Orb(Features):
    """Binary keypoints, fast and less exact than SIFT [1]_; see `Features`.

    References
    ----------
    .. [1] E. Rublee et al., ORB: an efficient alternative to SIFT or SURF, ICCV 2011.
       doi:10.1109/ICCV.2011.6126544
    """

    name = "orb"
    detector = "orb"


class Brisk(Features):
    """Binary keypoints on a ring pattern [1]_, where OpenCV's contrib build is; see `Features`.

    References
    ----------
    .. [1] S. Leutenegger et al., BRISK: binary robust invariant scalable keypoints, ICCV 2011.
       doi:10.1109/ICCV.2011.6126542
    """

    name = "brisk"
    detector = "brisk"


class Freak(Features):
    """BRISK keypoints described like a retina [1]_, where OpenCV's contrib build is; see `Features`.

    References
    ----------
    .. [1] A. Alahi et al., FREAK: fast retina keypoint, CVPR 2012. doi:10.1109/CVPR.2012.6247715
    """

    name = "freak"
    detector = "freak"
