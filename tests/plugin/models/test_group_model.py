from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from group_truth import Truth
from napari_histreg.errors import DamagedFile
from napari_histreg.groups.assembly import assemble
from napari_histreg.groups.group import GroupRegistration
from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.models import ChosenSlide, Session
from napari_histreg.plugin.models.chosen_slide import slide_key
from napari_histreg.plugin.models.group_file import read_group_session, write_group_session
from napari_histreg.plugin.models.group_graph import lay_out
from napari_histreg.plugin.models.group_model import GroupModel
from napari_histreg.plugin.models.group_overlays import GroupOverlays
from napari_histreg.plugin.models.group_rows import link_views
from napari_histreg.plugin.models.group_words import headline, remarks, tone
from napari_histreg.plugin.models.session_state import SessionState
from napari_histreg.progress import Cancelled, silent
from napari_histreg.slides import open_slide

TRUTH = Truth.random(4)
SPOTS = np.array([[200.0, 150.0], [800.0, 300.0], [500.0, 850.0]])


def grouped(*, refused=None, wrong=None, doubtful=None):
    """A result over four slides, without a pixel being looked at."""
    links = []
    for ends in combinations(range(4), 2):
        word = "refused" if refused in ends else "doubtful" if ends == doubtful else "accepted"
        off = TRUTH.between(*reversed(ends)) if ends == wrong else None
        links.append(TRUTH.link(*ends, verdict=word, wrong=off))
    found = assemble(TRUTH.slides, links)
    return GroupRegistration(
        found.members, found.links, found.loops, "template", found.template, False, "affine", noise=(1.0, 0.0)
    )


@pytest.fixture
def slides():
    rng = np.random.default_rng(0)
    return [
        open_slide(rng.integers(0, 255, (40, 50), np.uint8), pixel_size_um=2.0, name=f"s{k}.tif")
        for k in (10, 2, 1, 3)
    ]


@pytest.fixture
def model(slides, tmp_path):
    made = GroupModel(Session())
    made.folder = tmp_path
    made.set_open(slides)
    return made


def chosen(slide):
    return ChosenSlide(slide_key(slide), slide)


def test_slides_are_listed_in_their_order_and_can_be_left_out(model, slides):
    assert [row.name for row in model.rows] == ["s10.tif", "s2.tif", "s1.tif", "s3.tif"]
    model.options.order = "names"
    model.include(slides[3], False)
    assert [row.name for row in model.rows] == ["s1.tif", "s2.tif", "s10.tif", "s3.tif"]
    assert model.rows[3].state == "not aligned yet (left out)"
    assert [slide.name for slide in model.included] == ["s1.tif", "s2.tif", "s10.tif"]
    model.include(slides[0], False)
    model.include(slides[1], False)
    assert "two slides or more" in model.obstacle


def test_a_run_tells_how_far_each_slide_is_and_what_came_of_it(model, slides):
    model.begin()
    assert model.obstacle == "It is running. Cancel it first."
    assert {row.state for row in model.rows} == {"waiting"}
    group = grouped(refused=2)
    model._arrived += group.links[:3]
    model.report(0.3, "aligned 3 of 6 pairs")
    assert [row.state for row in model.rows] == [
        "2 of 3 pairs fit", "1 of 1 pairs fit", "0 of 1 pairs fit", "1 of 1 pairs fit",
    ]  # fmt: skip
    assert len(model.links) == 3
    assert model.pair(0) is None
    model.succeed(group)
    assert headline(model).startswith("3 of 4 slides placed")
    assert tone(model) == "bad"
    words = [row.state.partition(",")[0] for row in model.rows]
    assert words == ["accepted", "accepted", "refused", "accepted"]
    assert "µm" in model.rows[0].error
    assert "fits no other slide" in model.rows[2].reasons[0]


def test_a_slide_that_goes_during_the_run_does_not_spoil_the_result(model, slides):
    model.begin()
    model.set_open(slides[:3])
    assert len(model.rows) == 3
    model.succeed(grouped())
    assert len(model.nodes) == 4
    assert "No longer open: s3.tif." in remarks(model)
    added = open_slide(np.zeros((40, 50), np.uint8), name="new.tif")
    model.set_open([*slides, added])
    assert model.rows[-1].state == "not aligned yet"
    assert any("Run all aligns what is missing" in line for line in remarks(model))


def test_cancelling_and_failing_keep_the_result_before(model):
    model.begin()
    model.succeed(grouped())
    model.begin()
    model.stop()
    assert model.state == "stopping"
    model.cancel()
    assert headline(model).startswith("Cancelled. The slides lie as before")
    assert (tone(model), len(model.result.placed)) == ("doubt", 4)
    model.begin()
    model.fail("The disk is full.")
    assert (headline(model), tone(model)) == ("The disk is full.", "bad")
    assert model.obstacle is None


def test_the_call_stops_when_it_is_told_to(model):
    def stop(fraction, message):
        raise Cancelled

    with pytest.raises(Cancelled):
        model.begin()(stop)


