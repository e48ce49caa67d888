"""Cohorts of files that hold nothing, for a worker that does not read them."""

import pytest

from cohort_fakes import FAKE_WORKER
from napari_histreg.cohorts import Case, read_cases, run_cohort
from napari_histreg.cohorts.attendance import end_children
from napari_histreg.cohorts.events import Event
from napari_histreg.cohorts.settings import RunSettings


@pytest.fixture
def fake_worker(monkeypatch):
    monkeypatch.setattr("napari_histreg.cohorts.attendance.WORKER", FAKE_WORKER)
    yield FAKE_WORKER
    end_children()


@pytest.fixture
def make_cases(tmp_path):
    """Write a table and the slides that it names; gives the cases."""

    def make(*names: str) -> tuple[Case, ...]:
        lines = ["case,fixed,moving"]
        for name in names:
            for side in ("fixed", "moving"):
                file = tmp_path / f"{name}_{side}.tif"
                if not file.exists():
                    file.write_bytes(name.encode())
            lines.append(f"{name},{name}_fixed.tif,{name}_moving.tif")
        table = tmp_path / "cases.csv"
        table.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return read_cases(table)

    return make


@pytest.fixture
def run(tmp_path, fake_worker):
    """Run cases into ``results``; gives the result and the events."""

    def go(cases, **settings):
        events: list[Event] = []
        result = run_cohort(
            cases, tmp_path / "results", RunSettings(**{"workers": 1, **settings}), listeners=[events.append]
        )
        return result, events

    return go
