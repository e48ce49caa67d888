"""A page and its numbers lie beside one another, and replace nothing that is not ours."""

import json

import pytest

from napari_histreg.errors import WriteError
from napari_histreg.quality.report_files import FORMATS, report_paths, write_page


def test_numbers_that_json_does_not_know_become_null(tmp_path):
    values = {"format": FORMATS[0], "a": [float("nan"), {"b": float("inf")}], "c": (1, 2.5)}
    page, twin = write_page(tmp_path / "r.html", "<p>", values)
    assert page.read_text() == "<p>"
    assert json.loads(twin.read_text()) == {"format": FORMATS[0], "a": [None, {"b": None}], "c": [1, 2.5]}


@pytest.mark.parametrize("form", FORMATS)
def test_an_earlier_report_may_be_replaced(tmp_path, form):
    write_page(tmp_path / "r.html", "old", {"format": form})
    write_page(tmp_path / "r.html", "new", {"format": FORMATS[0]})
    assert (tmp_path / "r.html").read_text() == "new"


@pytest.mark.parametrize("content", ['{"mine": 1}', "no json", ""])
def test_what_is_not_ours_stays(tmp_path, content):
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(WriteError, match="would be lost"):
        write_page(tmp_path / "r.html", "<p>", {"format": FORMATS[0]})
    assert (tmp_path / "r.json").read_text() == content
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("name", ["r.json", "R.JSON"])
def test_a_page_is_no_json_file(tmp_path, name):
    with pytest.raises(WriteError, match=r"\.html"):
        report_paths(tmp_path / name)
