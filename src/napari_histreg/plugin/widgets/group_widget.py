"""Many slides at once: their list, a run over all, the graph of links, a slider through them."""

import weakref
from collections.abc import Iterator
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QProgressBar, QWidget

from napari_histreg.groups import GroupRegistration
from napari_histreg.plugin.models.group_model import GroupModel
from napari_histreg.plugin.models.group_options import place_among
from napari_histreg.plugin.models.group_overlays import GroupOverlays
from napari_histreg.plugin.models.group_words import headline, remarks, tone
from napari_histreg.plugin.steps import Steps
from napari_histreg.plugin.viewer.group_layers import hide_overlay, lay_group, show_only
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.group_files import GroupFiles
from napari_histreg.plugin.widgets.group_form import GroupForm
from napari_histreg.plugin.widgets.group_graph import GroupGraphView
from napari_histreg.plugin.widgets.group_slider import GroupSlider
from napari_histreg.plugin.widgets.group_table import GroupTable
from napari_histreg.plugin.widgets.parts import (
    Scrolled,
    button,
    column,
    fill,
    follow,
    note,
    row,
    set_allowed,
)
from napari_histreg.plugin.worker import Task
from napari_histreg.registration import Registration
from napari_histreg.slides import Slide

__all__ = ["GroupWidget"]


