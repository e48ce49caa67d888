"""Align two slides by one method that sees a single plane of each."""

from napari_histreg.errors import NotConverged, RegistrationError
from napari_histreg.landmarks import fit_landmarks
from napari_histreg.methods.method import Estimate, Method
from napari_histreg.methods.registry import METHODS
from napari_histreg.preprocess import Recipe, prepare_pair
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.records.record import Outcome, StepLog
from napari_histreg.registration.automatic.automatic import Automatic
from napari_histreg.registration.automatic.verdict import Verdict, judge_transform
from napari_histreg.registration.related_verdict import judge_related
from napari_histreg.registration.request import Aligner, Request
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform

__all__ = ["ByMethod"]


class ByMethod(Aligner):
    """Prepare one plane of each slide, run a method on them, judge what it found.

    A method that only goes on from a start is given the automatic affine alignment where there is no other.

    Parameters
    ----------
    method : Method
        The algorithm with its parameters.
    """

    method: Method

    def align(
        self, fixed: Slide, moving: Slide, request: Request, *, log: StepLog, progress: Progress = silent
    ) -> Outcome:
        """Align two slides; what the method cannot do is a refusal with its reason."""
        try:
            estimate = self._estimate(fixed, moving, request, log, progress)
        except RegistrationError as error:
            return Outcome(None, "refused", None, (str(error),))
        with log.step("verdict") as found:
            verdict = judge_transform(
                fixed, moving, estimate.fixed_to_moving, progress=portion(progress, 0.8, 1.0)
            )
            if verdict.word != "accepted" and estimate.related is not None:
                verdict = _better(verdict, judge_related(estimate.related))
            found.update(verdict.measures)
        progress(1.0, verdict.word)
        return Outcome(
            estimate.fixed_to_moving,
            verdict.word,
            verdict.confidence,
            (*verdict.reasons, *estimate.notes),
            estimate.landmarks,
        )

    def _estimate(
        self, fixed: Slide, moving: Slide, request: Request, log: StepLog, progress: Progress
    ) -> Estimate:
        progress(0.0, "reading overviews")
        with log.step("prepare", signal=request.signal) as found:
            recipes = [
                Recipe(signal=request.signal, channel=channel)
                for channel in (request.fixed_channel, request.moving_channel)
            ]
            rasters = prepare_pair(fixed, moving, *recipes)
            found["fixed shape"], found["moving shape"] = (list(raster.shape) for raster in rasters)
            found["fixed spacing"], found["moving spacing"] = (list(raster.spacing) for raster in rasters)
        initial = request.initial
        if initial is None and request.landmarks is not None:
            initial = fit_landmarks(request.landmarks, "auto").fixed_to_moving
        begun = 0.1
        if initial is None and any(s.needs_start for s in METHODS if s.name == self.method.name):
            begun = 0.5
            initial = self._start(fixed, moving, request, log, portion(progress, 0.1, begun))
        with log.step(self.method.name, **self.method.model_dump(mode="json")) as found:
            estimate = self.method.estimate(*rasters, initial=initial, progress=portion(progress, begun, 0.8))
            found.update(estimate.figures, score=estimate.score, notes=estimate.notes)
        return estimate

    def _start(
        self, fixed: Slide, moving: Slide, request: Request, log: StepLog, progress: Progress
    ) -> Transform:
        """Align affinely for a method that goes on from there."""
        outcome = Automatic(sharpen=False).align(fixed, moving, request, log=log, progress=progress)
        if outcome.fixed_to_moving is None or outcome.verdict == "refused":
            raise NotConverged(
                f"{self.method.label} goes on from an affine alignment, and none was found: "
                f"{' '.join(outcome.reasons)} Give one (initial)."
            )
        return outcome.fixed_to_moving


def _better(first: Verdict, second: Verdict) -> Verdict:
    """Return the verdict of more confidence: edges that agree and values that go together are each enough."""
    return max(first, second, key=lambda verdict: verdict.confidence or 0.0)
