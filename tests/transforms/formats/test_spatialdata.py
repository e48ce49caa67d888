"""Our SpatialData transformation in the hands of SpatialData."""

import json

import numpy as np
import pytest

from napari_histreg.transforms import Affine
from napari_histreg.transforms.formats import SlideFrame, read_transform, write_transform

ngff = pytest.importorskip(
    "spatialdata.transformations.ngff.ngff_transformations",
    reason="needs the extra test-interop",
    exc_type=ImportError,
)

FIXED, MOVING = SlideFrame((0.5, 0.25), name="he"), SlideFrame((1.0, 2.0), name="if")
MAP = Affine([[0.9, 0.2, 5], [-0.1, 1.1, 7], [0, 0, 1]])


def test_spatialdata_maps_the_same_points(tmp_path):
    path = tmp_path / "t.json"
    write_transform(MAP, path, "spatialdata", fixed=FIXED, moving=MOVING)
    theirs = ngff.NgffBaseTransformation.from_dict(json.loads(path.read_text()))
    fixed_px = np.random.default_rng(0).uniform(0, 400, (30, 2))
    moving_px = MAP(fixed_px * FIXED.pixel_size_um) / MOVING.pixel_size_um
    # SpatialData counts from the corner of the first pixel.
    np.testing.assert_allclose(theirs.transform_points(moving_px + 0.5), fixed_px + 0.5, atol=1e-9)


def test_what_spatialdata_writes_is_read(tmp_path):
    matrix = np.array([[1.5, 0.2, 30], [-0.1, 0.8, 4], [0, 0, 1]])
    axes = [{"name": axis, "type": "space", "unit": "pixel"} for axis in "yx"]
    theirs = ngff.NgffAffine(matrix)
    theirs.input_coordinate_system = ngff.NgffCoordinateSystem.from_dict({"name": "if", "axes": axes})
    theirs.output_coordinate_system = ngff.NgffCoordinateSystem.from_dict({"name": "he", "axes": axes})
    path = tmp_path / "t.json"
    path.write_text(json.dumps(theirs.to_dict()))
    ours = read_transform(path, "spatialdata", fixed=FIXED, moving=MOVING)
    moving_px = np.random.default_rng(1).uniform(0, 400, (30, 2))
    fixed = ours.inverse()(moving_px * MOVING.pixel_size_um) / FIXED.pixel_size_um
    np.testing.assert_allclose(fixed + 0.5, theirs.transform_points(moving_px + 0.5), atol=1e-9)
