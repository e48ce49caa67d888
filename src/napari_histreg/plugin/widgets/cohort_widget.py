"""Cohort: many cases, their states while they are aligned, and the correction of those that need it."""

import weakref
from collections.abc import Callable
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QProgressBar, QWidget

from napari_histreg.errors import HistregError
from napari_histreg.plugin.models.cohort_model import CohortModel
from napari_histreg.plugin.models.export_model import ExportModel
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.case_table import CaseTable
from napari_histreg.plugin.widgets.parts import button, column, fill, follow, note, row, set_allowed
from napari_histreg.plugin.worker import Task

__all__ = ["CohortWidget"]

PLUGIN = "napari-histreg"
AGAIN = ("refused", "doubtful", "failed")


class CohortWidget(QWidget):
    """A table of cases, run and corrected here.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self._viewer = weakref.ref(viewer)
        self._sync = layer_sync_of(viewer)
        self._shown: list[Any] = []
        self.model = CohortModel()
        self.task: Task | None = None
        self._build()
        follow(self, self.model.changed, self._show)
        follow(self, self.model.rows_changed, self.table.read_all)
        follow(self, self.model.row_changed, self.table.read)
        follow(self, self._sync.session.events.slides_changed, self._show)
        self._show()

    def _build(self) -> None:
        self.open_button = button(
            "Open table …",
            "A .csv with the columns case, fixed, moving: see docs/how-to/cohorts.md",
            self._open,
        )
        self.folder_button = button(
            "Results …",
            "Where the results lie; the folder “results” beside the table by default",
            self._choose,
        )
        self.run_button = button("Run", "Align what is not done yet, or has changed since", self.run)
        self.again_button = button(
            "Again", "Run anew what is refused, doubtful or failed, but nothing made by hand", self.run_again
        )
        self.cancel_button = button("Cancel", "Stop; what is done is kept", self.cancel)
        self.table = CaseTable(self, self.model)
        self.table.opened.connect(self.open_case)
        self.write_button = button(
            "Write back as made by hand",
            "Put what is shown in the place of the program's result of the open case",
            self.write_back,
        )
        self.page_button = button("Show page", "All cases on one page, in the browser", self._show_page)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.where, self.summary, self.stage_name, self.case = note(), note(), note(), note()
        layout = column(self)
        layout.addLayout(row(self.open_button, self.folder_button))
        layout.addWidget(self.where)
        layout.addLayout(row(self.run_button, self.again_button, self.cancel_button))
        layout.addWidget(self.progress)
        layout.addWidget(self.stage_name)
        layout.addWidget(self.summary)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.case)
        layout.addLayout(row(self.write_button, self.page_button))

    def open(self, table: str, folder: str | None = None) -> None:
        """Open a table of cases, with what became of them in a folder of results."""
        self._start(self.model.open(table, folder), self.model.take)

    def run(self) -> None:
        """Align what is due."""
        if self.model.obstacle is None:
            self._start(self.model.begin(), self.model.succeed)

    def run_again(self) -> None:
        """Align again what did not convince."""
        if self.model.obstacle is None:
            self._start(self.model.begin(AGAIN), self.model.succeed)

    def cancel(self) -> None:
        """Stop what is running."""
        if self.task is not None and self.task.is_running:
            self.task.cancel()
            self.model.stop()

    def open_case(self, place: int) -> None:
        """Show a case in the place of the last: the pair with its result, or else its slides."""
        viewer, cohort = self._viewer(), self.model.cohort
        if viewer is None or cohort is None or self.model.state == "stopping":
            return
        for layer in self._shown:
            if layer in viewer.layers:
                viewer.layers.remove(layer)
        self._shown, self.model.open_case = [], None
        before = set(map(id, viewer.layers))
        try:
            for path in self.model.paths_to_open(place):
                viewer.open(path, plugin=PLUGIN)
        except (HistregError, OSError, ValueError) as error:
            show_error(str(error))
        self._shown = [layer for layer in viewer.layers if id(layer) not in before]
        if self._shown and len(cohort.cases[place].slides) == 2:
            self.model.open_case = cohort.cases[place].name
            self._choose_slides()
        viewer.reset_view()
        self._show()

    def write_back(self) -> None:
        """Write what is shown into the folder of the open case, and mark it as made by hand."""
        cohort, name = self.model.cohort, self.model.open_case
        if cohort is None or name is None or self._write_obstacle() is not None:
            return
        write = ExportModel(self._sync.session).write_folder(cohort.folder / name)
        self._start(self.model.begin_correction(write), self.model.take_correction)

    def _choose_slides(self) -> None:
        """Have the session work on the slides of the case, also where others are open."""
        mine = [slide for slide in self._sync.slides if self._is_mine(slide)]
        if len(mine) == 2:
            self._sync.choose(*mine)

    def _is_mine(self, slide: Any) -> bool:
        from napari_histreg.plugin.layers.slides import slide_of

        return any(slide_of(layer) is slide for layer in self._shown)

    def _write_obstacle(self) -> str | None:
        export = ExportModel(self._sync.session)
        chosen = (self._sync.fixed, self._sync.moving)
        if self.model.write_obstacle is not None:
            return self.model.write_obstacle
        if not all(slide is not None and self._is_mine(slide) for slide in chosen):
            return "The slides that are chosen are not those of the open case. Double-click it again."
        return export.obstacle

    def _start(self, call: Callable[..., Any], done: Callable[[Any], None]) -> None:
        self.task = Task(call, self)
        self.task.progressed.connect(self.model.report)
        self.task.returned.connect(done)
        self.task.failed.connect(self.model.finish)
        self.task.cancelled.connect(self.model.stopped)
        self.task.start()

    def _open(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Open a table of cases", "", "Tables (*.csv *.tsv *.txt)")
        if name:
            self.open(name)

    def _choose(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder of the results")
        if name and self.model.cohort is not None:
            self.open(str(self.model.cohort.table), name)

    def _show_page(self) -> None:
        if self.model.page is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.model.page.absolute())))

    def _show(self, *_: Any) -> None:
        model = self.model
        busy = None if model.state == "idle" else "It is running. Cancel it first."
        set_allowed(self.open_button, busy)
        for control in (self.run_button, self.again_button, self.folder_button):
            set_allowed(control, model.obstacle)
        idle = {"idle": "Nothing is running.", "stopping": "It is stopping."}
        set_allowed(self.cancel_button, idle.get(model.state))
        set_allowed(self.write_button, self._write_obstacle())
        set_allowed(self.page_button, None if model.page else "There is no page yet. Press Run.")
        self.progress.setVisible(model.state != "idle")
        self.progress.setValue(round(1000 * model.fraction))
        fill(self.stage_name, model.message)
        fill(self.summary, model.summary)
        fill(self.where, "" if model.cohort is None else f"{model.cohort.table} → {model.cohort.folder}")
        fill(self.case, "" if model.open_case is None else f"Open: {model.open_case}", bold=True)

    def closeEvent(self, event: Any) -> None:
        """Stop what is running."""
        if self.task is not None:
            self.task.wait()
        super().closeEvent(event)