class GroupWidget(QWidget):
    """Align all slides that are open to one frame.

    Parameters
    ----------
    napari_viewer : napari.Viewer

    Attributes
    ----------
    pair_opened : Signal(object)
        The two slides of a link were chosen; carries the pair's own registration.
    """

    pair_opened = Signal(object)

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self._viewer = weakref.ref(getattr(napari_viewer, "__wrapped__", napari_viewer))
        self._sync = layer_sync_of(napari_viewer)
        self.model = GroupModel(self._sync.session)
        self.task: Task | None = None
        self._link: int | None = None
        self._known: tuple[GroupRegistration | None, frozenset[int]] = (None, frozenset())
        self.steps = Steps()
        self._build(napari_viewer)
        follow(self, self.model.changed, self._show)
        follow(self, self.model.progressed, self._show_progress)
        follow(self, self._sync.slides_changed, self._show_slides)
        follow(self, self._sync.session.events.state_changed, self._on_pairs)
        self._show_slides()

    def _build(self, viewer: Any) -> None:
        self.table = GroupTable()
        self.form = GroupForm(self.model)
        self.files = GroupFiles(viewer, self._sync, self.model, self.table)
        self.run_button = button(
            "Run all", "Align all ticked slides to one frame; pairs that are done are used again", self.run
        )
        self.cancel_button = button("Cancel", "Stop; pairs that are done are kept", self.cancel)
        self.lay_button = button("Show all", "Lay all slides as the last run found them", self.lay)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.stage_name, self.headline, self.remarks, self.link_words = note(), note(), note(), note()
        self.graph = GroupGraphView()
        self.sections = GroupSlider(viewer, self._sync, self.steps)
        inner = QWidget()
        layout = column(inner, margin=0)
        layout.addWidget(self.table)
        layout.addWidget(self.files.join_row)
        layout.addWidget(self.form)
        layout.addLayout(row(self.run_button, self.cancel_button, self.lay_button))
        for part in (self.progress, self.stage_name, self.headline, self.graph, self.link_words):
            layout.addWidget(part)
        layout.addWidget(self.sections)
        layout.addWidget(self.remarks)
        layout.addWidget(self.files)
        layout.addStretch(1)
        column(self, margin=0).addWidget(Scrolled(inner), 1)
        self.table.ticked.connect(lambda k, on: self.model.include(self.model.listed[k], on))
        self.form.chosen.connect(self.model.changed.emit)
        self.files.record_opened.connect(self.lay)
        self.graph.link_clicked.connect(self.open_link)
        self.graph.slide_clicked.connect(self.sections.go_to)

    def run(self) -> None:
        """Align all ticked slides, in a thread."""
        if self.model.obstacle is not None:
            return
        self._link = None
        self.task = Task(self.model.begin(), self, notify=False)
        self.task.progressed.connect(self.model.report)
        self.task.returned.connect(self._take)
        self.task.failed.connect(self.model.fail)
        self.task.cancelled.connect(self.model.cancel)
        self.task.start()

    def cancel(self) -> None:
        """Stop the run."""
        if self.task is not None and self.task.is_running:
            self.task.cancel()
            self.model.stop()

    def lay(self) -> None:
        """Lay all slides as the last run found them, one after the other while the window goes on."""
        if self.model.result is not None:
            self._link = None
            self.steps.begin(lay_group(self._sync, self.model.result, self.model.members), self._laid)

    def open_link(self, link: int) -> None:
        """Choose the two slides of a link, and lay them as the pair by itself was aligned."""
        found = self.model.pair(link)
        if found is None:
            return
        fixed, moving, registration = found
        if any(place_among(self._sync.slides, slide) is None for slide in (fixed, moving)):
            fill(self.link_words, "One of the two slides is no longer open.", tone="doubt")
            return
        self._link = link
        self.steps.begin(self._opening(fixed, moving, registration), self._show)

    def _opening(self, fixed: Slide, moving: Slide, registration: Registration) -> Iterator[None]:
        hide_overlay(self._sync)
        yield
        yield from show_only(self._sync, (fixed, moving))
        self._sync.choose(fixed, moving)
        yield
        self.pair_opened.emit(registration)

    def _take(self, group: GroupRegistration) -> None:
        self.model.succeed(group)
        self.lay()

    def _laid(self) -> None:
        viewer = self._viewer()
        if viewer is not None:
            viewer.reset_view()
        self._show()

    def _show_slides(self) -> None:
        self.model.set_open(self._sync.slides)

    def _on_pairs(self, _state: Any = None) -> None:
        self._show()

    def _show(self) -> None:
        model = self.model
        self.table.show_rows(model.rows)
        self.form.show_options()
        self._set_sections()
        links = model.links
        self.graph.show_group(model.nodes, links, ordered=model.ordered, chosen=self._link)
        self.graph.setVisible(bool(links))
        set_allowed(self.run_button, model.obstacle)
        idle = {"idle": "Nothing is running.", "stopping": "It is stopping."}.get(model.state)
        set_allowed(self.cancel_button, idle)
        self.cancel_button.setText("Stopping …" if model.state == "stopping" else "Cancel")
        set_allowed(self.lay_button, None if model.result is not None else "There is no result yet.")
        self._show_progress()
        fill(self.headline, headline(model), tone=tone(model), bold=True)
        fill(self.link_words, "" if self._link is None or not links else links[self._link].words)
        fill(self.remarks, "\n".join(f"• {remark}" for remark in remarks(model)))
        self.files.show_state()

    def _show_progress(self) -> None:
        self.progress.setVisible(self.model.state != "idle")
        self.progress.setValue(round(1000 * self.model.fraction))
        fill(self.stage_name, self.model.message)

    def _set_sections(self) -> None:
        """Go through other slides, where there is another result or one of them has been closed."""
        group, open_now = self.model.result, self.model.open
        slides = {k: s for k, s in enumerate(self.model.members) if place_among(open_now, s) is not None}
        known, self._known = self._known, (group, frozenset(slides))
        if known[0] is group and known[1] == frozenset(slides):
            return
        if group is None:
            self.sections.set_group(None, {})
        else:
            self.sections.set_group(GroupOverlays(group, slides), slides, group.template, self.model.nodes)

    def closeEvent(self, event: Any) -> None:
        """Stop what is running."""
        self.end()
        super().closeEvent(event)

    def end(self) -> None:
        """Stop what is running."""
        self.steps.stop()
        self.sections.end()
        if self.task is not None:
            self.task.wait()
