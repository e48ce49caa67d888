"""Align two slides by point pairs."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from napari_histreg.errors import DegenerateFit, NotEnoughMatches
from napari_histreg.landmarks import LandmarkFit, fit_landmarks
from napari_histreg.progress import Progress, silent
from napari_histreg.records.record import Outcome, StepLog, VerdictWord
from napari_histreg.registration.request import Aligner, Request
from napari_histreg.slides import Slide
from napari_histreg.units import length_words, rounded

__all__ = ["ByLandmarks"]

CLEAR_SHARE, HOPELESS_SHARE = 0.01, 0.05
"""Leave-one-out errors as shares of the fixed diagonal: below the first the pairs agree, above the second
they contradict one another. Landmarks that people place on serial sections scatter by 0.003 to 0.006."""


class ByLandmarks(Aligner):
    """Fit the point pairs; the verdict comes from leaving each of them out in turn.

    Parameters
    ----------
    model : {"auto", "translation", "rigid", "similarity", "affine", "projective", "thin_plate"}
        What to fit; "auto" takes the model with the least leave-one-out error.
    """

    name: ClassVar[str] = "landmarks"

    model: Literal["auto", "translation", "rigid", "similarity", "affine", "projective", "thin_plate"] = (
        Field("auto", title="Model", description="What to fit; auto takes the least leave-one-out error")
    )

    def align(
        self, fixed: Slide, moving: Slide, request: Request, *, log: StepLog, progress: Progress = silent
    ) -> Outcome:
        """Fit the pairs of the request.

        Raises
        ------
        NotEnoughMatches
            There are no landmarks, or too few for the model.
        """
        if request.landmarks is None:
            raise NotEnoughMatches(
                "The method landmarks needs point pairs, and none were given.", wants="landmarks"
            )
        pairs = request.landmarks
        progress(0.0, "fitting landmarks")
        with log.step("fit landmarks", model=self.model) as found:
            try:
                fit = fit_landmarks(pairs, self.model)
            except DegenerateFit as error:
                raise NotEnoughMatches(f"The landmarks do not determine the alignment: {error}") from error
            found["model"] = fit.model
            found["pairs"] = len(pairs.active())
            found["residual median"] = fit.median_residual
            found["leave-one-out median"] = fit.median_leave_one_out
        progress(1.0, "landmarks fitted")
        verdict, reasons = judge_fit(fit, float(np.hypot(*fixed.size)), fixed.unit)
        return Outcome(fit.fixed_to_moving, verdict, None, reasons, pairs)


def judge_fit(fit: LandmarkFit, diagonal: float, unit: str) -> tuple[VerdictWord, tuple[str, ...]]:
    """Judge a fit by its leave-one-out error.

    Parameters
    ----------
    fit : LandmarkFit
    diagonal : float
        Of the fixed slide, in its world units.
    unit : str
        Of the fixed slide.

    Returns
    -------
    verdict : {"accepted", "doubtful", "refused"}
    reasons : tuple of str
    """
    error = fit.median_leave_one_out
    if not np.isfinite(error):
        return "doubtful", (
            f"The pairs determine the {fit.model} model exactly, so nothing tells its error. Add a pair.",
        )
    share = error / diagonal
    sentence = (
        f"Each pair left out is predicted by the others within {length_words(error, unit)} (median), "
        f"{rounded(100 * share, 2)} % of the diagonal."
    )
    if share <= CLEAR_SHARE:
        return "accepted", (sentence,)
    if share <= HOPELESS_SHARE:
        return "doubtful", (sentence, "Look at the pairs with the largest errors.")
    return "refused", (sentence, "The pairs contradict one another: check their order and the mirror.")
