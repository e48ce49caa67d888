"""A cohort in the window: run, looked at, corrected, all by the mouse and the keys of a person."""

import csv
import json

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from canvas_mouse import press, settle
from cohort_fakes import FAKE_WORKER
from napari_histreg.cohorts import RunSettings, read_cases, run_cohort
from napari_histreg.cohorts.attendance import end_children
from napari_histreg.plugin.layers.slides import slides_in
from napari_histreg.plugin.widgets.cohort_widget import CohortWidget
from napari_histreg.plugin.widgets.landmark_widget import LandmarkWidget
from small_demo import small_demo_pair

pytestmark = pytest.mark.qt

PAIRS = (
    "name,enabled,fixed_x_px,fixed_y_px,moving_x_px,moving_y_px\n"
    "a,true,10,10,11,12\nb,true,200,20,203,22\nc,true,30,210,31,214\nd,true,190,200,193,203\n"
)
BETTER = [([20.0, 25.0], [21.0, 26.0]), ([90.0, 30.0], [91.5, 31.5]), ([30.0, 95.0], [31.0, 96.5])]


@pytest.fixture
def cohort(cache):
    """Two cases of the same pair, and one whose slide is missing; nothing is aligned yet."""
    fixed, moving = small_demo_pair(cache)
    (cache / "pairs.csv").write_text(PAIRS)
    line = f"{fixed.name},{moving.name}"
    (cache / "cases.csv").write_text(
        f"case,fixed,moving,landmarks\nK1,{line},pairs.csv\nK2,{line},pairs.csv\nK3,{line[:-3]}x.tif,no.tif,\n"
    )
    yield cache / "cases.csv"
    end_children()


@pytest.fixture
def window(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1500, 900)
    widget = CohortWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Cohort", area="right")
    settle(0.3)
    yield viewer, widget
    widget.cancel()


def until(widget, ready, seconds=120):
    for _ in range(int(seconds / 0.05)):
        settle(0.05)
        if ready() and widget.model.state == "idle":
            return
    raise AssertionError(f"still waiting: {widget.model.state} {widget.model.message}")


def shown(widget, column=1):
    model = widget.table.model()
    names = [model.index(k, 0).data() for k in range(model.rowCount())]
    return dict(zip(names, (model.index(k, column).data() for k in range(model.rowCount())), strict=True))


