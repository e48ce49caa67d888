"""Distinct points of two pictures and the pairs of them that look alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import MissingDependency
from napari_histreg.geometry import FloatArray
from napari_histreg.matching.picture import Picture

__all__ = ["Detector", "Keypoints", "find_keypoints", "match_keypoints"]

Detector = Literal["sift", "orb", "brisk", "freak"]

ORB_SCALE = 1.2
CONTRIB = (
    "this build of OpenCV does not have. Install the contrib build: pip uninstall opencv-python-headless, "
    "then pip install opencv-contrib-python-headless"
)


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Distinct points of one picture with what they look like.

    Parameters
    ----------
    points_px : (N, 2) ndarray of float64
        Pixel coordinates (y, x), pixel centres at integers.
    descriptors : (N, D) ndarray
        float32 (SIFT) or uint8 (binary descriptors).
    """

    points_px: FloatArray
    descriptors: NDArray[Any]

    def __len__(self) -> int:
        return len(self.points_px)


def find_keypoints(
    picture: Picture, detector: Detector, *, limit: int, smoothing_px: float, mirrored: bool, inverted: bool
) -> Keypoints:
    """Find distinct points of a picture's first channel.

    Parameters
    ----------
    picture : Picture
        Signal 0 to 1.
    detector : str
        Which algorithm.
    limit : int
        Keep at most so many, the strongest.
    smoothing_px : float
        Standard deviation of a Gaussian applied first, in pixels; 0 for none.
    mirrored, inverted : bool
        Look at the picture with left and right exchanged, or as its negative. Points are given in the
        picture as it was.

    Returns
    -------
    Keypoints

    Raises
    ------
    MissingDependency
        The build of OpenCV lacks the detector.
    """
    import cv2

    plane = picture.channels[0]
    if smoothing_px > 0:
        plane = cv2.GaussianBlur(plane, (0, 0), smoothing_px, borderType=cv2.BORDER_REFLECT)
    plane = 1 - plane if inverted else plane
    mask = picture.mask.astype(np.uint8) * 255
    if mirrored:
        plane, mask = plane[:, ::-1], mask[:, ::-1]
    bytes_ = np.ascontiguousarray(np.clip(plane * 255, 0, 255).round().astype(np.uint8))
    find, describe = _make(detector, limit)
    found = find.detect(bytes_, np.ascontiguousarray(mask))
    found = sorted(found, key=lambda k: (-k.response, k.pt, k.size, k.angle))[:limit]
    found, descriptors = describe.compute(bytes_, found)
    if descriptors is None or not len(found):
        return Keypoints(np.zeros((0, 2)), np.zeros((0, 1), np.float32))
    points = np.array([k.pt[::-1] for k in found], float)
    if detector == "orb":
        points = _orb_points(points, np.array([k.octave for k in found], float), bytes_.shape)
    if mirrored:
        points[:, 1] = plane.shape[1] - 1 - points[:, 1]
    return Keypoints(points, descriptors)


def _orb_points(points_px: FloatArray, octave: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Put points of ORB's coarser octaves where they are.

    OpenCV multiplies their coordinates by the nominal scale. The octave's true scale follows from its
    size in whole pixels, and applies about the corner of the first pixel, not about its centre; at the far
    side of an image the difference is more than a pixel.
    """
    nominal = ORB_SCALE ** octave[:, None]
    size = np.array(shape[:2], float)
    true = size / np.round(size / nominal)
    return np.asarray((points_px / nominal + 0.5) * true - 0.5)


def _make(detector: Detector, limit: int) -> tuple[Any, Any]:
    """Return the objects that find and that describe keypoints."""
    if detector == "sift":
        # Half of the usual contrast threshold: nuclei in a smoothed signal are faint. Without the precise
        # upscaling all points lie a quarter of a pixel off, which a turn makes visible.
        sift = _build("SIFT_create")(contrastThreshold=0.02, enable_precise_upscale=True)
        return sift, sift
    if detector == "orb":
        orb = _build("ORB_create")(nfeatures=limit, scaleFactor=ORB_SCALE, fastThreshold=5)
        return orb, orb
    brisk = _build("BRISK_create")(thresh=15)
    if detector == "brisk":
        return brisk, brisk
    return brisk, _build("FREAK_create")()


def _build(name: str) -> Callable[..., Any]:
    """Find a constructor that only some builds of OpenCV have, at the place where versions put it."""
    import cv2

    for place in (cv2, getattr(cv2, "xfeatures2d", None)):
        made = getattr(place, name, None)
        if made is not None:
            return made  # type: ignore[no-any-return]
    raise MissingDependency(f"This needs {name.removesuffix('_create')}, which {CONTRIB}.")


def match_keypoints(fixed: Keypoints, moving: Keypoints, *, ratio: float) -> NDArray[np.intp]:
    """Pair points that are each other's best match and clearly better than the second best.

    Parameters
    ----------
    fixed, moving : Keypoints
        From the same detector.
    ratio : float
        The best match must be nearer than `ratio` times the second best, 0 to 1; 1 keeps all.

    Returns
    -------
    (M, 2) ndarray of int
        Indices into fixed and moving.
    """
    import cv2

    if min(len(fixed), len(moving)) < 2:
        return np.zeros((0, 2), np.intp)
    norm = cv2.NORM_L2 if fixed.descriptors.dtype == np.float32 else cv2.NORM_HAMMING
    matcher = cv2.BFMatcher(norm)
    clear = [
        (best.queryIdx, best.trainIdx)
        for best, second in matcher.knnMatch(fixed.descriptors, moving.descriptors, 2)
        if best.distance <= ratio * second.distance
    ]
    if not clear:
        return np.zeros((0, 2), np.intp)
    pairs = np.array(clear, np.intp)
    # Only what passed has to be looked at from the other side.
    back = matcher.match(np.ascontiguousarray(moving.descriptors[pairs[:, 1]]), fixed.descriptors)
    mutual = np.array([match.trainIdx for match in back]) == pairs[:, 0]
    return np.asarray(pairs[mutual])
