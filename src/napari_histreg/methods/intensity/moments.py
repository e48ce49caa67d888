"""Bring the tissue's centre and axes onto one another."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_histreg.errors import NotConverged, NoTissue
from napari_histreg.geometry import FloatArray
from napari_histreg.matching.evidence import Evidence, as_affine, weigh_pose
from napari_histreg.matching.picture import Picture
from napari_histreg.methods import fields
from napari_histreg.methods.intensity.sitk_climb import Climb, climb
from napari_histreg.methods.method import Finding, Method
from napari_histreg.methods.starts import prealign
from napari_histreg.progress import Progress, portion
from napari_histreg.transforms import Rigid, Similarity, Transform

__all__ = ["Moments", "Shape", "tissue_shape"]

NEARLY_ROUND = 1.3
LEAST_TISSUE = 50
KINDS: dict[str, type[Rigid] | type[Similarity]] = {"rigid": Rigid, "similarity": Similarity}


@dataclass(frozen=True)
class Shape:
    """Where a piece of tissue lies and how it is stretched.

    Parameters
    ----------
    centre : (float, float)
        Mean position (y, x) in world units.
    angle_deg : float
        Direction of the long axis, counter-clockwise on screen from the x axis, over -90 to 90.
    size : float
        Root mean square distance from the centre, in world units.
    elongation : float
        Long over short axis, at least 1.
    """

    centre: tuple[float, float]
    angle_deg: float
    size: float
    elongation: float


def tissue_shape(picture: Picture) -> Shape:
    """Measure the first and second moments of where a picture differs from its background.

    The background is what the border of the picture shows; Otsu's threshold on the smoothed difference
    tells tissue from it.

    Parameters
    ----------
    picture : Picture
        Signal 0 to 1, tissue bright or dark.

    Returns
    -------
    Shape

    Raises
    ------
    NoTissue
        Nothing stands out from the background.

    Examples
    --------
    >>> from napari_histreg.geometry import Frame
    >>> plane = np.zeros((64, 64), np.float32)
    >>> plane[24:40, 12:52] = 1
    >>> shape = tissue_shape(Picture(plane[None], Frame((64, 64), (1.0, 1.0), (0.0, 0.0))))
    >>> shape.centre, round(shape.angle_deg), shape.elongation > 2
    ((31.5, 31.5), 0, True)
    """
    points = np.argwhere(_tissue(picture)) * np.array(picture.frame.spacing) + picture.frame.origin
    if len(points) < LEAST_TISSUE:
        raise NoTissue("No tissue stands out from the background of the image. Use a method that needs none.")
    centre = points.mean(0)
    covariance = np.cov((points - centre).T, bias=True)
    values, vectors = np.linalg.eigh(covariance)
    y, x = vectors[:, 1]
    angle = float(np.degrees(np.arctan2(-y, x)))
    return Shape(
        (float(centre[0]), float(centre[1])),
        (angle + 90) % 180 - 90,
        float(np.sqrt(values.sum())),
        float(np.sqrt(values[1] / max(values[0], 1e-12))),
    )


def _tissue(picture: Picture) -> NDArray[np.bool_]:
    """Mark the tissue."""
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    plane, mask = picture.channels[0], picture.mask
    border = mask & ~ndimage.binary_erosion(mask, iterations=max(2, min(plane.shape) // 40), border_value=0)
    background = float(np.median(plane[border] if border.any() else plane))
    sigma = max(1.0, 0.01 * max(plane.shape))
    differs = ndimage.gaussian_filter(np.abs(plane - background), sigma)
    if not float(np.ptp(differs[mask])) > 1e-6:
        return np.zeros(plane.shape, bool)
    # Half of Otsu's threshold: between bright nuclei there is tissue too.
    return np.asarray((differs > 0.5 * threshold_otsu(differs[mask])) & mask)


class Moments(Method):
    """Bring centre and axes of the tissue onto one another, then settle on a small copy.

    The centroid and second moments of where each image shows tissue [1]_ give shift, scale and rotation
    but for half turns, quarter turns where the tissue is nearly round, and the mirror. Each of these is
    tried: it settles by a short climb of mutual information on a small copy, and the one whose edges agree
    best wins. Both images must show the whole outline of the same piece on plain background. Good to
    about two pixels of the small copy: a start for other methods.

    A start that is given is applied first; the moments are then those of what it shows.

    References
    ----------
    .. [1] M.-K. Hu, Visual pattern recognition by moment invariants, IRE Trans. Inf. Theory 8(2), 1962.
       doi:10.1109/TIT.1962.1057692
    """

    name = "moments"
    label = "Matching the moments"

    model: Literal["rigid", "similarity"] = Field(
        "similarity", title="Transform", description="Whether the scale is measured too."
    )
    mirror: bool = fields.tried_mirrored()
    side_px: int = Field(
        160, title="Working size (px)", description="Longest side of the small copy.", ge=48, le=1024
    )
    iterations: int = Field(
        100,
        title="Iterations",
        description="Of the short climb; 0 leaves the moments as they are.",
        ge=0,
        le=2000,
    )
    seed: int = fields.seed()

    def search(
        self, fixed: Picture, moving: Picture, initial: Transform | None, progress: Progress
    ) -> Finding:
        """Try every way round and settle each a little; see `Method.search`.

        Raises
        ------
        NoTissue
            Nothing stands out from the background.
        NotConverged
            None of the ways round agrees better than chance.
        """
        progress(0.0, "measuring the tissue")
        small = [p.reduced(p.extent / self.side_px) for p in (fixed, moving)]
        shapes = [tissue_shape(p) for p in small]
        starts = [initial] if initial is not None else self._starts(*shapes)
        found: list[tuple[Evidence, FloatArray, Transform]] = []
        failure: NotConverged | None = None
        for k, start in enumerate(starts):
            part = portion(progress, 0.05 + 0.9 * k / len(starts), 0.05 + 0.9 * (k + 1) / len(starts))
            try:
                matrix = self._settled(small[0], small[1], start, part)
            except NotConverged as error:
                failure = error
                continue
            total = as_affine(KINDS[self.model](matrix).then(start), fixed)
            found.append((weigh_pose(fixed, moving, total), matrix, start))
        if not found:
            raise failure or NotConverged("None of the ways round overlaps.")
        evidence, matrix, start = max(found, key=lambda item: item[0].margin)
        return Finding(
            KINDS[self.model](matrix),
            start,
            figures={
                "elongation_fixed": shapes[0].elongation,
                "elongation_moving": shapes[1].elongation,
            },
            evidence=evidence,
        )

    def _starts(self, fixed: Shape, moving: Shape) -> list[Transform]:
        """Lay centre on centre and axis on axis, every way round."""
        scale = moving.size / fixed.size if self.model == "similarity" else 1.0
        quarter = min(fixed.elongation, moving.elongation) < NEARLY_ROUND
        shift = np.subtract(moving.centre, fixed.centre)
        starts: list[Transform] = []
        for mirrored in (False, True)[: 1 + self.mirror]:
            # Mirrored, left and right are exchanged first, and the axis points the other way.
            axis = -fixed.angle_deg if mirrored else fixed.angle_deg
            for extra in (0.0, 180.0, 90.0, 270.0)[: 4 if quarter else 2]:
                start = Similarity.of(
                    scale=scale,
                    angle_deg=moving.angle_deg - axis + extra,
                    mirrored=mirrored,
                    translation=shift,
                    centre=fixed.centre,
                )
                starts.append(start if self.model == "similarity" else Rigid(start.matrix))
        return starts

    def _settled(self, a: Picture, b: Picture, start: Transform, progress: Progress) -> FloatArray:
        """Climb a little by mutual information."""
        if self.iterations == 0:
            progress(0.0, "comparing one way round")
            return np.eye(3)
        how = Climb(
            metric="mutual_information",
            freedom="rigid" if self.model == "rigid" else "similarity",
            iterations=self.iterations,
            bins=32,
            sampling=1.0,
            seed=self.seed,
            step_px=2.0,
        )
        pair = prealign(a, b, start, a.spacing)
        return climb(pair, np.eye(3), how, progress)[1]
