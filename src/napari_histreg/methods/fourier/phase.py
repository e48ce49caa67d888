"""Compare the phases of two spectra: shift, and by Fourier-Mellin rotation and scale."""

from dataclasses import replace
from typing import Literal

from pydantic import Field

from napari_histreg.matching.evidence import Evidence, as_affine, weigh_pose
from napari_histreg.matching.picture import Picture
from napari_histreg.methods import fields
from napari_histreg.methods.fourier.fourier_mellin import tapered, turns_and_scales
from napari_histreg.methods.fourier.peaks import Peak
from napari_histreg.methods.fourier.phase_shift import ShiftFinder
from napari_histreg.methods.method import Finding, Method
from napari_histreg.methods.starts import likely_start, prealign_whole, working_spacing
from napari_histreg.progress import Progress, portion
from napari_histreg.transforms import MatrixTransform, Similarity, Transform, Translation

__all__ = ["Phase"]

SURE = 2.0
"""A margin over wrong poses from which no further candidate is tried."""

ROUNDS = 2
"""Times that rotation and scale are measured again, from what was found before."""

PLACES, SETTLED, SMALL_PX, CLEAR = 4, 3, 256, 1.5


class Phase(Method):
    """Find the shift from the phases of the spectra; rotation and scale from their magnitudes.

    A shift of an image turns only the phases of its spectrum, so their correlation has one sharp peak
    [1]_, found to a fraction of a pixel [2]_. Rotation and scale turn and stretch the magnitudes, which in
    log-polar coordinates are shifts again [3]_. Works where both images show mostly the same; stains may
    differ in brightness and sign. Where masks exclude something, the shift is first found by masked
    correlation [4]_.

    The result is refused where the peak does not stand out, or where wrong poses agree as well.

    References
    ----------
    .. [1] C. D. Kuglin and D. C. Hines, The phase correlation image alignment method, Proc. IEEE Int.
       Conf. on Cybernetics and Society, 1975.
    .. [2] M. Guizar-Sicairos et al., Efficient subpixel image registration algorithms, Opt. Lett. 33(2),
       2008. doi:10.1364/OL.33.000156
    .. [3] B. S. Reddy and B. N. Chatterji, An FFT-based technique for translation, rotation, and
       scale-invariant image registration, IEEE TIP 5(8), 1996. doi:10.1109/83.506761
    .. [4] D. Padfield, Masked object registration in the Fourier domain, IEEE TIP 21(5), 2012.
       doi:10.1109/TIP.2011.2181402
    """

    name = "phase"
    label = "The phase correlation"

    model: Literal["translation", "similarity"] = Field(
        "similarity", title="Transform", description="Only the shift, or also rotation and one scale."
    )
    mirror: bool = Field(
        True, title="Try mirrored", description="Also try the moving image turned over (similarity only)."
    )
    largest_scale: float = Field(
        1.6,
        title="Largest scale",
        description="Scales from one over this to this are looked for (similarity only).",
        ge=1.01,
        le=4.0,
    )
    upsampling: int = Field(
        20, title="Upsampling", description="The shift is found to one over this of a pixel.", ge=1, le=200
    )
    smoothing_px: float = Field(
        1.5, title="Smoothing (px)", description="Keeps the noise of fine detail out.", ge=0.0, le=20.0
    )
    least_overlap: float = Field(
        0.3,
        title="Least overlap",
        description="With masks: share of the largest possible overlap below which shifts are not looked at.",
        ge=0.05,
        le=1.0,
    )
    max_side_px: int = fields.working_size(512)

    def search(
        self, fixed: Picture, moving: Picture, initial: Transform | None, progress: Progress
    ) -> Finding:
        """Search for the turn and scale whose phases show the clearest shift; see `Method.search`.

        Raises
        ------
        NotConverged
            No peak stands out.
        """
        start = likely_start(fixed, moving) if initial is None else initial
        spacing = max(
            working_spacing(fixed, moving, start), max(fixed.extent, moving.extent) / self.max_side_px
        )
        progress(0.0, "measuring rotation and scale" if self.model == "similarity" else "measuring the shift")
        finder = ShiftFinder(
            fixed, moving, start, spacing, self.smoothing_px, self.least_overlap, self.upsampling
        )
        # Which turn it is can be seen on a small copy.
        small = replace(finder, spacing=max(spacing, max(fixed.extent, moving.extent) / SMALL_PX))
        tried = self._tried(small, progress)
        found: list[tuple[Evidence, Peak, MatrixTransform]] = []
        for k, (peak, residual) in enumerate(tried[:SETTLED]):
            progress(0.5 + 0.45 * k / SETTLED, f"settling candidate {k + 1}")
            masked = peak.margin < CLEAR
            for _ in range(ROUNDS if self.model == "similarity" else 1):
                if self.model == "similarity":
                    residual = finder.settle(residual)
                peak, residual = finder.shift(residual, masked=masked, exact=True)
            evidence = weigh_pose(fixed, moving, as_affine(residual.then(start), fixed))
            found.append((evidence, peak, residual))
            if evidence.margin > SURE:
                break
        evidence, peak, residual = max(found, key=lambda item: item[0].margin)
        return Finding(
            residual,
            start,
            words=f"peak {peak.height:.3f}",
            figures={"peak": peak.height, "second_peak": peak.second},
            evidence=evidence,
        )

    def _tried(self, finder: ShiftFinder, progress: Progress) -> list[tuple[Peak, MatrixTransform]]:
        """Give each turn and scale its best shift; the clearest first."""
        candidates = self._candidates(finder, portion(progress, 0.0, 0.1))
        # Phases first; where none of them has a clear peak, by the masked correlation.
        for masked, begin in ((False, 0.1), (True, 0.3)):
            tried = []
            for k, candidate in enumerate(candidates):
                done = begin + 0.2 * k / len(candidates)
                progress(done, f"measuring the shift of candidate {k + 1}")
                tried.append(finder.shift(candidate, masked=masked))
            tried.sort(key=lambda item: -item[0].margin)
            if tried[0][0].margin >= CLEAR:
                break
        return tried

    def _candidates(self, finder: ShiftFinder, progress: Progress) -> list[MatrixTransform]:
        """Give the turns and scales to try, about the middle of the fixed picture."""
        if self.model == "translation":
            return [Translation.identity()]
        pair = prealign_whole(finder.fixed, finder.moving, finder.start, finder.spacing)
        fixed = tapered(pair.fixed.channels[0], pair.fixed.mask)
        moving = tapered(pair.moving.channels[0], pair.moving.mask)
        middle = finder.fixed.box.mean(0)
        # Where the images share only a part, the spectra may mislead: the start as it is joins in.
        found: list[MatrixTransform] = [Similarity.identity()]
        flip = Similarity.of(mirrored=True, centre=middle)
        for mirrored in (False, True)[: 1 + self.mirror]:
            progress(0.5 * mirrored, "measuring rotation and scale")
            plane = moving[:, ::-1] if mirrored else moving
            for angle, scale in turns_and_scales(
                fixed, plane, largest_scale=self.largest_scale, count=PLACES
            ):
                for half in (0.0, 180.0):
                    turned = Similarity.of(scale=scale, angle_deg=angle + half, centre=middle)
                    found.append(turned.then(flip) if mirrored else turned)
        return found