def double_click(widget, name):
    model = widget.table.model()
    (row,) = (k for k in range(model.rowCount()) if model.index(k, 0).data() == name)
    place = widget.table.visualRect(model.index(row, 0)).center()
    for act in (QTest.mouseClick, QTest.mouseDClick):
        act(widget.table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    settle(0.4)


def test_run_open_correct_and_write_back(window, cohort):
    viewer, widget = window
    assert "Open a table" in widget.run_button.toolTip()
    widget.open(str(cohort))
    until(widget, lambda: len(shown(widget)) == 3)
    assert set(shown(widget).values()) == {"waiting"}

    seen = set()
    widget.model.row_changed.connect(lambda place: seen.add(widget.model.row(place).state))
    press(widget.run_button)
    until(widget, lambda: "running" not in shown(widget).values() and "waiting" not in shown(widget).values())
    assert "running" in seen, "states are shown while it runs"
    assert shown(widget) == {"K1": "accepted", "K2": "accepted", "K3": "failed"}
    assert "no.tif" in shown(widget, 4)["K3"] or "x.tif" in shown(widget, 4)["K3"]
    assert "3 cases" in widget.summary.text()
    assert (cohort.parent / "results" / "cohort.html").is_file()

    sort_by_state(widget)
    assert next(iter(shown(widget))) == "K3", "what needs a person comes first"

    correct(viewer, widget, "K2")
    assert shown(widget)["K1"] == "accepted"
    record = json.loads((cohort.parent / "results" / "K2" / "registration.json").read_text())
    assert record["method"] == "landmarks"
    rows = {line["case"]: line for line in csv.DictReader((cohort.parent / "results" / "cohort.csv").open())}
    assert (rows["K2"]["made_by"], rows["K1"]["made_by"]) == ("hand", "program")

    # Another case takes the place of this one, and nothing made by hand is run again.
    double_click(widget, "K1")
    assert len(slides_in(viewer.layers)) == 2
    assert widget.case.text() == "Open: K1"
    press(widget.again_button)
    until(widget, lambda: "run" in widget.stage_name.text())
    assert shown(widget)["K2"].endswith("by hand")


def sort_by_state(widget):
    head = widget.table.horizontalHeader()
    place = QPoint(head.sectionViewportPosition(1) + 8, head.height() // 2)
    QTest.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    settle(0.1)


def correct(viewer, widget, name):
    """Open a case, put other pairs in the place of its own, and write it back."""
    assert "Double-click a case" in widget.write_button.toolTip()
    double_click(widget, name)
    assert widget.case.text() == f"Open: {name}"
    assert len(slides_in(viewer.layers)) == 2
    desk = LandmarkWidget(viewer)
    viewer.window.add_dock_widget(desk, name="Landmarks", area="right")
    settle(0.3)
    session = desk.session
    assert session.is_ready
    assert len(session.landmarks) == 4, "the result comes with its pairs"
    while len(session.landmarks):
        session.delete_pairs([session.state.pair_ids[0]])
    for fixed, moving in BETTER:
        session.add_pair(fixed, moving)
    press(widget.write_button)
    until(widget, lambda: "by hand" in shown(widget)[name])


def test_a_case_that_failed_shows_what_can_be_shown(window, cohort):
    viewer, widget = window
    widget.open(str(cohort))
    until(widget, lambda: len(shown(widget)) == 3)
    double_click(widget, "K1")
    assert len(slides_in(viewer.layers)) == 2, "a case that was not run shows its slides"
    double_click(widget, "K3")
    assert len(slides_in(viewer.layers)) == 1, "the other is not there"
    assert not widget.write_button.isEnabled()


def test_cancel_keeps_what_is_done_and_a_second_run_goes_on(window, cache, monkeypatch):
    monkeypatch.setattr("napari_histreg.cohorts.attendance.WORKER", FAKE_WORKER)
    lines = ["case,fixed,moving"]
    for name in ("a", "slow", "b"):
        for side in ("f", "m"):
            (cache / f"{name}_{side}.tif").write_bytes(name.encode())
        lines.append(f"{name},{name}_f.tif,{name}_m.tif")
    (cache / "cases.csv").write_text("\n".join(lines) + "\n")
    _, widget = window
    widget.open(str(cache / "cases.csv"))
    until(widget, lambda: len(shown(widget)) == 3)
    press(widget.run_button)
    for _ in range(400):
        settle(0.05)
        if shown(widget)["slow"] == "running" and "accepted" in shown(widget).values():
            break
    press(widget.cancel_button)
    until(widget, lambda: True, seconds=30)
    assert "What was done is kept" in widget.stage_name.text()
    assert shown(widget)["slow"] == "waiting"
    assert "accepted" in shown(widget).values()
    end_children()


def test_a_thousand_cases_stay_usable(window, cache, monkeypatch):
    monkeypatch.setattr("napari_histreg.cohorts.attendance.WORKER", FAKE_WORKER)
    lines = ["case,fixed,moving", *(f"K{k},f.tif,m{k}.tif" for k in range(1000))]
    (cache / "cases.csv").write_text("\n".join(lines) + "\n")
    _, widget = window
    widget.open(str(cache / "cases.csv"))
    until(widget, lambda: len(shown(widget)) == 1000)
    assert widget.summary.text() == "1000 cases: 1000 waiting"


def test_a_bad_table_is_said(window, cache):
    (cache / "bad.csv").write_text("case,metod\n")
    _, widget = window
    widget.open(str(cache / "bad.csv"))
    until(widget, lambda: widget.model.message != "")
    assert "bad.csv" in widget.stage_name.text()
    assert not widget.run_button.isEnabled()


def test_corrections_from_elsewhere_are_taken_over(window, cohort):
    """Also those that were written by the export of another window."""
    _, widget = window
    run_cohort(read_cases(cohort)[:1], cohort.parent / "results", RunSettings(report=False))
    widget.open(str(cohort))
    until(widget, lambda: shown(widget).get("K1") == "accepted")
    assert shown(widget)["K2"] == "waiting"
