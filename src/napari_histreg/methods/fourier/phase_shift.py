"""The shift that remains between two pictures once turn and scale are known."""

from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.picture import Picture
from napari_histreg.methods.fourier.fourier_mellin import tapered, turns_and_scales
from napari_histreg.methods.fourier.peaks import Peak, Plane, find_peak, masked_correlation, phase_surface
from napari_histreg.methods.starts import prealign, prealign_whole
from napari_histreg.transforms import MatrixTransform, Similarity, Transform, Translation

__all__ = ["ShiftFinder"]

SMALLEST_PX = 16
SMALL_TURN_DEG = 5.0


@dataclass(frozen=True, eq=False)
class ShiftFinder:
    """Two pictures, where to start, and how to look for the shift.

    Parameters
    ----------
    fixed, moving : Picture
        The pictures.
    start : Transform
        Fixed to moving; what is found comes before it.
    spacing : float
        Size of the pixels worked at, in fixed world units.
    smoothing_px, least_overlap, upsampling
        As in `Phase`.
    """

    fixed: Picture
    moving: Picture
    start: Transform
    spacing: float
    smoothing_px: float = 1.5
    least_overlap: float = 0.3
    upsampling: int = 20

    def shift(
        self, candidate: MatrixTransform, *, masked: bool = False, exact: bool = False
    ) -> tuple[Peak, MatrixTransform]:
        """Put the best shift before a candidate.

        Parameters
        ----------
        candidate : MatrixTransform
            Turn and scale, before the start.
        masked : bool
            Correlate what both masks allow instead of the phases.
        exact : bool
            Find the shift to a fraction of a pixel by the up-sampled transform about the peak.
        """
        from scipy import fft

        pair = prealign_whole(self.fixed, self.moving, candidate.then(self.start), self.spacing)
        pictures = (pair.fixed, pair.moving)
        planes = [tapered(p.channels[0], p.mask) for p in pictures]
        if masked:
            surface = masked_correlation(
                pictures[0].channels[0],
                pictures[1].channels[0],
                pictures[0].mask,
                pictures[1].mask,
                least_overlap=self.least_overlap,
            )
            surface = np.where(np.isfinite(surface), np.abs(surface), -np.inf)
        else:
            rows, columns = (
                fft.next_fast_len(n + m, real=True)
                for n, m in zip(planes[0].shape, planes[1].shape, strict=True)
            )
            # Stains that are dark where the other is bright turn the peak over.
            surface = np.abs(
                phase_surface(planes[0], planes[1], (rows, columns), smoothing_px=self.smoothing_px)
            )
        if not np.isfinite(surface).any():
            return Peak((0.0, 0.0), 0.0, 1.0), candidate
        peak = find_peak(surface, apart=max(4.0, 0.03 * max(planes[0].shape)))
        matrix = np.eye(3)
        matrix[:2, 2] = self._exact(planes[0], planes[1], peak) if exact else peak.shift
        return peak, Translation(pair.to_world(matrix)).then(candidate)

    def settle(self, residual: MatrixTransform) -> MatrixTransform:
        """Measure turn and scale again where the two pictures overlap; unchanged where that fails."""
        pair = prealign(self.fixed, self.moving, residual.then(self.start), self.spacing, margin=0.0)
        both = pair.fixed.mask & pair.moving.mask
        planes = [tapered(p.channels[0], both) for p in (pair.fixed, pair.moving)]
        answers = turns_and_scales(planes[0], planes[1], largest_scale=1.05, count=1)
        if not answers or abs(answers[0][0]) > SMALL_TURN_DEG:
            return residual
        angle, scale = answers[0]
        again = Similarity.of(scale=scale, angle_deg=angle, centre=self.fixed.box.mean(0))
        return again.then(residual)

    def _exact(self, fixed: Plane, moving: Plane, peak: Peak) -> FloatArray:
        """Give the shift to a fraction of a pixel."""
        from scipy import ndimage
        from skimage.registration import phase_cross_correlation

        whole = np.round(peak.shift).astype(int)
        low = np.maximum(0, -whole)
        high = np.minimum(fixed.shape, np.array(moving.shape) - whole)
        if (high - low).min() < SMALLEST_PX:
            return np.array(peak.shift)
        a = fixed[low[0] : high[0], low[1] : high[1]]
        b = moving[low[0] + whole[0] : high[0] + whole[0], low[1] + whole[1] : high[1] + whole[1]]
        a, b = (ndimage.gaussian_filter(p, self.smoothing_px) for p in (a, b))
        if float((a * b).sum()) < 0:
            b = -b
        fine, _, _ = phase_cross_correlation(a, b, upsample_factor=self.upsampling, normalization=None)
        return np.asarray(whole - fine if np.abs(fine).max() <= 2 else peak.shift, float)
