"""What napari opens through the plugin, without a window."""

import napari
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer

from napari_histreg.errors import DamagedFile, LandmarkError, ReadError
from napari_histreg.landmarks import DIALECTS, Landmarks, write_landmarks
from napari_histreg.plugin.contributions.landmark_readers import (
    NOT_HERE,
    get_landmark_reader,
    read_landmark_tables,
)
from napari_histreg.plugin.contributions.readers import (
    get_registration_reader,
    get_slide_reader,
    read_registrations,
    read_slides,
)
from napari_histreg.plugin.layers.affine import read_fixed_to_moving
from napari_histreg.plugin.layers.slides import image_layers, slide_of, slides_in
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.records.document import write_registration
from napari_histreg.records.record import Outcome, Registration, SlideRecord
from napari_histreg.samples import demo_pair
from napari_histreg.slides import open_slide
from napari_histreg.slides.opening import READERS

PAIRS = Landmarks.of([[0, 10], [20, 30]], [[1, 11], [21, 31]])


@pytest.fixture
def pair(tmp_path):
    return demo_pair(tmp_path)


@pytest.fixture
def notices(monkeypatch):
    said = []
    for name in ("show_info", "show_warning"):
        monkeypatch.setattr(f"napari.utils.notifications.{name}", said.append)
    return said


def opened(layer_data):
    return [Layer.create(*data) for data in layer_data]


@pytest.mark.parametrize("suffix", sorted({suffix for spec in READERS for suffix in spec.suffixes}))
def test_every_format_is_taken_by_its_name_alone(suffix):
    # The file does not exist: nothing may be opened to find out.
    assert get_slide_reader(f"/no/such/Slide{suffix.upper()}") is read_slides


def test_every_format_is_in_the_manifest():
    from fnmatch import fnmatch

    from npe2 import PluginManifest

    manifest = PluginManifest.from_distribution("napari-histreg")
    patterns = [p for reader in manifest.contributions.readers for p in reader.filename_patterns]
    for spec in READERS:
        for suffix in spec.suffixes:
            assert any(fnmatch(f"slide{suffix}", pattern) for pattern in patterns), suffix


@pytest.mark.parametrize("name", ["notes.txt", "table.xlsx", "archive.zip"])
def test_what_is_not_ours_is_left_to_others(tmp_path, name):
    file = tmp_path / name
    file.write_text("hello")
    assert get_slide_reader(str(file)) is None
    assert get_landmark_reader(str(file)) is None
    assert get_registration_reader(str(file)) is None


def test_one_foreign_file_among_slides_and_none_is_taken(tmp_path):
    assert get_slide_reader([str(tmp_path / "a.svs"), str(tmp_path / "b.txt")]) is None


def test_other_csv_and_json_are_left_to_others(tmp_path):
    table, record = tmp_path / "cells.csv", tmp_path / "settings.json"
    table.write_text("cell,area\n1,20\n")
    record.write_text('{"format": "something"}')
    assert get_landmark_reader(str(table)) is None
    assert get_registration_reader(str(record)) is None
    assert get_registration_reader(str(tmp_path)) is None


def test_slides_open_in_um(pair):
    layers = opened(read_slides(str(pair.fixed)) + read_slides(str(pair.moving)))
    assert [layer.name for layer in layers] == [
        "demo_ihc",
        "demo_if: DAPI",
        "demo_if: DAB",
        "demo_if: Autofluorescence",
    ]
    assert layers[1].scale.tolist() == [0.4, 0.4]
    assert len(slides_in(layers)) == 2


