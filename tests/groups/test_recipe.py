import numpy as np
import pytest

from group_truth import placed
from napari_histreg.errors import Cancelled, WriteError
from napari_histreg.groups import linking, register_group
from napari_histreg.groups.recipe import natural_order
from napari_histreg.samples.stack import phantom_stack
from napari_histreg.slides import open_slide

STACK = phantom_stack(4, size_px=256, pixel_size_um=20.0, seed=1)
WASHED_OFF = open_slide(np.full((256, 256, 3), 240, np.uint8), pixel_size_um=20.0, name="section 003")
SLIDES = (*STACK.slides[:2], WASHED_OFF, *STACK.slides[3:])
POINTS = np.stack(np.meshgrid([2000.0, 2560.0, 3000.0], [2000.0, 2560.0, 3000.0]), -1).reshape(-1, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def group(folder):
    return register_group(SLIDES, order="given", model="rigid", folder=folder)


def test_sections_are_placed_over_one_that_is_washed_off(group):
    assert [group.verdict(k) for k in range(4)] == ["accepted", "accepted", "refused", "accepted"]
    assert set(placed(group.members)) == {0, 1, 3}
    for k in (0, 1, 3):
        away = group.between(0, k)(POINTS) - STACK.between(0, k)(POINTS)
        assert np.linalg.norm(away, axis=1).max() < 1.5 * 20.0


def test_the_record_tells_how_it_went(group, folder):
    assert [step.name for step in group.steps] == ["look", "choose", "link", "solve"]
    assert group.ordered
    assert group.template == 1
    assert all((folder / link.folder / "registration.json").is_file() for link in group.links)
    assert (1, 3) in [link.ends for link in group.links]


def test_what_was_aligned_is_used_again(group, folder, monkeypatch):
    aligned = []
    real = linking.register

    def counted(fixed, moving, **wishes):
        aligned.append((fixed.name, moving.name))
        return real(fixed, moving, **wishes)

    monkeypatch.setattr(linking, "register", counted)
    again = register_group(SLIDES, order="given", model="rigid", folder=folder)
    assert aligned == []
    for k in group.placed:
        assert np.allclose(again.to_frame(k)(POINTS), group.to_frame(k)(POINTS), atol=1e-6)
    # One pair taken away, as where a run was killed: only that one is aligned.
    kept = folder / group.links[0].folder / "link.json"
    kept.unlink()
    register_group(SLIDES, order="given", model="rigid", folder=folder)
    assert len(aligned) == 1
    assert kept.is_file()
    # Other settings are other links.
    register_group(SLIDES[:2], order="given", folder=folder, sharpen=False)
    assert len(aligned) == 2


def test_a_damaged_link_on_disk_is_aligned_anew(group, folder):
    (folder / group.links[0].folder / "registration.json").write_text("{", encoding="utf-8")
    again = register_group(SLIDES[:2], order="given", folder=folder)
    assert again.verdict(1) == "accepted"


def test_landmarks_that_a_person_changed_are_not_overwritten(group, folder):
    table = folder / group.links[0].folder / "landmarks.csv"
    before = table.read_text(encoding="utf-8")
    table.write_text(before + "\n", encoding="utf-8")
    with pytest.raises(WriteError, match=r"landmarks\.csv was changed.*Move it away"):
        register_group(SLIDES[:2], order="given", folder=folder, sharpen=False)
    assert table.read_text(encoding="utf-8") == before + "\n"


def test_stopping_stops_all_pairs():
    told = []

    def stop(fraction, message):
        told.append(fraction)
        if fraction > 0.1:
            raise Cancelled

    with pytest.raises(Cancelled):
        register_group(SLIDES, order="given", progress=stop)
    assert max(told) < 0.9


def test_wishes_that_cannot_be_met_are_named():
    with pytest.raises(ValueError, match="two slides or more"):
        register_group(SLIDES[:1])
    with pytest.raises(ValueError, match="'size'"):
        register_group(SLIDES, order="size")
    with pytest.raises(ValueError, match=r"no slide 'he'.*section 001"):
        register_group(SLIDES, frame="he")
    with pytest.raises(ValueError, match="slide 9"):
        register_group(SLIDES, frame=9)
    with pytest.raises(ValueError, match="no method 'magic'"):
        register_group(SLIDES[:2], method="magic")


def test_names_are_sorted_as_people_do():
    names = ["slide 10", "slide 9", "Slide 1", "a"]
    assert [names[k] for k in natural_order(names)] == ["a", "Slide 1", "slide 9", "slide 10"]
