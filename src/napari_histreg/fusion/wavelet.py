"""Merging by wavelets: mean of the approximations, largest magnitude of the details."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field, field_validator

from napari_histreg.fusion.rule import Plane, Rule

__all__ = ["Wavelet"]


class Wavelet(Rule):
    """Take the mean of the approximations and the larger of the details of a wavelet transform [1]_.

    Parameters
    ----------
    wavelet : str
        Any discrete wavelet of PyWavelets, such as "db2", "haar" or "sym4".
    depth : int
        Number of decompositions.

    References
    ----------
    .. [1] H. Li, B. S. Manjunath, S. K. Mitra, Graphical Models and Image Processing 57(3), 235-245, 1995.
           doi:10.1006/gmip.1995.1022
    """

    name: ClassVar[str] = "wavelet"

    wavelet: str = Field("db2", title="Wavelet", description="Any discrete wavelet of PyWavelets")
    depth: int = Field(3, ge=1, le=8, title="Depth", description="Number of decompositions")

    @field_validator("wavelet")
    @classmethod
    def _known(cls, value: str) -> str:
        import pywt

        if value not in pywt.wavelist(kind="discrete"):
            raise ValueError(
                f"there is no discrete wavelet {value!r}; PyWavelets has haar, db2, sym4, coif1 …"
            )
        return value

    @property
    def step(self) -> int:
        """Each decomposition halves the grid, so tiles must begin where all grids have a coefficient."""
        return int(2**self.depth)

    @property
    def margin(self) -> int:
        """Reach of the filters, down and up again."""
        import pywt

        return int(2 * pywt.Wavelet(self.wavelet).dec_len * 2**self.depth)

    def __call__(self, planes: Sequence[Plane], weights: Sequence[Plane]) -> Plane:
        """Merge planes of one shape."""
        import pywt

        transformed = [
            pywt.wavedec2(p * w, self.wavelet, mode="symmetric", level=self.depth)
            for p, w in zip(planes, weights, strict=True)
        ]
        merged: list[object] = [np.mean([t[0] for t in transformed], axis=0)]
        for bands in zip(*(t[1:] for t in transformed), strict=True):
            merged.append(tuple(_strongest(np.stack(band)) for band in zip(*bands, strict=True)))
        whole = pywt.waverec2(merged, self.wavelet, mode="symmetric")
        return np.asarray(whole[: planes[0].shape[0], : planes[0].shape[1]], np.float32)


def _strongest(details: Plane) -> Plane:
    which = np.abs(details).argmax(axis=0)
    return np.asarray(np.take_along_axis(details, which[None], axis=0)[0])
