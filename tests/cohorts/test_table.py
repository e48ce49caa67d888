"""The table of cases, as people save it, and every fault in one message."""

import os
from pathlib import Path

import pytest

from napari_histreg.cohorts import CaseOptions, read_cases
from napari_histreg.cohorts.mounts import parse_path_maps, seen_from_there
from napari_histreg.cohorts.scan import find_pairs, write_pairs
from napari_histreg.errors import DamagedFile, WriteError


@pytest.fixture
def read(tmp_path):
    def go(text: str, **usual):
        table = tmp_path / "cases.csv"
        table.write_bytes(text.encode("utf-8-sig"))
        return read_cases(table, usual=CaseOptions(**usual))

    return go


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_as_a_spreadsheet_saves_it(read, tmp_path, separator):
    rows = [
        ("Case", "fixed", "moving", "method", "p.features", "channel", "landmarks", "age"),
        ("K 7", "a/he.svs", "/abs/if.tif", "sift", "500", "DAPI", "pairs.csv", "71"),
        ("", "b/he.svs", "b/if.ome.tif", "", "", "", "", ""),
    ]
    one, two = read("\r\n".join(separator.join(row) for row in rows) + "\r\n\r\n", method="orb")
    assert (one.number, one.name) == (1, "K 7")
    assert [slide.path for slide in one.slides] == [str(tmp_path / "a" / "he.svs"), "/abs/if.tif"]
    assert one.options.method == "sift"
    assert one.options.parameters == {"features": "500"}
    assert (one.options.fixed_channel, one.options.moving_channel) == ("DAPI", "DAPI")
    assert one.options.landmarks == str(tmp_path / "pairs.csv")
    assert (two.name, two.options.method) == ("if_on_he", "orb")


def test_the_cover_table_of_a_challenge(read):
    (case,) = read(",Target image,Source image,status\n0,t.jpg,s.jpg,training\n")
    assert [Path(slide.path).name for slide in case.slides] == ["t.jpg", "s.jpg"]


def test_slides_of_a_case_are_a_group(read):
    rows = ("K1,a.tif,,sift", "K1,b.tif,fixed,", "K1,c.tif,moving,", "K2,d.tif,,", "K2,e.tif,fixed,")
    group, pair = read("\n".join(("case,slide,role,method", *rows)))
    assert group.is_group
    assert [slide.role for slide in group.slides] == ["moving", "fixed", "moving"]
    assert group.options.method == "sift"
    assert not pair.is_group
    assert [Path(slide.path).name for slide in pair.slides] == ["e.tif", "d.tif"]


def test_all_faults_are_said_at_once(read):
    lines = [
        "case,fixed,moving,pixel_size,method",
        "a,f.tif,,0.5,",
        "../b,f.tif,m.tif,,",
        "c,f.tif,m.tif,-1,",
        "c,f.tif,m.tif,,nonsense",
        "C,f.tif,m.tif,,",
    ]
    with pytest.raises(DamagedFile) as error:
        read("\n".join(lines))
    for words in (
        "line 2: the cell moving is empty",
        "line 3: the case '../b' cannot be the name of a folder",
        "line 4: fixed_pixel_size",
        "line 5: method: There is no method 'nonsense'",
        "line 6: the case 'C' stands there twice",
    ):
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("case,fixed,moving\n", "holds no cases"),
        ("case,left,right\na,b,c\n", "must hold case,fixed,moving"),
        ("case,fixed,moving,metod\na,b,c,sift\n", "is 'method' meant"),
        ("case,fixed,fixed,moving\na,b,c,d\n", "stands there twice"),
        ("case,slide,role\na,b,fixed\na,c,fixed\n", "2 of them fixed"),
        ("case,slide,role\na,b,left\na,c,\n", "not 'left'"),
        ("case,slide,landmarks\na,b,l\na,c,\na,d,\n", "landmarks is for pairs"),
        ("case,slide,method\na,b,sift\na,c,orb\n", "another line of the case"),
        ('case,fixed,moving\n"a,b,c\n', "not a table"),
        ("case,fixed,moving\na,b\0,c\n", "not a text file"),
    ],
)
def test_what_is_wrong_is_said(read, text, words):
    with pytest.raises(DamagedFile, match=words):
        read(text)


def test_a_name_with_a_plane_is_kept(read):
    (case,) = read("case,fixed,moving\na,ct#axial=3,mr.nii.gz#axial=5\n")
    assert case.slides[0].path.endswith("ct#axial=3")


@pytest.mark.skipif(os.sep != "/", reason="tells backslashes from separators")
def test_a_table_from_another_system(read, tmp_path):
    (case,) = read("case,fixed,moving\na,x\\he.svs,y\\if.tif\n")
    assert case.slides[0].path == str(tmp_path / "x" / "he.svs")


def test_paths_elsewhere():
    maps = parse_path_maps(["/disk/me=/mnt", "/disk=/other", "/data=Z:\\slides"])
    assert seen_from_there("/disk/me/a.svs", maps) == "/mnt/a.svs"
    assert seen_from_there("/disk/you/a.svs", maps) == "/other/you/a.svs"
    assert seen_from_there("/diskless/a.svs", maps) == "/diskless/a.svs"
    assert seen_from_there("/data/K 1/a.svs", maps) == "Z:\\slides\\K 1\\a.svs"
    with pytest.raises(ValueError, match="OLD=NEW"):
        parse_path_maps(["/disk"])


def test_a_table_from_a_folder(tmp_path):
    for name in ("K2/he.svs", "K2/if.ome.tif", "K10/he.svs", "K10/if.zarr/0/c", "K3/he.svs", ".x/he.svs"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    found = find_pairs(tmp_path / "in", "{case}/he.*", "{case}/if.*")
    assert [case for case, _, _ in found.pairs] == ["K2", "K10"]
    assert [path.parent.name for path in found.alone] == ["K3"]
    write_pairs(found.pairs, tmp_path / "cases.csv")
    cases = read_cases(tmp_path / "cases.csv")
    assert [Path(slide.path) for slide in cases[1].slides] == [
        tmp_path / "in" / "K10" / "he.svs", tmp_path / "in" / "K10" / "if.zarr",
    ]  # fmt: skip
    with pytest.raises(WriteError, match="is there already"):
        write_pairs(found.pairs, tmp_path / "cases.csv")
    with pytest.raises(DamagedFile, match="holds no pair"):
        find_pairs(tmp_path / "in", "{case}_HE.*", "{case}_IF.*")
    with pytest.raises(DamagedFile, match="narrow the pattern"):
        find_pairs(tmp_path / "in", "{case}/*", "{case}/if.*")
    with pytest.raises(ValueError, match="says nowhere"):
        find_pairs(tmp_path / "in", "he.*", "{case}/if.*")
