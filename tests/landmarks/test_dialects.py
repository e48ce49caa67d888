"""One contract for every landmark layout, the exact text of each, and what bad tables are told."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_histreg.errors import DamagedFile, LandmarkError, UnsupportedDialect, WriteError
from napari_histreg.landmarks import DIALECTS, Landmarks, read_landmarks, write_landmarks

PAIRS = Landmarks.of(
    [[884.25, 1203.5], [10, 20], [0.125, 3000]],
    [[420.75, 611.0], [30, 40], [7, 8]],
    ["Pt-0", 'vessel "A", left', "Pt-2"],
    enabled=[True, False, True],
)
FIXED_SIZE, MOVING_SIZE = (0.5, 0.25), (0.325, 0.325)


def options(name: str, folder: Path) -> dict:
    second = folder / f"moving{DIALECTS[name].suffixes[0]}" if DIALECTS[name].side_files else None
    return {"moving_path": second, "fixed_pixel_size": FIXED_SIZE, "moving_pixel_size": MOVING_SIZE}


def survivors(landmarks: Landmarks, name: str) -> Landmarks:
    """What the dialect promises to keep."""
    dialect = DIALECTS[name]
    kept = landmarks if dialect.holds_enabled else landmarks.subset(landmarks.enabled)
    kept = kept if dialect.holds_unplaced else kept.subset(kept.placed)
    return Landmarks.of(
        kept.fixed, kept.moving, kept.names if dialect.holds_names else None, enabled=kept.enabled
    )


coordinates = st.floats(-1e5, 1e5)
names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8)


@st.composite
def tables(draw: st.DrawFn) -> Landmarks:
    words = draw(st.lists(names, min_size=1, max_size=6, unique=True))
    count = len(words)
    side = st.lists(st.tuples(coordinates, coordinates), min_size=count, max_size=count)
    flags = draw(st.lists(st.booleans(), min_size=count, max_size=count).filter(any))
    return Landmarks.of(draw(side), draw(side), words, enabled=flags)


@pytest.mark.parametrize("name", DIALECTS)
@given(landmarks=tables())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_round_trip_keeps_what_the_dialect_promises(
    name: str, tmp_path: Path, landmarks: Landmarks
) -> None:
    path = tmp_path / f"points{DIALECTS[name].suffixes[0]}"
    write_landmarks(landmarks, path, dialect=name, **options(name, tmp_path))
    back = read_landmarks(path, dialect=name, **options(name, tmp_path))
    expected = survivors(landmarks, name)
    assert back.names == expected.names
    assert back.enabled.tolist() == expected.enabled.tolist()
    # Two divisions by a pixel size and back: a few units in the last place.
    np.testing.assert_allclose(back.fixed, expected.fixed, rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(back.moving, expected.moving, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_file_tells_its_own_dialect(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"points{DIALECTS[name].suffixes[0]}"
    write_landmarks(PAIRS, path, dialect=name, **options(name, tmp_path))
    back = read_landmarks(path, **options(name, tmp_path))
    np.testing.assert_allclose(back.fixed, survivors(PAIRS, name).fixed, rtol=1e-12)


@pytest.mark.parametrize("name", DIALECTS)
def test_unplaced_points_survive_or_are_refused(name: str, tmp_path: Path) -> None:
    half = PAIRS.with_pair([1, 2], None)
    path = tmp_path / f"points{DIALECTS[name].suffixes[0]}"
    if not DIALECTS[name].holds_unplaced:
        with pytest.raises(UnsupportedDialect, match=r"1 of .* pairs lack a point"):
            write_landmarks(half, path, dialect=name, **options(name, tmp_path))
        assert list(tmp_path.iterdir()) == []
        return
    write_landmarks(half, path, dialect=name, **options(name, tmp_path))
    back = read_landmarks(path, dialect=name, **options(name, tmp_path))
    assert back.fixed[3].tolist() == [1, 2]
    assert np.isnan(back.moving[3]).all()
    assert not back.enabled[3]


@pytest.mark.parametrize("name", DIALECTS)
def test_sides_are_asked_for_as_the_dialect_needs(name: str, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    wrong = None if DIALECTS[name].side_files else tmp_path / "second.csv"
    with pytest.raises(LandmarkError, match=r"points of one side|both sides"):
        write_landmarks(PAIRS, path, dialect=name, moving_path=wrong)


def test_our_layout_is_level_0_pixels_x_before_y(tmp_path: Path) -> None:
    path = tmp_path / "landmarks.csv"
    write_landmarks(PAIRS, path, fixed_pixel_size=FIXED_SIZE, moving_pixel_size=(1, 1))
    lines = path.read_text().splitlines()
    assert lines[0] == "name,enabled,fixed_x_px,fixed_y_px,moving_x_px,moving_y_px"
    assert lines[1] == "Pt-0,true,4814.0,1768.5,611.0,420.75"
    assert lines[2] == '"vessel ""A"", left",false,80.0,20.0,40.0,30.0'


def test_bigwarp_puts_the_moving_point_first_in_world_units(tmp_path: Path) -> None:
    path = tmp_path / "bigwarp.csv"
    path.write_text(
        '"Pt-0","true","1203.5","884.25","611.0","420.75"\n"Pt-1","true","Infinity","Infinity","700.0","410.0"\n'
    )
    read = read_landmarks(path, fixed_pixel_size=FIXED_SIZE, moving_pixel_size=MOVING_SIZE)
    assert read.moving[0].tolist() == [884.25, 1203.5]
    assert read.fixed.tolist() == [[420.75, 611], [410, 700]]
    assert read.enabled.tolist() == [True, False]
    assert np.isnan(read.moving[1]).all()
    write_landmarks(read.switched("Pt-1", True), tmp_path / "again.csv", dialect="bigwarp")
    assert (tmp_path / "again.csv").read_text() == path.read_text()


@pytest.mark.parametrize("header", [",X,Y", " ,X,Y", "# ,X,Y", "x,y"])
def test_anhir_columns_are_found_by_name(header: str, tmp_path: Path) -> None:
    for side in ("fixed", "moving"):
        rows = ["59,72", "122,108"] if header == "x,y" else ["1,59,72", "2,122,108"]
        (tmp_path / f"{side}.csv").write_text("\n".join([header, *rows]))
    read = read_landmarks(tmp_path / "fixed.csv", moving_path=tmp_path / "moving.csv")
    assert read.fixed.tolist() == [[72, 59], [108, 122]]
    assert read.names == ("1", "2")


def test_real_anhir_landmarks_are_read(shared: Path) -> None:
    folder = shared / "data" / "serial"
    read = read_landmarks(folder / "lesion1_HE.csv", moving_path=folder / "lesion1_proSPC.csv")
    assert len(read) > 20
    assert read.fixed[0].tolist() == [72, 59]
    assert read.moving[0].tolist() == [227, 20]


def test_a_byte_order_mark_blank_lines_and_windows_ends_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "landmarks.csv"
    text = (
        "name,enabled,fixed_x_px,fixed_y_px,moving_x_px,moving_y_px\n\na, TRUE ,1,2,3,4\nb,0,5,6,7,8\n,,,,,\n"
    )
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    read = read_landmarks(path)
    assert read.names == ("a", "b")
    assert read.fixed.tolist() == [[2, 1], [6, 5]]
    assert read.enabled.tolist() == [True, False]


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "landmarks.csv"
    path.write_text("note,moving_y_px,moving_x_px,Fixed_Y_px,fixed_x_px,enabled,name\nhi,4,3,2,1,true,a\n")
    assert read_landmarks(path).moving.tolist() == [[4, 3]]


def test_a_header_alone_is_a_table_without_pairs(tmp_path: Path) -> None:
    path = tmp_path / "landmarks.csv"
    write_landmarks(Landmarks.empty(), path)
    assert len(read_landmarks(path)) == 0


HEADER = "name,enabled,fixed_x_px,fixed_y_px,moving_x_px,moving_y_px\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("\0\1\2", "not a text file"),
        (HEADER.replace(",", ";") + "a;true;1;2;3;4\n", "line 1: .*semicolons"),
        (HEADER.replace(",", ";") + "a;true;1,5;2,5;3,5;4,5\n", "line 1: .*semicolons"),
        (HEADER.replace(",", "\t"), "line 1: .*tabs"),
        *[
            (
                ",".join(c for c in HEADER.strip().split(",") if c != column) + "\n",
                f"line 1: the column {column}",
            )
            for column in HEADER.strip().split(",")
        ],
        (HEADER.replace("name", "enabled,name"), "line 1: the column enabled stands there twice"),
        (HEADER + "a,true,1,2,3,4\nb,true,one,2,3,4\n", "line 3, column fixed_x_px: 'one' is not a number"),
        (HEADER + "a,true,1,2,3,NaN\n", "line 2, column moving_y_px: 'NaN' is not a finite"),
        (HEADER + "a,true,1,2,inf,4\n", "line 2, column moving_x_px: 'inf' is not a finite"),
        (HEADER + "a,true,1,2,3,4\nb,true,1,2,,\n", "line 3, column moving_x_px: there is no number"),
        (HEADER + "a,true,1,2\n", "line 2, column moving_x_px: there is no number"),
        (HEADER + "a,true,1_0,2,3,4\n", "line 2, column fixed_x_px: '1_0' is not a number"),
        (HEADER + "a,maybe,1,2,3,4\n", "line 2, column enabled: 'maybe'"),
        (HEADER + ",true,1,2,3,4\n", "line 2, column name: the cell is empty"),
        (
            HEADER + "a,true,1,2,3,4\na,true,1,2,3,4\n",
            "line 3, column name: 'a' is already the name of line 2",
        ),
        (HEADER + 'a,true,1,2,3,"4\n', "line 2: not a comma-separated table"),
        ("1,2,3,4\n", "line 1: '1,2,3,4' begins no landmark layout"),
        ("<html>\n", "begins no landmark layout"),
        ('"Pt-0","true","1","2","3","x"\n', "line 1, column 6 .fixed y.: 'x'"),
        ('"Pt-0","true","1","2","3","NaN"\n', "line 1, column 6 .fixed y.: 'NaN'"),
        ('"Pt-0","true","1","2","3","4"\n"Pt-1","true","1","2"\n', "line 2: .*6 columns.* has 4"),
        ('"Pt-0","true","1","2","3","4"\n"Pt-1","on","1","2","3","4"\n', "line 2, column 2: 'on'"),
        ('"Pt-0","true","1","2","3","4","5","6"\n', "line 1: .*three-dimensional"),
        ("fixedX,fixedY,alignmentX,alignmentY\n1,2,3,?\n", "line 2, column alignmentY: '.'"),
        ("fixedX,fixedY,alignmentX\n", "line 1: the column alignmentY"),
        ('{"fixedPoints": [[1, 2]], "movingPoints": []}', "has 1 points and"),
        ('{"fixedPoints": [[1, 2]], "movingPoints": [["a", 2]]}', "movingPoints.0.0.*valid number"),
        ('{"fixedPoints": [[1, 2]], "movingPoints": [[NaN, 2]]}', "movingPoints: a coordinate is NaN"),
        ('{"fixedPoints": [], "movingPoints": [], "numDimensions": 3}', "3-dimensional"),
        ('{"fixedPoints": [[1, 2]], "movingPoints": [[1, 2]], "names": []}', "names and active flags"),
        ('{"fixedPoints": ', "is not JSON"),
    ],
)
def test_a_bad_table_is_named_by_line_and_column(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(text.encode())
    with pytest.raises(LandmarkError, match=words) as caught:
        read_landmarks(path)
    assert "bad.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (",X,Y\n1,2,3\n", "has 2 points and .*moving.csv has 1"),
        (",X\n1,2\n", "line 1: the column Y is missing"),
        (",X,Y\n1,a,3\n2,3,4\n", "line 2, column X: 'a'"),
        (",X,Y\n1,2,\n2,3,4\n", "line 2, column Y: there is no number"),
    ],
)
def test_a_bad_side_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "fixed.csv").write_text(",X,Y\n1,2,3\n2,3,4\n")
    (tmp_path / "moving.csv").write_text(text)
    with pytest.raises(LandmarkError, match=words):
        read_landmarks(tmp_path / "fixed.csv", moving_path=tmp_path / "moving.csv")


@pytest.mark.parametrize(
    ("name", "fixed", "moving", "words"),
    [
        ("elastix", "point\n1\n1 2\n", "index\n1\n1 2\n", "both begin"),
        ("elastix", "point\n1\n1 2\n", "points\n1\n1 2\n", r"line 1: .*begins with"),
        ("elastix", "point\n1\n1 2\n", "point\n1 2\n3 4\n5 6\n", "1 points are announced, and 2 follow"),
        ("elastix", "point\n1\n1 2\n", "point\n", "line 2"),
        ("elastix", "point\n1\n1 2 3\n", "point\n1\n1 2 3\n", "three coordinates"),
        ("elastix", "point\n1\n1 b\n", "point\n1\n1 2\n", "line 3, column y: 'b'"),
        ("napari", "index,axis-0,axis-1,axis-2\n", "index,axis-0,axis-1\n", "three axes"),
        ("napari", "index,axis-0\n", "index,axis-0,axis-1\n", "the column axis-1 is missing"),
        ("acrobat", "anon_id,point_id,x_target,y_target\n0,1,2,3\n", "anon_id,point_id\n", "x_source"),
        (
            "acrobat",
            "anon_id,point_id,x_target,y_target\n0,1,2,3\n1,1,2,3\n",
            "anon_id,point_id,x_source,y_source\n0,1,2,3\n",
            "2 cases",
        ),
        (
            "acrobat",
            "anon_id,point_id,x_target,y_target\n0,1,2,3\n",
            "anon_id,point_id,x_source,y_source\n0,2,2,3\n",
            "point_id 1 stands in only one",
        ),
        (
            "qupath",
            '{"type": "Feature", "geometry": {"type": "Point", "coordinates": ["a", 1]}}',
            "{}",
            "feature 1: not a point",
        ),
        ("qupath", '{"type": "FeatureCollection"}', "{}", "no list of features"),
    ],
)
def test_a_bad_side_of_another_tool_is_named(
    name: str, fixed: str, moving: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "fixed").write_text(fixed)
    (tmp_path / "moving").write_text(moving)
    with pytest.raises(LandmarkError, match=words):
        read_landmarks(tmp_path / "fixed", dialect=name, moving_path=tmp_path / "moving")


def test_xenium_keypoints_are_pixels_of_both_images(tmp_path: Path) -> None:
    path = tmp_path / "keypoints.csv"
    write_landmarks(PAIRS, path, dialect="xenium", fixed_pixel_size=(0.5, 0.25))
    assert path.read_text().splitlines()[:2] == [
        "fixedX,fixedY,alignmentX,alignmentY",
        "4814.0,1768.5,611.0,420.75",
    ]


def test_qupath_points_count_from_the_corner_and_pair_by_name(tmp_path: Path) -> None:
    files = tmp_path / "fixed.geojson", tmp_path / "moving.geojson"
    write_landmarks(PAIRS, files[0], dialect="qupath", moving_path=files[1])
    features = json.loads(files[0].read_text())["features"]
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [1204.0, 884.75]}
    assert features[0]["properties"] == {"objectType": "annotation", "name": "Pt-0"}
    backwards = {"type": "FeatureCollection", "features": json.loads(files[1].read_text())["features"][::-1]}
    files[1].write_text(json.dumps(backwards))
    read = read_landmarks(files[0], moving_path=files[1])
    assert read.moving.tolist() == PAIRS.subset(PAIRS.enabled).moving.tolist()


def test_qupath_multipoints_are_opened_and_other_shapes_left_out(tmp_path: Path) -> None:
    path = tmp_path / "points.geojson"
    shapes = [
        {"type": "Feature", "geometry": {"type": "MultiPoint", "coordinates": [[1.5, 2.5], [3.5, 4.5]]}},
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [0, 0]]]},
        },
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": shapes}))
    assert read_landmarks(path, moving_path=path).fixed.tolist() == [[2, 1], [4, 3]]


def test_napari_points_are_row_before_column(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("index,axis-0,axis-1,label\n0.0,10.0,20.0,vessel\n")
    read = read_landmarks(path, moving_path=path, fixed_pixel_size=0.5)
    assert read.fixed.tolist() == [[5, 10]]
    assert read.moving.tolist() == [[10, 20]]


def test_elastix_indices_are_pixels(tmp_path: Path) -> None:
    path = tmp_path / "points.txt"
    path.write_text("index\n2\n10 20\n30 40\n")
    read = read_landmarks(path, moving_path=path, fixed_pixel_size=0.5)
    assert read.fixed.tolist() == [[10, 5], [20, 15]]
    path.write_text("point\n2\n10 20\n30 40\n")
    assert read_landmarks(path, moving_path=path, fixed_pixel_size=0.5).fixed.tolist() == [[20, 10], [40, 30]]


def test_acrobat_is_in_micrometres_and_notes_pixel_sizes(tmp_path: Path) -> None:
    files = tmp_path / "target.csv", tmp_path / "source.csv"
    write_landmarks(
        PAIRS, files[0], dialect="acrobat", moving_path=files[1], fixed_pixel_size=0.5, moving_pixel_size=0.25
    )
    assert files[0].read_text().splitlines()[1] == "0,1,1203.5,884.25"
    assert files[1].read_text().splitlines()[:2] == [
        "anon_id,point_id,mpp_source,x_source,y_source,mpp_target",
        "0,1,0.25,611.0,420.75,0.5",
    ]


def test_a_bigwarp_project_is_read(tmp_path: Path) -> None:
    path = tmp_path / "project.json"
    path.write_text(
        '{"Sources": [], "landmarks": {"type": "BigWarpLandmarks", "numDimensions": 2, '
        '"movingPoints": [[1, 2], [Infinity, Infinity]], "fixedPoints": [[3, 4], [5, 6]], '
        '"active": [true, true], "names": ["Pt-0", "Pt-1"]}}'
    )
    read = read_landmarks(path)
    assert read.moving[0].tolist() == [2, 1]
    assert read.fixed.tolist() == [[4, 3], [6, 5]]
    assert read.enabled.tolist() == [True, False]


def test_binary_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(LandmarkError, match="not a text file"):
        read_landmarks(tmp_path / "binary.csv")
    with pytest.raises(DamagedFile, match="does not exist"):
        read_landmarks(tmp_path / "missing.csv")
    with pytest.raises(DamagedFile, match="is a folder"):
        read_landmarks(tmp_path)


def test_an_unknown_dialect_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedDialect, match="'amira'"):
        write_landmarks(PAIRS, tmp_path / "x", dialect="amira")


def test_repeated_names_of_other_tools_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "bigwarp.csv"
    path.write_text(
        "".join(f'"{name}","true","{k}","1","2","3"\n' for k, name in enumerate(["a", "a", "a (2)", ""]))
    )
    assert len(set(read_landmarks(path).names)) == 4


def test_nothing_is_left_behind_where_writing_fails(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="does not exist"):
        write_landmarks(PAIRS, tmp_path / "nowhere" / "landmarks.csv")
    path = tmp_path / "landmarks.csv"
    path.write_text("kept")
    with pytest.raises(UnsupportedDialect):
        write_landmarks(PAIRS.with_pair([0, 0], None), path)
    assert path.read_text() == "kept"
    assert [p.name for p in tmp_path.iterdir()] == ["landmarks.csv"]


@pytest.mark.parametrize("size", [0, (1, -1), np.nan])
def test_a_pixel_size_is_positive(tmp_path: Path, size: object) -> None:
    with pytest.raises(ValueError, match="pixel size"):
        write_landmarks(PAIRS, tmp_path / "x.csv", fixed_pixel_size=size)
