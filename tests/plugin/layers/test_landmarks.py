"""Landmarks as Points layers and back."""

import numpy as np
import pytest
from napari.layers import Layer, Points

from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.layers.landmarks import (
    landmark_layers,
    landmarks_from_layers,
    pixel_size_of,
    points_of,
)
from napari_histreg.slides import open_slide


@pytest.fixture
def slides():
    fixed = open_slide(np.zeros((500, 600), np.uint8), pixel_size_um=(0.5, 0.25))
    moving = open_slide(np.zeros((400, 700), np.uint8))
    return fixed, moving


LANDMARKS = Landmarks.of(
    [[0, 0], [10, 20], [np.nan, np.nan]],
    [[1, 2], [30, 40], [5, 6]],
    ["a", "vessel", "7"],
    enabled=[True, False, True],
)


def test_round_trip(slides):
    fixed, moving = (Layer.create(*data) for data in landmark_layers(LANDMARKS, *slides))
    assert landmarks_from_layers(fixed, moving) == LANDMARKS


def test_points_are_level_0_pixels_with_the_slides_scale(slides):
    fixed, moving = (Layer.create(*data) for data in landmark_layers(LANDMARKS, *slides))
    assert fixed.data.tolist() == [[0, 0], [20, 80]]
    assert fixed.scale.tolist() == [0.5, 0.25]
    assert [str(unit) for unit in moving.units] == ["pixel", "pixel"]
    assert pixel_size_of(fixed) == (0.5, 0.25)
    names, world = points_of(fixed)
    assert names.tolist() == ["a", "vessel"]
    assert world.tolist() == [[0, 0], [10, 20]]


def test_pairs_are_found_by_name_not_by_order(slides):
    fixed, moving = (Layer.create(*data) for data in landmark_layers(LANDMARKS, *slides))
    moving.selected_data = {0}
    moving.remove_selected()
    found = landmarks_from_layers(fixed, moving)
    assert found.names == ("a", "vessel", "7")
    assert np.isnan(found.moving[0]).all()
    assert found.moving[1].tolist() == [30, 40]


def test_points_of_others_pair_by_order():
    found = landmarks_from_layers(Points([[1, 2], [3, 4]]), Points([[5, 6], [7, 8]]))
    assert found == Landmarks.of([[1, 2], [3, 4]], [[5, 6], [7, 8]])


def test_repeated_names_are_refused():
    layer = Points([[1, 2], [3, 4]], features={"name": ["a", "a"]})
    with pytest.raises(ValueError, match="called 'a'"):
        landmarks_from_layers(layer, layer)


def test_points_keep_their_size_on_screen(slides):
    layer = Layer.create(*landmark_layers(LANDMARKS, *slides)[0])
    assert layer.canvas_size_limits[0] == layer.canvas_size_limits[1]
