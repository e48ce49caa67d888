"""Automatic: one button for any two slides, across stains, with an honest verdict.

1. **look**: an overview of each slide, its channels made comparable, borders that are no image masked.
2. **find**: attempts, cheap ones first, until one convinces. Each proposes poses (an exhaustive search over
   rotation, mirror, scale and shift; given and plain starts; mutual information), refines them by blocks,
   and has the best judged against all others.
3. **bend** (on request): a displacement field, as stiff as left-out blocks ask, from the overview down to
   the finest level at which tiles agree.
4. **sharpen** what does not bend: tiles at finer levels, where the overview is coarser than the accuracy
   asked for.
5. **verdict**.
"""

from typing import ClassVar

from pydantic import Field

from napari_histreg.errors import NoTissue
from napari_histreg.geometry import FloatArray
from napari_histreg.matching.bending import fit_local_field
from napari_histreg.methods.fields import ADVANCED
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.records.record import Outcome, StepLog
from napari_histreg.registration.automatic.attempts import Finding, find_pose
from napari_histreg.registration.automatic.bending.whole_slide import bend_whole_slide
from napari_histreg.registration.automatic.block_landmarks import block_landmarks
from napari_histreg.registration.automatic.overview import Overview, look_at
from napari_histreg.registration.automatic.plan import Plan
from napari_histreg.registration.automatic.tile_refinement import sharpen
from napari_histreg.registration.automatic.tiles import Side
from napari_histreg.registration.automatic.verdict import Verdict
from napari_histreg.registration.request import Aligner, Request
from napari_histreg.slides import Slide
from napari_histreg.threads import one_opencv_thread
from napari_histreg.transforms import Affine, Transform

__all__ = ["Automatic"]


