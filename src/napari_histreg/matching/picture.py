"""Picture: several channels of one small plane that know where they lie, at every size they are asked for."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_histreg.geometry import FloatArray, Frame
from napari_histreg.raster import Raster

__all__ = ["Picture", "corners", "overlap_frame"]

# Each reduction is made from the full picture; sampling then never has to skip more than half a pixel.
REDUCTION = 1.5


@dataclass(frozen=True, eq=False)
class Picture:
    """Comparable channels of a slide in memory, with their place in the slide's frame.

    Parameters
    ----------
    channels : (C, Y, X) ndarray of float32
        Signals, each scaled to about 0 to 1.
    frame : Frame
        Where the pixels lie.
    mask : (Y, X) ndarray of bool
        True where the picture shows the specimen's field of view; borders that are no image are False.

    Examples
    --------
    >>> picture = Picture(np.zeros((1, 8, 6), np.float32), Frame((8, 6), (1.0, 1.0), (0.0, 0.0)))
    >>> picture.reduced(2.0).frame.shape
    (4, 3)
    """

    channels: NDArray[np.float32]
    frame: Frame
    mask: NDArray[np.bool_] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        given: NDArray[np.bool_] | None = self.mask
        mask = np.ones(self.frame.shape, bool) if given is None else np.asarray(given, bool)
        channels = np.ascontiguousarray(self.channels, np.float32)
        if channels.ndim != 3 or channels.shape[1:] != self.frame.shape or mask.shape != self.frame.shape:
            raise ValueError(
                f"Channels {channels.shape}, mask {mask.shape} and frame {self.frame.shape} must match."
            )
        if mask.any() and not mask.all():
            # What is masked takes the nearest valid value: no edge arises there that could be matched.
            nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
            channels = channels[:, nearest[0], nearest[1]]
        object.__setattr__(self, "channels", channels)
        object.__setattr__(self, "mask", mask)

    @classmethod
    def of(cls, raster: Raster) -> "Picture":
        """Return a raster as a picture of one channel."""
        return cls(raster.pixels[None], raster.frame, raster.mask)

    @property
    def spacing(self) -> float:
        """Mean distance of pixel centres in world units."""
        return float(np.sqrt(self.frame.spacing[0] * self.frame.spacing[1]))

    @property
    def diagonal_px(self) -> float:
        """Length of the diagonal in pixels."""
        return float(np.hypot(*self.frame.shape))

    @cached_property
    def extent(self) -> float:
        """Longest side of the valid part in world units."""
        rows, columns = np.flatnonzero(self.mask.any(1)), np.flatnonzero(self.mask.any(0))
        if not len(rows):
            return 0.0
        return float(
            max(
                (rows[-1] - rows[0] + 1) * self.frame.spacing[0],
                (columns[-1] - columns[0] + 1) * self.frame.spacing[1],
            )
        )

    @cached_property
    def box(self) -> FloatArray:
        """World coordinates of the four corners of the valid part, (4, 2), in order round it."""
        rows, columns = np.flatnonzero(self.mask.any(1)), np.flatnonzero(self.mask.any(0))
        if not len(rows):
            return np.zeros((4, 2))
        y0, y1, x0, x1 = rows[0] - 0.5, rows[-1] + 0.5, columns[0] - 0.5, columns[-1] + 0.5
        index = np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0]])
        return index * self.frame.spacing + self.frame.origin

    def reduced(self, spacing: float) -> "Picture":
        """Return the picture with pixels of about `spacing` world units, averaged, never enlarged."""
        factor = spacing / self.spacing
        if factor <= 1.0 + 1e-6:
            return self
        h, w = self.frame.shape
        shape = max(1, round(h / factor)), max(1, round(w / factor))
        size = shape[::-1]
        channels = np.stack([cv2.resize(c, size, interpolation=cv2.INTER_AREA) for c in self.channels])
        mask = cv2.resize(self.mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
        (sy, sx), (oy, ox) = self.frame.spacing, self.frame.origin
        fy, fx = h / shape[0], w / shape[1]
        frame = Frame(shape, (sy * fy, sx * fx), (oy + (fy - 1) / 2 * sy, ox + (fx - 1) / 2 * sx))
        return Picture(channels, frame, mask)

    @cached_property
    def reductions(self) -> tuple["Picture", ...]:
        """The picture and its reductions, each coarser by 1.5, down to 24 pixels."""
        out = [self]
        while max(out[-1].frame.shape) > 24 * REDUCTION:
            out.append(self.reduced(self.spacing * REDUCTION ** len(out)))
        return tuple(out)

    def sampled(self, frame: Frame, frame_to_picture: FloatArray) -> "Picture":
        """Look at the picture through a map of points.

        Parameters
        ----------
        frame : Frame
            Where to sample.
        frame_to_picture : (3, 3) ndarray
            Affine matrix from world points of `frame` to world points of this picture, (y, x, 1).

        Returns
        -------
        Picture
            On `frame`; its mask is False where this picture shows nothing.
        """
        scale = float(np.sqrt(abs(np.linalg.det(frame_to_picture[:2, :2]))))
        wanted = scale * float(np.sqrt(frame.spacing[0] * frame.spacing[1]))
        source = [p for p in self.reductions if p.spacing <= wanted * 1.001] or [self]
        picture = source[-1]
        index = np.linalg.inv(picture.frame.matrix) @ frame_to_picture @ frame.matrix
        m = index[:2][::-1][:, [1, 0, 2]]
        size = frame.shape[::-1]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        channels = np.stack(
            [
                cv2.warpAffine(c, m, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
                for c in picture.channels
            ]
        )
        mask = cv2.warpAffine(picture.mask.astype(np.float32), m, size, flags=flags) > 0.99
        return _unfilled(channels, frame, mask)

    def seen_at(self, frame: Frame, points: FloatArray) -> "Picture":
        """Look at the picture through any map of points.

        Parameters
        ----------
        frame : Frame
            Where the result lies.
        points : (Y, X, 2) ndarray
            For each point of `frame`, the world point (y, x) of this picture that is shown there.

        Returns
        -------
        Picture
            On `frame`; its mask is False where this picture shows nothing.
        """
        step_y, step_x = np.diff(points, axis=0), np.diff(points, axis=1)
        area = step_y[:, :-1, 0] * step_x[:-1, :, 1] - step_y[:, :-1, 1] * step_x[:-1, :, 0]
        wanted = float(np.sqrt(np.median(np.abs(area))))
        source = [p for p in self.reductions if p.spacing <= wanted * 1.001] or [self]
        picture = source[-1]
        index = ((points - picture.frame.origin) / picture.frame.spacing).astype(np.float32)
        y, x = np.ascontiguousarray(index[..., 0]), np.ascontiguousarray(index[..., 1])
        channels = np.stack(
            [cv2.remap(c, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for c in picture.channels]
        )
        mask = cv2.remap(picture.mask.astype(np.float32), x, y, cv2.INTER_LINEAR) > 0.99
        return _unfilled(channels, frame, mask)


def _unfilled(channels: NDArray[np.float32], frame: Frame, mask: NDArray[np.bool_]) -> Picture:
    """Make a picture whose masked pixels are filled already."""
    picture = object.__new__(Picture)
    for name, value in (("channels", channels), ("frame", frame), ("mask", mask)):
        object.__setattr__(picture, name, value)
    return picture


def corners(points: FloatArray, matrix: FloatArray) -> FloatArray:
    """Map (N, 2) points (y, x) by a (3, 3) affine matrix."""
    return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2])


def overlap_frame(fixed: Picture, moving: Picture, fixed_to_moving: FloatArray, side: int) -> Frame | None:
    """Lay a grid over the part of the fixed picture that the moving one shows.

    Parameters
    ----------
    fixed, moving : Picture
        The two pictures.
    fixed_to_moving : (3, 3) ndarray
        Affine matrix in world units, (y, x, 1).
    side : int
        Longest side of the grid in points; fewer where neither picture is that fine.

    Returns
    -------
    Frame or None
        None where nothing overlaps.
    """
    to_fixed = np.asarray(np.linalg.inv(fixed_to_moving), float)
    seen = corners(moving.box, to_fixed).astype(np.float32)
    area, shape = cv2.intersectConvexConvex(seen, fixed.box.astype(np.float32))
    if area <= 0 or shape is None:
        return None
    low, high = shape[:, 0].min(0).astype(float), shape[:, 0].max(0).astype(float)
    scale = float(np.sqrt(abs(np.linalg.det(fixed_to_moving[:2, :2]))))
    finest = max(fixed.spacing, moving.spacing / scale)
    spacing = max(float((high - low).max()) / side, finest)
    rows, columns = np.maximum(np.floor((high - low) / spacing), 1).astype(int)
    centre = (low + high) / 2
    origin = centre - (np.array([rows, columns]) - 1) / 2 * spacing
    return Frame.square((rows, columns), spacing, origin)