def test_files_that_are_dropped_together_with_shift_are_the_channels_of_one_slide(tmp_path, notices):
    from PIL import Image

    for k, name in enumerate(("case_DAPI", "case_CD3")):
        Image.fromarray(np.full((60, 80), 50 + k, np.uint8)).save(tmp_path / f"{name}.png")
    files = [str(tmp_path / "case_DAPI.png"), str(tmp_path / "case_CD3.png")]
    layers = opened(read_slides(files))
    assert [layer.name for layer in layers] == ["case: DAPI", "case: CD3"]
    assert len(slides_in(layers)) == 1
    Image.fromarray(np.zeros((50, 80), np.uint8)).save(tmp_path / "case_CD8.png")
    with pytest.raises(DamagedFile, match=r"case_CD8\.png has 80 x 50 pixels and case_DAPI\.png 80 x 60"):
        read_slides([*files, str(tmp_path / "case_CD8.png")])


def test_unknown_pixel_size_is_said(tmp_path, notices):
    from PIL import Image

    Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(tmp_path / "plain.png")
    (layer,) = opened(read_slides(str(tmp_path / "plain.png")))
    assert str(layer.units[0]) == "pixel"
    assert notices == ["plain.png does not say how large its pixels are: it is shown in pixels."]


def test_a_broken_file_fails_with_the_readers_own_sentence(tmp_path, our_plugin):
    file = tmp_path / "broken.ome.tif"
    file.write_text("this is no slide")
    with pytest.raises(ReadError) as ours:
        open_slide(file)
    viewer = ViewerModel()
    with pytest.raises(DamagedFile) as seen:
        viewer.open(str(file), plugin="napari-histreg")
    assert str(seen.value) == str(ours.value)
    assert len(viewer.layers) == 0


@pytest.mark.parametrize("dialect", sorted(name for name, d in DIALECTS.items() if not d.side_files))
def test_landmarks_open_as_two_layers(tmp_path, dialect):
    file = tmp_path / f"pairs{DIALECTS[dialect].suffixes[0]}"
    write_landmarks(PAIRS, file, dialect=dialect)
    assert get_landmark_reader(str(file)) is read_landmark_tables
    fixed, moving = opened(read_landmark_tables(str(file)))
    assert fixed.data.tolist() == [[0, 10], [20, 30]]
    assert moving.data.tolist() == [[1, 11], [21, 31]]


def test_landmarks_land_on_the_two_open_slides(tmp_path, pair, monkeypatch):
    viewer = ViewerModel()
    monkeypatch.setattr(napari, "current_viewer", lambda: viewer)
    for data in read_slides(str(pair.fixed)) + read_slides(str(pair.moving)):
        viewer.add_layer(Layer.create(*data))
    file = tmp_path / "pairs.csv"
    write_landmarks(PAIRS, file, fixed_pixel_size=0.5, moving_pixel_size=0.4)
    fixed, moving = opened(read_landmark_tables(str(file)))
    assert np.allclose(fixed.data * 0.5, PAIRS.fixed)
    assert slide_of(moving).name == "demo_if.ome.tif"


def test_landmarks_go_into_the_session_where_one_is_ready(tmp_path, pair, monkeypatch):
    viewer = ViewerModel()
    monkeypatch.setattr(napari, "current_viewer", lambda: viewer)
    for data in read_slides(str(pair.fixed)) + read_slides(str(pair.moving)):
        viewer.add_layer(Layer.create(*data))
    session = layer_sync_of(viewer).session
    file = tmp_path / "pairs.csv"
    write_landmarks(PAIRS, file, fixed_pixel_size=0.5, moving_pixel_size=0.4)
    assert read_landmark_tables(str(file)) == [(None,)]
    assert np.allclose(session.landmarks.moving, PAIRS.moving)
    assert session.undo_label == "load pairs.csv"


@pytest.mark.parametrize("dialect", sorted(name for name, d in DIALECTS.items() if d.side_files))
def test_the_points_of_one_side_open_as_one_layer(tmp_path, dialect):
    ending = DIALECTS[dialect].suffixes[0]
    file = tmp_path / f"fixed{ending}"
    write_landmarks(PAIRS, file, dialect=dialect, moving_path=tmp_path / f"moving{ending}")
    if dialect in NOT_HERE:
        assert get_landmark_reader(str(file)) is None
        return
    assert get_landmark_reader(str(file)) is read_landmark_tables
    (layer,) = opened(read_landmark_tables(str(file)))
    assert np.allclose(layer.data, PAIRS.fixed)