class Automatic(Aligner):
    """Align any two slides of one specimen: stains, rotation, mirror, scale and overlap may differ.

    Parameters
    ----------
    nonrigid : bool
        Whether to bend the moving slide after the affine alignment is accepted.
    mirror : bool
        Whether a mirrored slide is considered.
    scale_play : float
        How far the scale may differ from what the pixel sizes say, as a share.
    scale_range : float
        Where a pixel size is missing: how many times larger or smaller one field of view may be.
    sharpen : bool
        Whether finer levels of the slides are used, to about 1 µm.
    """

    name: ClassVar[str] = "auto"

    nonrigid: bool = Field(
        False, title="Bend", description="Add a displacement field to the affine alignment"
    )
    mirror: bool = Field(True, title="Mirror", description="Consider that the slide may be mirrored")
    scale_play: float = Field(
        0.12,
        ge=0.01,
        le=0.5,
        title="Scale play",
        description="How far known pixel sizes may be wrong, as a share",
        json_schema_extra=ADVANCED,
    )
    scale_range: float = Field(
        2.6,
        ge=1.1,
        le=4.0,
        title="Scale range",
        description="Scales searched where a pixel size is unknown",
        json_schema_extra=ADVANCED,
    )
    sharpen: bool = Field(
        True, title="Sharpen", description="Use finer levels, to about 1 µm", json_schema_extra=ADVANCED
    )

    def align(
        self, fixed: Slide, moving: Slide, request: Request, *, log: StepLog, progress: Progress = silent
    ) -> Outcome:
        """Align two slides; the table of contents of the whole recipe.

        Parameters
        ----------
        fixed, moving : Slide
            The slides.
        request : Request
            Channels and a start, where the user gave some.
        log : StepLog
            Takes what each step found.
        progress : Progress, optional
            Told of the progress; may raise `Cancelled`.

        Returns
        -------
        Outcome
            With "refused", the transform is the best guess.
        """
        try:
            overviews = self.look(fixed, moving, request, log, portion(progress, 0.0, 0.1))
        except NoTissue as error:
            return Outcome(None, "refused", None, (str(error),))
        finding = self.find(fixed, moving, overviews, request, log, portion(progress, 0.1, 0.7))
        if finding is None:
            return Outcome(None, "refused", None, ("No pose could be proposed: too little structure.",))
        overviews = finding.attempt.overviews or overviews
        sides = Side(fixed, overviews[0]), Side(moving, overviews[1])
        transform, bending = self.bent(sides, finding, log, portion(progress, 0.7, 0.95))
        matrix = finding.matrix
        if transform is None:
            matrix, sharpening = self.sharpened(sides, finding, log, portion(progress, 0.95, 1.0))
            transform, bending = Affine(matrix), (*bending, *sharpening)
        verdict = finding.verdict
        progress(1.0, verdict.word)
        remarks = (finding.attempt.remark,) if finding.attempt.remark else ()
        carriers = None
        if verdict.word != "refused":
            carriers = block_landmarks(*finding.attempt.pictures, matrix)
        reasons = (*verdict.reasons, *remarks, *bending)
        return Outcome(transform, verdict.word, verdict.confidence, reasons, carriers)

    def look(
        self, fixed: Slide, moving: Slide, request: Request, log: StepLog, progress: Progress = silent
    ) -> tuple[Overview, Overview]:
        """Make an overview of each slide; raises `NoTissue` where there is nothing to see."""
        with log.step("look") as found:
            progress(0.0, f"looking at {fixed.name}")
            first = look_at(fixed, channel=request.fixed_channel)
            progress(0.5, f"looking at {moving.name}")
            second = look_at(moving, channel=request.moving_channel)
            for word, slide, overview in (("fixed", fixed, first), ("moving", moving, second)):
                found[f"{word} light"] = overview.modality
                found[f"{word} channels"] = [slide.channels[k].name for k in overview.channels]
                found[f"{word} valid"] = round(float(overview.picture.mask.mean()), 4)
                found[f"{word} spacing"] = round(overview.picture.spacing, 6)
        return first, second

    def find(
        self,
        fixed: Slide,
        moving: Slide,
        overviews: tuple[Overview, Overview],
        request: Request,
        log: StepLog,
        progress: Progress = silent,
    ) -> Finding | None:
        """Find the pose: attempts, cheap ones first, until one convinces."""
        with log.step("find") as found:

            def note(name: str, figures: dict[str, float], verdict: Verdict | None) -> None:
                found[name] = {k: round(v, 3) for k, v in figures.items()}
                if verdict is not None:
                    found[name]["confidence"] = verdict.confidence
                    found[name].update({k: round(v, 3) for k, v in verdict.measures.items()})

            plan = Plan((fixed, moving), overviews, request, self.scale_play, self.scale_range, self.mirror)
            small, known = plan.small_field(), None
            with one_opencv_thread():
                if small is not None:
                    part, progress = portion(progress, 0.0, 0.7), portion(progress, 0.7, 1.0)
                    known = small.find(plan.given_starts(), progress=part, note=note)
                finding = find_pose(plan.attempts(), known=known, progress=progress, note=note)
            if finding is not None:
                found["found by"] = finding.attempt.name
        return finding

    def bent(
        self, sides: tuple[Side, Side], finding: Finding, log: StepLog, progress: Progress = silent
    ) -> tuple[Transform | None, tuple[str, ...]]:
        """Bend an accepted alignment where asked for and left-out blocks confirm it; also gives remarks."""
        if not self.nonrigid:
            return None, ()
        if finding.verdict.word == "refused":
            return None, ("It was not bent, since the affine alignment is refused.",)
        with log.step("bend") as found:
            if self.sharpen:
                whole = bend_whole_slide(sides, finding.matrix, found, progress=progress)
                if whole is not None:
                    found["notes"] = whole.notes
                    return whole.fixed_to_moving, whole.notes
            fit = fit_local_field(*finding.attempt.pictures, finding.matrix, progress=progress)
            found.update(
                stiffness=fit.stiffness,
                gain=round(fit.gain, 4),
                certainty=round(fit.certainty, 3),
                refined=round(fit.refined, 4),
                blocks=fit.blocks,
                min_jacobian=round(fit.min_jacobian, 4),
                notes=fit.notes,
            )
        return fit.field, fit.notes

    def sharpened(
        self, sides: tuple[Side, Side], finding: Finding, log: StepLog, progress: Progress = silent
    ) -> tuple[FloatArray, tuple[str, ...]]:
        """Refine an accepted pose by tiles at finer levels; returns the (3, 3) matrix, and remarks."""
        if not self.sharpen or finding.verdict.word == "refused":
            return finding.matrix, ()
        with log.step("sharpen") as found:
            matrix = sharpen(sides, finding.matrix, found, progress=progress)
            return matrix, tuple(found.get("notes", ()))
