"""Merging by Laplacian pyramids: at each scale the stronger detail is taken."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from napari_histreg.fusion.rule import Plane, Rule, weighted_mean

__all__ = ["Laplacian"]


class Laplacian(Rule):
    """Take the stronger detail of every band of a Laplacian pyramid, the mean of what is left [1]_.

    Parameters
    ----------
    depth : int
        Number of bands.

    References
    ----------
    .. [1] P. J. Burt, E. H. Adelson, IEEE Trans. Communications 31(4), 532-540, 1983.
           doi:10.1109/TCOM.1983.1095851
    """

    name: ClassVar[str] = "laplacian"

    depth: int = Field(4, ge=1, le=8, title="Depth", description="Number of bands")

    @property
    def step(self) -> int:
        """Each band halves the grid, so tiles must begin where all grids have a pixel."""
        return int(2**self.depth)

    @property
    def margin(self) -> int:
        """Two pixels of each band, down and up again."""
        return int(4 * 2**self.depth)

    def __call__(self, planes: Sequence[Plane], weights: Sequence[Plane]) -> Plane:
        """Merge planes of one shape."""
        import cv2

        current = [np.ascontiguousarray(p * w) for p, w in zip(planes, weights, strict=True)]
        bands, sizes = [], []
        for _ in range(self.depth):
            if min(current[0].shape) < 2:
                break
            sizes.append((current[0].shape[1], current[0].shape[0]))
            smaller = [cv2.pyrDown(p) for p in current]
            details = np.stack(
                [p - cv2.pyrUp(s, dstsize=sizes[-1]) for p, s in zip(current, smaller, strict=True)]
            )
            strongest = self._strength(current, details).argmax(axis=0)
            bands.append(np.take_along_axis(details, strongest[None], axis=0)[0])
            current = smaller
        merged = weighted_mean(current, [_shrunk(w, current[0].shape) for w in weights])
        for band, size in zip(reversed(bands), reversed(sizes), strict=True):
            merged = cv2.pyrUp(merged, dstsize=size) + band
        return np.asarray(merged)

    def _strength(self, blurred: Sequence[Plane], details: Plane) -> Plane:
        """Say how strong the detail of each plane is, (planes, Y, X)."""
        return np.asarray(np.abs(details))


def _shrunk(weight: Plane, shape: tuple[int, ...]) -> Plane:
    import cv2

    while weight.shape != shape:
        weight = cv2.pyrDown(weight)
    return weight