def test_a_table_of_a_million_cells_is_not_even_looked_at(tmp_path):
    file = tmp_path / "cells.csv"
    file.write_text(",X,Y\n" + "1,2,3\n" * 4_000_000)
    assert get_landmark_reader(str(file)) is None


def test_an_anhir_table_is_one_layer(tmp_path):
    file = tmp_path / "points.csv"
    file.write_text(",X,Y\n1,59,72\n2,122,108\n")
    assert get_landmark_reader(str(file)) is read_landmark_tables
    (layer,) = opened(read_landmark_tables(str(file)))
    assert layer.name == "points"
    assert layer.data.tolist() == [[72, 59], [108, 122]]


def test_a_damaged_table_names_line_and_column(tmp_path):
    file = tmp_path / "pairs.csv"
    write_landmarks(PAIRS, file)
    file.write_text(file.read_text().replace("31", "thirty-one"))
    with pytest.raises(LandmarkError, match="line 3"):
        read_landmark_tables(str(file))


def record_of(pair, verdict="accepted"):
    fixed, moving = open_slide(pair.fixed), open_slide(pair.moving)
    outcome = Outcome(pair.fixed_to_moving, verdict, 0.9, ("It fits.",))
    return Registration(SlideRecord.of(fixed), SlideRecord.of(moving), outcome, method="sift")


def test_a_registration_opens_both_slides_aligned(tmp_path, pair, monkeypatch):
    write_registration(record_of(pair), tmp_path / "registration.json")
    for path in (tmp_path, tmp_path / "registration.json"):
        assert get_registration_reader(str(path)) is read_registrations
        layers = opened(read_registrations(str(path)))
        fixed, moving = slides_in(layers)
        assert len(image_layers(layers, moving)) == 3
        shown = read_fixed_to_moving(layers, fixed, moving)
        assert np.allclose(shown.matrix, pair.fixed_to_moving.matrix, rtol=0, atol=1e-9)


def test_a_registration_that_was_opened_is_the_sessions_result(tmp_path, pair):
    write_registration(record_of(pair), tmp_path / "registration.json")
    viewer = ViewerModel()
    sync = layer_sync_of(viewer)
    for layer in opened(read_registrations(str(tmp_path))):
        viewer.add_layer(layer)
    assert sync.session.origin == "automatic"
    assert sync.session.registration.method == "sift"
    assert np.allclose(sync.shown_fixed_to_moving().matrix, pair.fixed_to_moving.matrix, rtol=0, atol=1e-9)


def test_slides_that_moved_along_with_the_record_are_found(tmp_path, pair):
    write_registration(record_of(pair), tmp_path / "registration.json")
    new = tmp_path / "elsewhere"
    new.mkdir()
    for file in list(tmp_path.glob("*.*")):
        file.rename(new / file.name)
    assert len(slides_in(opened(read_registrations(str(new))))) == 2


def test_one_slide_missing_the_other_is_shown_and_said(tmp_path, pair, notices):
    write_registration(record_of(pair), tmp_path / "registration.json")
    pair.moving.unlink()
    (slide,) = slides_in(opened(read_registrations(str(tmp_path))))
    assert slide.name == "demo_ihc.ome.tif"
    assert len(notices) == 1
    assert "demo_if.ome.tif is not there any more. " in notices[0]


def test_no_slide_left_is_an_error(tmp_path, pair):
    write_registration(record_of(pair), tmp_path / "registration.json")
    pair.moving.unlink()
    pair.fixed.unlink()
    with pytest.raises(ReadError, match="is not there any more"):
        read_registrations(str(tmp_path))


def test_a_refused_registration_is_shown_with_a_warning(tmp_path, pair, notices):
    write_registration(record_of(pair, "refused"), tmp_path / "registration.json")
    assert len(read_registrations(str(tmp_path))) == 4
    assert notices == ["This registration was refused: what is shown is only a guess. It fits."]
