"""ExportModel: what there is to write, and how each of it is written."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from napari_histreg.errors import RegistrationError
from napari_histreg.landmarks import DIALECTS, write_landmarks
from napari_histreg.plugin.models.session import Session
from napari_histreg.plugin.models.session_file import SESSION_NAME, write_session
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.quality.report import write_report
from napari_histreg.records.document import write_registration
from napari_histreg.records.record import Outcome, SlideRecord, VerdictWord
from napari_histreg.registration import Registration
from napari_histreg.registration.automatic.verdict import judge_transform
from napari_histreg.registration.by_landmarks import judge_fit
from napari_histreg.registration.folder import write_folder
from napari_histreg.slides import Slide, write_slide
from napari_histreg.transforms import Affine
from napari_histreg.transforms.formats import SlideFrame, write_transform
from napari_histreg.warping import Output, aligned_slide

__all__ = ["ExportModel"]

REFUSED = (
    "This alignment was refused: it is no more than a guess. Tick “Even if refused” to write it all the same."
)


class ExportModel:
    """Writes what a session holds.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.even_if_refused = False

    @property
    def obstacle(self) -> str | None:
        """Why nothing can be written; None where it can."""
        if not self.session.is_ready:
            return "Choose a fixed and a moving slide first."
        if self.session.origin == "initial" and self.session.fixed_to_moving == Affine.identity():
            return "The slides are not aligned yet. Click pairs, or run an automatic method."
        return None

    @property
    def result_obstacle(self) -> str | None:
        """Why nothing can be written that others take for a result: transform, warped slide, shapes.

        As on the command line, what was refused is written only where the user says so. The record, its
        folder and the report say themselves that it was refused.
        """
        if self.obstacle is not None or self.even_if_refused:
            return self.obstacle
        state = self.session.state
        refused = state.is_guess or (state.fit is not None and self._judged_fit()[0] == "refused")
        return REFUSED if refused else None

    @property
    def landmarks_obstacle(self) -> str | None:
        """Why there are no landmarks to write; None where there are."""
        if not self.session.is_ready:
            return "Choose a fixed and a moving slide first."
        if not self.session.landmarks.placed.any():
            return "There are no complete pairs. Click some, or take those of an automatic result."
        return None

    @property
    def stem(self) -> str:
        """A name for files, such as ``if_on_he``."""
        names = [(side.slide.name if side else "slide") for side in (self.session.moving, self.session.fixed)]
        return "_on_".join(name.partition(".")[0] or "slide" for name in names)

    def record(self, progress: Progress = silent) -> Registration:
        """Return the record of what is shown: the automatic result, or one of the pairs or the placement.

        Raises
        ------
        ValueError
            There is nothing to write.
        """
        fixed, moving = self.slides()
        state = self.session.state
        if state.origin == "automatic" and state.registration is not None:
            return state.registration
        landmarks = state.landmarks if len(state.landmarks.active()) else None
        if state.fit is not None:
            method, parameters = "landmarks", {"model": state.fit.model}
            word, reasons = self._judged_fit()
            confidence = None
        else:
            method, parameters = "by hand", {}
            verdict = judge_transform(fixed, moving, state.fixed_to_moving, progress=progress)
            word, reasons, confidence = verdict.word, verdict.reasons, verdict.confidence
        outcome = Outcome(state.fixed_to_moving, word, confidence, reasons, landmarks)
        return Registration(
            SlideRecord.of(fixed), SlideRecord.of(moving), outcome, method=method, parameters=parameters
        )

    def write_folder(self, folder: str | Path) -> Callable[[Progress], str]:
        """Return the call that writes the folder that ``histreg register`` writes, and the session."""
        fixed, moving = self.slides()
        state, records = self.session.state, (SlideRecord.of(fixed), SlideRecord.of(moving))

        def call(progress: Progress) -> str:
            progress(0.0, "judging the alignment")
            record = self.record(portion(progress, 0.0, 0.6))
            progress(0.6, "drawing the overlay")
            files = write_folder(record, folder, fixed, moving)
            # What the record does not hold: pairs that only measure, names, what decides.
            write_session(Path(folder) / SESSION_NAME, *records, state)
            return f"Wrote {len(files) + 1} files into {folder}."

        return call

    def write_record(self, path: str | Path) -> Callable[[Progress], str]:
        """Return the call that writes registration.json."""
        self.slides()

        def call(progress: Progress) -> str:
            write_registration(self.record(progress), path)
            return f"Wrote {path}."

        return call

    def write_report(self, path: str | Path) -> Callable[[Progress], str]:
        """Return the call that writes the report; pairs that only measure the alignment are its landmarks."""
        fixed, moving = self.slides()
        state = self.session.state
        pairs = state.landmarks.active()
        made = state.registration.landmarks if state.registration is not None else None
        taken = made is not None and made.holds(pairs)
        unseen = pairs if state.origin == "automatic" and len(pairs) and not taken else None

        def call(progress: Progress) -> str:
            record = self.record(portion(progress, 0.0, 0.3))
            checked = portion(progress, 0.3, 1.0)
            page, twin = write_report(record, path, fixed, moving, landmarks=unseen, progress=checked)
            return f"Wrote {page} and {twin.name}."

        return call

    def write_matrix(self, path: str | Path, dialect: str) -> Callable[[Progress], str]:
        """Return the call that writes the transform in a dialect of another tool."""
        fixed, moving = (_frame(slide) for slide in self.slides())
        transform = self.session.fixed_to_moving
        vouch = self.voucher()

        def call(progress: Progress) -> str:
            vouch(progress)
            progress(0.0, "writing the transform")
            write_transform(transform, path, dialect, fixed=fixed, moving=moving)
            return f"Wrote {path}."

        return call

    def write_landmarks(self, path: str | Path, dialect: str) -> str:
        """Write the pairs in a dialect, and return a sentence about it.

        Raises
        ------
        ValueError
            There are no pairs.
        """
        if self.landmarks_obstacle is not None:
            raise ValueError(self.landmarks_obstacle)
        fixed, moving = self.slides()
        landmarks, kind, file = self.session.landmarks, DIALECTS[dialect], Path(path)
        if not kind.holds_unplaced:
            landmarks = landmarks.subset(landmarks.placed)
        second = file.with_name(f"{file.stem}_moving{file.suffix}") if kind.side_files else None
        write_landmarks(
            landmarks,
            file,
            dialect=dialect,
            moving_path=second,
            fixed_pixel_size=fixed.world_pixel_size,
            moving_pixel_size=moving.world_pixel_size,
        )
        return f"Wrote {file}." if second is None else f"Wrote {file} and {second.name}."

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Channels of the moving slide that can be chosen; none where they are the colours of one picture."""
        moving = self.session.moving
        if moving is None or moving.slide.is_rgb or len(moving.slide.channels) < 2:
            return ()
        return tuple(channel.name for channel in moving.slide.channels)

    def write_warped(
        self, path: str | Path, output: Output, compression: str | None = None
    ) -> Callable[[Progress], str]:
        """Return the call that writes the moving slide in the fixed slide's frame.

        Parameters
        ----------
        path : path-like
            Ends in .ome.tif or .ome.zarr.
        output : Output
            What is asked of it.
        compression : str, optional
            Of the tiles; chosen by the pixels by default.

        Raises
        ------
        ValueError
            No channel is chosen.
        """
        if output.channels is not None and not output.channels:
            raise ValueError("No channel is chosen. Tick those to be written.")
        warped = aligned_slide(*self.slides(), self.session.fixed_to_moving, output)
        vouch = self.voucher()

        def call(progress: Progress) -> str:
            vouch(progress)
            return f"Wrote {write_slide(warped, path, compression=compression, progress=progress)}."

        return call

    def _judged_fit(self) -> tuple[VerdictWord, tuple[str, ...]]:
        fixed, fit = self.slides()[0], self.session.state.fit
        assert fit is not None
        return judge_fit(fit, float(np.hypot(*fixed.size)), fixed.unit)

    def voucher(self) -> Callable[[Progress], None]:
        """Return the call that raises `RegistrationError` where what is shown must not be written.

        A placement by hand has no verdict yet: its images are compared then.
        """
        if self.result_obstacle is not None:
            raise ValueError(self.result_obstacle)
        state, slides = self.session.state, self.slides()
        judged = self.even_if_refused or state.fit is not None or state.registration is not None

        def vouch(progress: Progress) -> None:
            if judged:
                return
            progress(0.0, "judging the alignment")
            if judge_transform(*slides, state.fixed_to_moving, progress=silent).word == "refused":
                raise RegistrationError(REFUSED)

        return vouch

    def slides(self) -> tuple[Slide, Slide]:
        """Return the fixed and the moving slide.

        Raises
        ------
        ValueError
            They are not chosen.
        """
        fixed, moving = self.session.fixed, self.session.moving
        if fixed is None or moving is None or not self.session.is_ready:
            raise ValueError("Choose a fixed and a moving slide first.")
        return fixed.slide, moving.slide


def _frame(slide: Slide) -> SlideFrame:
    return SlideFrame(slide.pixel_size_um, slide.shape, name=slide.name)
