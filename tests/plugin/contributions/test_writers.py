"""Points layers as landmark files, through napari's own saving."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer

from napari_histreg.landmarks import DIALECTS, Landmarks, read_landmarks
from napari_histreg.plugin.contributions import writers
from napari_histreg.plugin.contributions.writers import write_histreg
from napari_histreg.plugin.layers.landmarks import landmark_layers
from napari_histreg.slides import open_slide

LANDMARKS = Landmarks.of([[0, 10], [20, 30], [40, 5]], [[1, 11], [21, 31], [44, 6]], ["a", "b", "c"])
SIZES = {"fixed_pixel_size": 0.5, "moving_pixel_size": 0.25}


@pytest.fixture
def layers():
    fixed = open_slide(np.zeros((500, 600), np.uint8), pixel_size_um=0.5)
    moving = open_slide(np.zeros((400, 700), np.uint8), pixel_size_um=0.25)
    return [Layer.create(*data) for data in landmark_layers(LANDMARKS, fixed, moving)]


@pytest.mark.parametrize("dialect", sorted(name for name, d in DIALECTS.items() if not d.side_files))
def test_both_sides_in_one_file(tmp_path, layers, dialect):
    write = getattr(writers, f"write_{dialect}")
    file = tmp_path / f"pairs{DIALECTS[dialect].suffixes[0]}"
    # The order in the layer list means nothing: the layers know their sides.
    data = [layer.as_layer_data_tuple() for layer in reversed(layers)]
    assert write(str(file), data) == [str(file)]
    found = read_landmarks(file, dialect=dialect, **SIZES)
    assert np.allclose(found.fixed, LANDMARKS.fixed)
    assert np.allclose(found.moving, LANDMARKS.moving)
    assert found.names == LANDMARKS.names or not DIALECTS[dialect].holds_names


@pytest.mark.parametrize("dialect", sorted(name for name, d in DIALECTS.items() if d.side_files))
def test_a_file_for_each_side(tmp_path, layers, dialect):
    ending = DIALECTS[dialect].suffixes[0]
    file = tmp_path / f"pairs{ending}"
    write = getattr(writers, f"write_{dialect}")
    written = write(str(file), [layer.as_layer_data_tuple() for layer in layers])
    assert written == [str(file), str(tmp_path / f"pairs_moving{ending}")]
    found = read_landmarks(file, dialect=dialect, moving_path=written[1], **SIZES)
    assert np.allclose(found.moving, LANDMARKS.moving)


def test_unplaced_points_are_left_out(tmp_path, layers):
    layers[1].selected_data = {0}
    layers[1].remove_selected()
    file = tmp_path / "pairs.csv"
    write_histreg(str(file), [layer.as_layer_data_tuple() for layer in layers])
    assert set(read_landmarks(file, **SIZES).names) == {"b", "c"}


def test_saving_from_the_layer_list(tmp_path, layers, our_plugin):
    viewer = ViewerModel()
    for layer in layers:
        viewer.add_layer(layer)
    file = tmp_path / "saved.csv"
    assert viewer.layers.save(str(file), plugin="napari-histreg") == [str(file)]
    assert np.allclose(read_landmarks(file, **SIZES).fixed, LANDMARKS.fixed)
