"""ExportModel: what there is to write, and how each of it is written."""

from collections.abc import Callable
from pathlib import Path

from napari_histreg.landmarks import DIALECTS, write_landmarks
from napari_histreg.plugin.models.session import Session
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.quality.report import write_report
from napari_histreg.records.document import write_registration
from napari_histreg.records.record import Outcome, SlideRecord
from napari_histreg.registration import Registration
from napari_histreg.registration.automatic.verdict import judge_transform
from napari_histreg.registration.by_landmarks import judge_fit
from napari_histreg.registration.folder import write_folder
from napari_histreg.slides import Slide, write_slide
from napari_histreg.transforms import Affine
from napari_histreg.transforms.formats import SlideFrame, write_transform
from napari_histreg.warping import Output, aligned_slide

__all__ = ["ExportModel"]


class ExportModel:
    """Writes what a session holds.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def obstacle(self) -> str | None:
        """Why nothing can be written; None where it can."""
        if not self.session.is_ready:
            return "Choose a fixed and a moving slide first."
        if self.session.origin == "initial" and self.session.fixed_to_moving == Affine.identity():
            return "The slides are not aligned yet. Click pairs, or run an automatic method."
        return None

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
        fixed, moving = self._slides()
        state = self.session.state
        if state.origin == "automatic" and state.registration is not None:
            return state.registration
        landmarks = state.landmarks if len(state.landmarks.active()) else None
        if state.fit is not None:
            method, parameters = "landmarks", {"model": state.fit.model}
            height, width = fixed.size
            word, reasons = judge_fit(state.fit, float(abs(complex(height, width))), fixed.unit)
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
        """Return the call that writes the folder that ``histreg register`` writes."""
        fixed, moving = self._slides()

        def call(progress: Progress) -> str:
            progress(0.0, "judging the alignment")
            record = self.record(portion(progress, 0.0, 0.6))
            progress(0.6, "drawing the overlay")
            files = write_folder(record, folder, fixed, moving)
            return f"Wrote {len(files)} files into {folder}."

        return call

    def write_record(self, path: str | Path) -> Callable[[Progress], str]:
        """Return the call that writes registration.json."""
        self._slides()

        def call(progress: Progress) -> str:
            write_registration(self.record(progress), path)
            return f"Wrote {path}."

        return call

    def write_report(self, path: str | Path) -> Callable[[Progress], str]:
        """Return the call that writes the report; pairs that only measure the alignment are its landmarks."""
        fixed, moving = self._slides()
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
        fixed, moving = (_frame(slide) for slide in self._slides())
        transform = self.session.fixed_to_moving

        def call(progress: Progress) -> str:
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
        fixed, moving = self._slides()
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
        warped = aligned_slide(*self._slides(), self.session.fixed_to_moving, output)

        def call(progress: Progress) -> str:
            return f"Wrote {write_slide(warped, path, compression=compression, progress=progress)}."

        return call

    def _slides(self) -> tuple[Slide, Slide]:
        fixed, moving = self.session.fixed, self.session.moving
        if fixed is None or moving is None or not self.session.is_ready:
            raise ValueError("Choose a fixed and a moving slide first.")
        return fixed.slide, moving.slide


def _frame(slide: Slide) -> SlideFrame:
    return SlideFrame(slide.pixel_size_um, slide.shape, name=slide.name)
