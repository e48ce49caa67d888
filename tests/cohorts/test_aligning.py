"""What is done for one case, and what lies in its folder then."""

import pytest

from napari_histreg.cohorts.aligning import align_case
from napari_histreg.cohorts.case import Case, CaseOptions, CaseSlide
from napari_histreg.cohorts.note import read_note
from napari_histreg.cohorts.task import Task
from napari_histreg.records.document import read_registration
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import write_slide


@pytest.fixture
def task(tmp_path):
    pair = phantom_pair(300, angle_deg=3.0)
    for name, slide in (("a", pair.fixed), ("b", pair.moving)):
        write_slide(slide, tmp_path / f"{name}.ome.tif")

    def make(*names, **settings):
        roles = ("fixed", *["moving"] * (len(names) - 1))
        slides = tuple(
            CaseSlide(path=f"/elsewhere/{n}.ome.tif", role=r) for n, r in zip(names, roles, strict=True)
        )
        options = CaseOptions(method="moments")
        case = Case(number=1, name="K 1", slides=slides, is_group=len(names) > 2, options=options)
        maps = (("/elsewhere", str(tmp_path)),)
        return Task(case=case, results=str(tmp_path / "results"), maps=maps, **settings)

    return make


def test_a_pair_with_its_page(task):
    asked = task("a", "b")
    note = align_case(asked)
    assert (note.state, note.unit) == ("accepted", "um")
    assert note.error < 5
    assert read_note(asked.folder) == note
    assert {path.name for path in asked.folder.iterdir()} >= {
        "case.json", "matrix.csv", "overlay.png", "registration.json", "report.html", "thumbnail.jpg",
    }  # fmt: skip
    # What is noted are the paths of whoever asks, with the pixels' fingerprints.
    assert [one.path for one in note.inputs] == ["/elsewhere/a.ome.tif", "/elsewhere/b.ome.tif"]
    assert note.inputs[0].fingerprint == read_registration(asked.folder).fixed.fingerprint

    # A later attempt that fails leaves nothing of the earlier one.
    failed = align_case(task("a", "nothing"))
    assert failed.state == "failed"
    assert "nothing.ome.tif" in failed.reason
    assert not failed.can_pass
    assert {path.name for path in asked.folder.iterdir()} == {"case.json"}


def test_files_that_are_not_ours_are_not_lost(task):
    asked = task("a", "b", report=False)
    asked.folder.mkdir(parents=True)
    (asked.folder / "matrix.csv").write_text("somebody's")
    note = align_case(asked)
    assert note.state == "failed"
    assert "matrix.csv" in note.reason
    assert (asked.folder / "matrix.csv").read_text() == "somebody's"
