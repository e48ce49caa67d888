import json
from itertools import combinations

import jsonschema
import numpy as np
import pytest

from group_truth import Truth, record
from napari_histreg.errors import DamagedFile, RegistrationError
from napari_histreg.groups.assembly import assemble
from napari_histreg.groups.document import is_group, read_group, to_json, write_group
from napari_histreg.groups.group import GroupRegistration
from napari_histreg.groups.schema import json_schema
from napari_histreg.groups.wishes import Wishes
from napari_histreg.records.document import write_registration
from napari_histreg.records.record import Step

POINTS = np.random.default_rng(0).uniform(0, 1000, (20, 2))


def made(*, refused=None):
    """A group of five, one of them perhaps without a place."""
    truth = Truth.random(5)
    links = [
        truth.link(i, j, verdict="refused" if refused in (i, j) else "accepted")
        for i, j in combinations(range(5), 2)
    ]
    found = assemble(truth.slides, links, Wishes(frame=0))
    steps = (Step("solve", {"model": "affine"}, {"loops": np.int64(10), "noise": [np.nan]}, (), 0.5),)
    return GroupRegistration(
        found.members,
        found.links,
        found.loops,
        "template",
        0,
        False,
        "affine",
        noise=found.noise,
        steps=steps,
    )


@pytest.mark.parametrize("refused", [None, 2])
def test_written_and_read_back_it_is_the_same(tmp_path, refused):
    written = made(refused=refused)
    path = write_group(written, tmp_path / "case")
    assert path == tmp_path / "case" / "group.json"
    assert is_group(path)
    assert is_group(path.parent)
    read = read_group(path.parent)
    assert read.names == written.names
    assert read.placed == written.placed == tuple(k for k in range(5) if k != refused)
    for k in read.placed:
        assert np.allclose(read.to_frame(k)(POINTS), written.to_frame(k)(POINTS))
        assert read.members[k].reasons == written.members[k].reasons
    assert [link.state for link in read.links] == [link.state for link in written.links]
    assert read.loops == written.loops
    assert to_json(read) == to_json(written)


@pytest.mark.parametrize("refused", [None, 2])
def test_the_file_obeys_its_own_schema(refused):
    jsonschema.validate(json.loads(to_json(made(refused=refused))), json_schema())


def test_matrices_map_pixels_of_the_template():
    group = made()
    values = json.loads(to_json(group))
    matrix = np.array(values["slides"][3]["matrix_px"]["fixed_to_moving"])
    assert np.allclose((matrix @ [30, 20, 1])[:2], group.frame_to(3)([[20.0, 30.0]])[0][::-1])


def test_through_the_frame_is_from_slide_to_slide():
    group, truth = made(), Truth.random(5)
    assert np.allclose(group.between("s1.tif", 4)(POINTS), truth.between(1, 4)(POINTS), atol=1e-6)
    pair = group.pair(1, 4)
    assert (pair.verdict, pair.fixed.name, pair.moving.name) == ("accepted", "s1.tif", "s4.tif")
    assert np.allclose(pair.fixed_to_moving(POINTS), group.between(1, 4)(POINTS))


def test_a_refused_slide_has_no_transform():
    group = made(refused=2)
    with pytest.raises(RegistrationError, match=r"s2\.tif has no place"):
        group.to_frame(2)
    assert group.pair(0, 2).verdict == "refused"
    assert not group.pair(0, 2).has_transform


def test_slides_are_found_by_place_and_name():
    group = made()
    assert [group.index(k) for k in (3, "s3.tif", "3")] == [3, 3, 3]
    with pytest.raises(ValueError, match=r"no slide 'he'.*s0\.tif, s1\.tif"):
        group.index("he")


def spoilt(change):
    values = json.loads(to_json(made()))
    change(values)
    return json.dumps(values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v.update(format="something else"), "is not a group"),
        (lambda v: v.update(version=9), "version 9"),
        (lambda v: v["slides"][1].update(confidence=7), r"slides\.1\.confidence"),
        (lambda v: v["links"][0].update(moving=99), "names slide 99"),
        (lambda v: v.update(template=5), "names slide 5"),
        (lambda v: v["slides"][1].update(frame_to_slide=None), "does not say where it lies"),
        (lambda v: v["slides"][1].update(frame_to_slide={"kind": "magic"}), "no usable transform"),
        (lambda v: v["slides"][0].update(verdict="refused"), "a slide that it refuses"),
        (lambda v: v["slides"][0]["slide"].update(width_px=0), r"slides\.0\.slide\.width_px"),
    ],
)
def test_damaged_files_are_refused_with_the_place(tmp_path, change, words):
    (tmp_path / "group.json").write_text(spoilt(change), encoding="utf-8")
    with pytest.raises(DamagedFile, match=words):
        read_group(tmp_path)


def test_other_files_are_no_groups(tmp_path):
    assert not is_group(tmp_path / "nothing.json")
    (tmp_path / "x.json").write_text("[1, 2", encoding="utf-8")
    assert not is_group(tmp_path / "x.json")
    write_registration(made().pair(0, 1), tmp_path / "registration.json")
    assert not is_group(tmp_path / "registration.json")
    with pytest.raises(DamagedFile, match="nothing") as error:
        read_group(tmp_path / "nothing")
    assert error.value.wants == "group"


def test_names_that_occur_twice_are_told_apart():
    truth = Truth.random(3)
    slides = tuple(record(k, name="Scan.svs" if k else "scan.svs") for k in range(3))
    found = assemble(slides, truth.links(combinations(range(3), 2)))
    group = GroupRegistration(found.members, found.links, found.loops, "template", 0, False, "affine")
    assert group.names == ("scan.svs (1)", "Scan.svs (2)", "Scan.svs (3)")