def test_pairs_on_any_two_slides_count_from_three_on(model, slides):
    session = model.session
    session.choose(chosen(slides[2]), chosen(slides[0]))
    session.replace_landmarks(Landmarks.of(SPOTS[:2], SPOTS[:2]))
    session.choose(chosen(slides[1]), chosen(slides[3]))
    assert remarks(model) == ("s1.tif – s10.tif: 2 landmarks; from 3 on they count for the group.",)
    session.choose(chosen(slides[2]), chosen(slides[0]))
    session.add_pair(SPOTS[2], SPOTS[2])
    assert "3 landmarks. Run all lets them count" in remarks(model)[0]
    model.begin()
    model.succeed(grouped())
    assert remarks(model)[-1] == "s1.tif – s10.tif: 3 landmarks count for all slides."
    session.add_pair(SPOTS[2], SPOTS[2])
    assert "4 landmarks. Run all lets them count" in remarks(model)[-1]
    model.include(slides[0], False)
    assert not any("landmarks" in line for line in remarks(model))


def test_links_are_told_apart_by_what_became_of_them():
    group = grouped(wrong=(0, 3), doubtful=(1, 2))
    views = {view.ends: view for view in link_views(group.links, group.names, "um")}
    assert views[0, 3].sort == "contradicted"
    assert "loops contradict it" in views[0, 3].words
    # By itself doubtful, and confirmed by loops.
    assert views[1, 2].sort == "accepted"
    before = link_views([TRUTH.link(1, 2, verdict="doubtful")], group.names, "um")
    assert before[0].sort == "doubtful"
    refused = {
        view.sort for view in link_views(grouped(refused=1).links, group.names, "um") if 1 in view.ends
    }
    assert refused == {"refused"}
    little = replace(group.links[0], weight=0.2)
    assert link_views([little], group.names, "um")[0].sort == "doubtful"


@pytest.mark.parametrize("ordered", [True, False])
def test_every_link_and_slide_of_the_graph_is_found_where_it_is_drawn(ordered):
    group = grouped()
    links = link_views(group.links, group.names, "um")
    graph = lay_out(4, links, 260, 200, ordered=ordered)
    for k in range(4):
        x, y = graph.nodes[k]
        assert graph.node_at(x + 2, y - 2) == k
        assert 0 < x < 260
        assert 0 < y < 200
    neighbours = [k for k, link in enumerate(links) if link.ends in ((0, 1), (1, 2), (2, 3))]
    for k in neighbours:
        assert graph.link_at(*graph.middle(k)) == k
    assert graph.link_at(-40, -40) is None
    assert graph.node_at(-40, -40) is None


def test_a_sitting_is_read_back_as_it_was_written(model, slides, tmp_path):
    model.options.order, model.options.model, model.options.frame = "given", "rigid", slides[1]
    model.include(slides[3], False)
    model.begin()
    model.succeed(grouped())
    model.members = tuple(slides)
    model.session.remember(
        chosen(slides[0]), chosen(slides[2]), SessionState().with_landmarks(Landmarks.of(SPOTS, SPOTS))
    )
    write_group_session(tmp_path / "a.histreg.json", model)
    saved = read_group_session(tmp_path / "a.histreg.json")
    assert [record.name for record in saved.slides] == [slide.name for slide in slides]
    assert np.allclose(saved.landmarks[0, 2].fixed, SPOTS)
    other = GroupModel(Session())
    other.set_open(slides)
    saved.apply(other, slides)
    assert (other.options.order, other.options.model) == ("given", "rigid")
    assert other.options.frame is slides[1]
    assert [slide.name for slide in other.included] == ["s10.tif", "s2.tif", "s1.tif"]
    assert other.folder == model.folder
    assert other.result.placed == model.result.placed
    assert headline(other) == headline(model)
    text = (tmp_path / "a.histreg.json").read_text(encoding="utf-8")
    (tmp_path / "b.json").write_text(text.replace('"fixed": 0,', '"fixed": 9,', 1), encoding="utf-8")
    with pytest.raises(DamagedFile, match=r"b\.json names a slide that it does not list"):
        read_group_session(tmp_path / "b.json")


def test_sections_are_laid_over_the_neighbours_that_have_a_place():
    group = replace(grouped(refused=1), ordered=True)
    plane = np.zeros((1000, 1000), np.uint8)
    plane[300:600, 200:700] = 200
    slides = {k: open_slide(plane, pixel_size_um=1.0, name=f"s{k}.tif") for k in range(4)}
    overlays = GroupOverlays(group, slides)
    assert overlays.places == (0, 2, 3)
    assert [overlays.neighbours(k) for k in (0, 2, 3)] == [(None, 2), (0, 3), (2, None)]
    assert overlays.caption(2) == "s2.tif green, s0.tif red, s3.tif blue; grey where they agree"
    picture = overlays.begin(2)(silent)
    assert picture.shape == (900, 900, 3)
    assert picture.max() > 100
    unordered = GroupOverlays(replace(group, ordered=False), slides)
    assert unordered.neighbours(3) == (group.template, None)
