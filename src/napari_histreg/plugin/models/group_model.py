"""GroupModel: what the window thinks of many slides — which take part, how far a run is, what came of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from psygnal import Signal

from napari_histreg.groups import GroupRegistration, Link
from napari_histreg.groups.document import write_group
from napari_histreg.groups.hand_links import FEWEST_PAIRS, hand_links
from napari_histreg.groups.names import distinct_names
from napari_histreg.groups.registry import find_group_method
from napari_histreg.groups.run import run_group
from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.models.chosen_slide import slide_key
from napari_histreg.plugin.models.group_options import GroupOptions, place_among
from napari_histreg.plugin.models.group_rows import (
    LinkView,
    SlideRow,
    link_views,
    placed_row,
    running_row,
)
from napari_histreg.plugin.models.session import Session
from napari_histreg.plugin.user_folders import group_folder
from napari_histreg.progress import Progress
from napari_histreg.registration import Registration
from napari_histreg.slides import Slide
from napari_histreg.slides.fingerprint import fingerprint

__all__ = ["GroupModel"]

State = Literal["idle", "running", "stopping"]


class GroupModel:
    """Many slides of one specimen, and one run after the other over them.

    Parameters
    ----------
    session : Session
        Whose pairs, on whichever two slides they were clicked, count for the group.

    Attributes
    ----------
    changed : psygnal Signal
        Anything that is shown has changed.
    progressed : psygnal Signal
        Only how far a run is has changed.
    options : GroupOptions
        How the next run goes.
    folder : Path or None
        Where links are kept; chosen at the first run.
    result : GroupRegistration or None
        The last result, of the slides `members`.
    used : dict of (str, str) to int
        How many landmarks the last run took of each two slides, by their keys.
    """

    changed = Signal()
    progressed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.options = GroupOptions()
        self.folder: Path | None = None
        self.state: State = "idle"
        self.fraction = 0.0
        self.message = ""
        self.problem = ""
        self.result: GroupRegistration | None = None
        self.members: tuple[Slide, ...] = ()
        self.open: tuple[Slide, ...] = ()
        self._left_out: set[str] = set()
        self._running: tuple[Slide, ...] = ()
        self._arrived: list[Link] = []
        self._told = 0
        self.used: dict[tuple[str, str], int] = {}
        self._pairs: dict[int, Registration] = {}

    @property
    def included(self) -> tuple[Slide, ...]:
        """The slides that take part in the next run, in their order."""
        slides = [slide for slide in self.open if slide_key(slide) not in self._left_out]
        return self.options.arranged(slides)

    @property
    def is_running(self) -> bool:
        """Whether a run has begun and not ended."""
        return bool(self._running)

    @property
    def obstacle(self) -> str | None:
        """Why a run cannot be started now, with what to do; None where it can."""
        if self.state != "idle":
            return "It is running. Cancel it first."
        if len(self.included) < 2:
            return "Open two slides or more, and tick them in the list."
        return self.options.obstacle

    @property
    def shown(self) -> tuple[Slide, ...]:
        """The slides of the graph: those of a run or of its result, else those that take part."""
        return self._running or self.members or self.included

    @property
    def ordered(self) -> bool:
        """Whether the slides of the graph are sections in their order."""
        if self.result is None or self._running:
            return self.options.order != "none"
        return self.result.ordered

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the slides of the graph."""
        return distinct_names([slide.name for slide in self.shown])

    @property
    def nodes(self) -> tuple[SlideRow, ...]:
        """The slides of the graph, by their places."""
        names = self.names
        if self._running:
            return tuple(running_row(name, k, self._arrived) for k, name in enumerate(names))
        if self.result is None:
            return tuple(SlideRow(name) for name in names)
        return tuple(placed_row(self.result, k, name) for k, name in enumerate(names))

    @property
    def rows(self) -> tuple[SlideRow, ...]:
        """The slides that are open, those that take part first and in their order."""
        nodes, rows = self.nodes, []
        for slide in self.listed:
            at = place_among(self.shown, slide)
            row = SlideRow(slide.name) if at is None else nodes[at]
            if slide_key(slide) in self._left_out:
                row = replace(row, state=f"{row.state} (left out)", tone="off", included=False)
            rows.append(row)
        return tuple(rows)

    @property
    def listed(self) -> tuple[Slide, ...]:
        """The slides of the rows."""
        return (*self.included, *(s for s in self.open if slide_key(s) in self._left_out))

    @property
    def links(self) -> tuple[LinkView, ...]:
        """The links of the graph: those of the result, or as they come in."""
        if self._running:
            return link_views(tuple(self._arrived), self.names, "px")
        return () if self.result is None else link_views(self.result.links, self.names, self.result.unit)

    def set_open(self, slides: Sequence[Slide]) -> None:
        """Take note of which slides are open."""
        self.open = tuple(slides)
        frame = self.options.frame
        if isinstance(frame, Slide) and place_among(self.open, frame) is None:
            self.options.frame = "template"
        self.changed.emit()

    def include(self, slide: Slide, wanted: bool) -> None:
        """Let a slide take part in the next run, or not."""
        (self._left_out.discard if wanted else self._left_out.add)(slide_key(slide))
        self.changed.emit()

    def hand_landmarks(self) -> dict[tuple[Slide, Slide], Landmarks]:
        """Return the pairs that count, of every two slides that take part."""
        slides = self.included
        return {
            (slides[a], slides[b]): pairs.active()
            for (a, b), pairs in self.all_landmarks(slides).items()
            if len(pairs.active())
        }

    def all_landmarks(self, slides: Sequence[Slide]) -> dict[tuple[int, int], Landmarks]:
        """Return the pairs that were placed on every two of some slides, by their places, fixed first."""
        places = {slide_key(slide): k for k, slide in enumerate(slides)}
        return {
            (places[fixed], places[moving]): state.landmarks
            for (fixed, moving), state in self.session.pairings().items()
            if fixed in places and moving in places and len(state.landmarks)
        }

    def begin(self) -> Callable[[Progress], GroupRegistration]:
        """Start a run: return the call to be made in a thread, whose result is for `succeed`.

        Raises
        ------
        ValueError
            It cannot be started; the message says why.
        """
        if self.obstacle is not None:
            raise ValueError(self.obstacle)
        slides, options = self.included, self.options
        wishes, settings = options.wishes(slides), options.settings
        enough = {
            ends: pairs
            for ends, pairs in self.all_landmarks(slides).items()
            if len(pairs.active()) >= FEWEST_PAIRS
        }
        by_hand = hand_links(enough, [slide.name for slide in slides])
        self._running, self._arrived, self._told = slides, [], 0
        arrived = self._arrived
        self.used = {
            (slide_key(a), slide_key(b)): len(pairs) for (a, b), pairs in self.hand_landmarks().items()
        }
        self.state, self.fraction, self.message, self.problem = "running", 0.0, "starting", ""
        self.changed.emit()
        folder = self.folder

        def call(progress: Progress) -> GroupRegistration:
            kept = folder or group_folder([fingerprint(slide) for slide in slides])
            found = run_group(
                slides,
                wishes,
                settings,
                by_hand=by_hand,
                folder=kept,
                progress=progress,
                linked=arrived.append,
            )
            write_group(found, kept)
            self.folder = kept
            return found

        return call

    def report(self, fraction: float, message: str) -> None:
        """Take a report of progress."""
        self.fraction, self.message = fraction, message
        # Everything is worked out anew only where another pair is done.
        before, self._told = self._told, len(self._arrived)
        (self.changed if self._told != before else self.progressed).emit()

    def stop(self) -> None:
        """Note that the run was asked to stop."""
        if self.state == "running":
            self.state = "stopping"
            self.changed.emit()

    def succeed(self, group: GroupRegistration) -> None:
        """Take the result, which belongs to the slides that took part, whatever is open by now."""
        self.members = self._running
        self._pairs.clear()
        self.result = group
        self._rest()
        self.changed.emit()

    def fail(self, sentence: str) -> None:
        """Take the sentence of an error; the result before stays."""
        self._rest()
        self.problem = sentence
        self.changed.emit()

    def cancel(self) -> None:
        """Note that the run has ended without a result."""
        done = len(self._arrived)
        self._rest()
        self.problem = f"Cancelled. The slides lie as before; {done} pairs are kept for the next run."
        self.changed.emit()

    def restore(self, group: GroupRegistration | None, members: Sequence[Slide]) -> None:
        """Take over a result of another sitting."""
        self.members = tuple(members)
        self.result = group
        self._pairs.clear()
        self.used = {}
        if group is not None:
            for link in group.links:
                if link.by_hand and link.outcome.landmarks is not None:
                    ends = slide_key(members[link.fixed]), slide_key(members[link.moving])
                    self.used[ends] = self.used[ends[::-1]] = len(link.outcome.landmarks)
        self.changed.emit()

    def pair(self, link: int) -> tuple[Slide, Slide, Registration] | None:
        """Return the two slides of a link and the pair's own registration; None while there is no result."""
        if self.result is None or self._running:
            return None
        found = self.result.links[link]
        if link not in self._pairs:
            self._pairs[link] = self._registration(self.result, found)
        return self.members[found.fixed], self.members[found.moving], self._pairs[link]

    def _registration(self, group: GroupRegistration, link: Link) -> Registration:
        by_pairs = "auto" if find_group_method(group.method) else group.method
        return Registration(
            fixed=group.members[link.fixed].slide,
            moving=group.members[link.moving].slide,
            outcome=link.outcome,
            method="landmarks" if link.by_hand else by_pairs,
            parameters=group.parameters,
            versions=group.versions,
        )

    def _rest(self) -> None:
        self.state, self.fraction, self.message, self.problem = "idle", 0.0, "", ""
        self._running, self._arrived = (), []
