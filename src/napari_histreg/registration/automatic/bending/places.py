"""Where tiles are measured: on tissue, evenly at first, then where least is known."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.picture import Picture, overlap_frame
from napari_histreg.registration.automatic.tiles import Side

__all__ = ["Ground", "tissue_ground"]

SIDE = 384
"""Longest side of the map of structure in pixels."""

LEAST_STRUCTURE = 0.08
"""Of what strong tissue shows: less is glass, dust or empty."""

STRONG = 0.9
"""Quantile of the structure that counts as strong."""


@dataclass(frozen=True, eq=False)
class Ground:
    """How much structure both slides show, over their overlap.

    Parameters
    ----------
    structure : (Y, X) ndarray
        Product of both slides' edges, square-rooted; about 1 in strong tissue.
    origin : (2,) ndarray
        World place of pixel (0, 0).
    spacing : float
        World units per pixel.
    """

    structure: FloatArray
    origin: FloatArray
    spacing: float

    @property
    def tissue(self) -> NDArray[np.bool_]:
        """Where there is enough to compare, (Y, X)."""
        return np.asarray(self.structure > LEAST_STRUCTURE)

    @property
    def extent(self) -> float:
        """Longest side of the overlap in world units."""
        return float(max(self.structure.shape) * self.spacing)

    @property
    def area(self) -> float:
        """Area of the tissue in square world units."""
        return float(self.tissue.sum()) * self.spacing**2

    def at(self, points: FloatArray) -> FloatArray:
        """Return the structure at (N, 2) world points; 0 outside."""
        index = np.round((points - self.origin) / self.spacing).astype(int)
        inside = ((index >= 0) & (index < self.structure.shape)).all(1)
        index = np.clip(index, 0, np.array(self.structure.shape) - 1)
        return np.where(inside, self.structure[index[:, 0], index[:, 1]], 0.0)

    def places(self, pitch: float, size: float) -> FloatArray:
        """Return places on tissue, one in each field of a grid, where a tile sees most.

        Parameters
        ----------
        pitch : float
            Side of a field in world units.
        size : float
            Side of a tile.

        Returns
        -------
        (N, 2) ndarray
        """
        blurred = self._seen_by(size)
        step = max(pitch / self.spacing, 1.0)
        counts = [max(1, round(n / step)) for n in blurred.shape]
        out = []
        for band in np.array_split(np.arange(blurred.shape[0]), counts[0]):
            for strip in np.array_split(np.arange(blurred.shape[1]), counts[1]):
                field = blurred[np.ix_(band, strip)]
                # Close to the middle of its field unless much more is to be seen elsewhere in it.
                y, x = np.unravel_index(int((field * _towards_middle(field.shape)).argmax()), field.shape)
                if field[y, x] > LEAST_STRUCTURE:
                    out.append((band[y], strip[x]))
        return np.asarray(np.array(out, float).reshape(-1, 2) * self.spacing + self.origin)

    def _seen_by(self, size: float) -> FloatArray:
        sigma = size / 4 / self.spacing
        if sigma < 0.5:
            return self.structure
        return np.asarray(cv2.GaussianBlur(self.structure, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT))


def tissue_ground(sides: tuple[Side, Side], fixed_to_moving: FloatArray) -> Ground | None:
    """Look where both slides show structure; None where they do not overlap."""
    fixed, moving = (side.overview.picture for side in sides)
    frame = overlap_frame(fixed, moving, fixed_to_moving, SIDE)
    if frame is None or min(frame.shape) < 8:
        return None
    a, b = fixed.sampled(frame, np.eye(3)), moving.sampled(frame, fixed_to_moving)
    strength = np.sqrt(_edges(a) * _edges(b)) * (a.mask & b.mask)
    strength = cv2.GaussianBlur(strength, (0, 0), 1.0)
    strong = float(np.quantile(strength, STRONG))
    return Ground(strength / max(strong, 1e-12), np.array(frame.origin), frame.spacing[0])


def _edges(picture: Picture) -> FloatArray:
    total = np.zeros(picture.frame.shape)
    for channel in picture.channels:
        edges = np.hypot(cv2.Scharr(channel, cv2.CV_32F, 1, 0), cv2.Scharr(channel, cv2.CV_32F, 0, 1))
        # A bright speck is one edge, not the measure of all others.
        total += np.minimum(edges, np.quantile(edges, 0.98))
    return total


def _towards_middle(shape: tuple[int, int]) -> FloatArray:
    along = [np.abs(np.linspace(-1, 1, n)) if n > 1 else np.zeros(1) for n in shape]
    return np.asarray(1.0 - 0.5 * np.maximum(along[0][:, None], along[1][None, :]))
