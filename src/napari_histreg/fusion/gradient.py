"""Merging by gradients: at each scale the detail of the plane with the steeper surroundings is taken."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from napari_histreg.fusion.laplacian import Laplacian
from napari_histreg.fusion.rule import Plane

__all__ = ["Gradient"]


class Gradient(Laplacian):
    """Take the detail of the plane whose gradients are stronger around a pixel, band by band.

    What is chosen is the energy of the gradient over five by five pixels of the band [1]_, not a single
    detail [2]_: an edge then comes whole from one slide, and noise wins nowhere by one pixel.

    Parameters
    ----------
    depth : int
        Number of bands.

    References
    ----------
    .. [1] P. J. Burt, R. J. Kolczynski, Enhanced image capture through fusion, ICCV 1993.
           doi:10.1109/ICCV.1993.378222
    .. [2] V. S. Petrovic, C. S. Xydeas, Gradient-based multiresolution image fusion, IEEE TIP 13(2), 2004.
           doi:10.1109/TIP.2004.823821
    """

    name: ClassVar[str] = "gradient"

    @property
    def margin(self) -> int:
        """Two pixels of each band, down and up again, and three for the gradients around a pixel."""
        return int(7 * 2**self.depth)

    def _strength(self, blurred: Sequence[Plane], details: Plane) -> Plane:
        import cv2

        energies = []
        for plane in blurred:
            along_y, along_x = (cv2.Sobel(plane, cv2.CV_32F, x, 1 - x, ksize=3) for x in (0, 1))
            energies.append(cv2.GaussianBlur(along_y**2 + along_x**2, (5, 5), 0))
        return np.stack(energies)
