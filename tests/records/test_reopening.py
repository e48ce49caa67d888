"""The slides of a record are found again, and only they."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from napari_histreg.errors import DamagedFile, RegistrationError
from napari_histreg.records.record import Outcome, Registration, SlideRecord
from napari_histreg.records.reopening import reopen_fixed, reopen_moving, require_result
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Translation


@pytest.fixture
def record(tmp_path):
    rng = np.random.default_rng(0)
    sides = []
    for name in ("fixed", "moving"):
        path = tmp_path / f"{name}.png"
        Image.fromarray(rng.integers(0, 255, (40, 50, 3), np.uint8)).save(path)
        with open_slide(path, pixel_size_um=0.5) as slide:
            sides.append(SlideRecord.of(slide))
    return Registration(*sides, Outcome(Translation.of((1, 2)), "accepted"), "sift")


def refused(record, transform):
    return replace(record, outcome=Outcome(transform, "refused", reasons=("Nothing agrees.",)))


def test_both_open_with_the_pixel_size_that_they_had(record):
    with reopen_fixed(record) as fixed, reopen_moving(record) as moving:
        assert fixed.path == record.fixed.path
        assert moving.pixel_size_um == (0.5, 0.5)


def test_a_file_that_has_moved_is_asked_for_and_taken(record, tmp_path):
    (tmp_path / "moving.png").rename(tmp_path / "elsewhere.png")
    with pytest.raises(DamagedFile, match="not there any more") as raised:
        reopen_moving(record)
    assert raised.value.wants == "moving slide"
    with reopen_moving(record, str(tmp_path / "elsewhere.png")) as slide:
        assert slide.shape == (40, 50)


def test_another_slide_is_not_taken_for_it(record, tmp_path):
    with pytest.raises(DamagedFile, match="its content is another"):
        reopen_moving(record, str(tmp_path / "fixed.png"))


def test_what_was_no_file_is_asked_for(record):
    nowhere = replace(record, fixed=replace(record.fixed, path=None))
    with pytest.raises(DamagedFile, match="was not a file"):
        reopen_fixed(nowhere)


def test_a_refused_guess_is_used_only_where_that_is_asked_for(record):
    guess = refused(record, Translation.of((1, 2)))
    with pytest.raises(RegistrationError, match="Nothing agrees"):
        require_result(guess)
    require_result(guess, even_if_refused=True)
    with pytest.raises(RegistrationError):
        require_result(refused(record, None), even_if_refused=True)
