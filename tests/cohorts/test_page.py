"""The page of a cohort: what needs a person first, everything escaped, small with a thousand cases."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from napari_histreg.cohorts.case import Case, CaseSlide
from napari_histreg.cohorts.note import CaseNote
from napari_histreg.cohorts.page import cohort_page, histogram
from napari_histreg.cohorts.results import mqc_values

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def a_thousand(tmp_path):
    rng = np.random.default_rng(0)
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (112, 224, 3), np.uint8)).save(buffer, "jpeg", quality=62)
    slides = (CaseSlide(path="a", role="fixed"), CaseSlide(path="b", role="moving"))
    cases, notes = [], []
    for k in range(1000):
        name = HOSTILE if k == 7 else f"K {k}"
        state = ("failed", "refused", "doubtful")[k] if k < 3 else "accepted"
        cases.append(Case(number=k + 1, name=name, slides=slides))
        notes.append(
            CaseNote(name=name, state=state, reason=HOSTILE, error=float(rng.lognormal()), unit="um")
        )
        if k != 7:
            (tmp_path / name).mkdir()
            (tmp_path / name / "thumbnail.jpg").write_bytes(buffer.getvalue())
            (tmp_path / name / "report.html").touch()
    return cases, notes, tmp_path


def test_a_thousand_cases_stay_small_and_sorted(a_thousand):
    cases, notes, folder = a_thousand
    page = cohort_page(cases, notes, folder)
    assert len(page.encode()) < 10e6
    names = re.findall(r'data-key="case" data-value="([^"]*)"', page)
    assert names[:3] == ["K 0", "K 1", "K 2"]
    errors = [float(value) for value in re.findall(r'data-key="error" data-value="([^"]+)"', page)]
    assert errors[3:] == sorted(errors[3:], reverse=True)
    # Noise is the worst that a picture can be; what is left out is at the end.
    pictures = [match.start() for match in re.finditer("data:image/jpeg", page)]
    assert len(pictures) > 200
    assert 'href="K%200/report.html"' in page


def test_nothing_from_outside_becomes_markup_or_is_fetched(a_thousand):
    page = cohort_page(*a_thousand)
    assert HOSTILE not in page
    assert "default-src 'none'" in page
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_far_errors_do_not_squeeze_the_others():
    bars = histogram([1.0, 1.1, 1.2, 1.3, 2.0, 500.0])
    assert sum(bar.count for bar in bars) == 6
    assert sum(bar.count > 0 for bar in bars) >= 4
    assert bars[-1].count == 1
    assert histogram([]) == []
    assert [bar.count for bar in histogram([0.0, 0.0])] == [2]


def test_the_summary_for_multiqc(a_thousand):
    found = mqc_values(a_thousand[1])
    assert found["id"]
    assert set(found["data"]["K 1"]) == set(found["headers"])
    assert "µm" in found["headers"]["error"]["title"]
