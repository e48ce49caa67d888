"""Model folders: whole again after reading, refused where they do not fit or are damaged."""

import json

import numpy as np
import pytest

from learning_planes import texture
from napari_histreg.errors import DamagedFile, RegistrationError
from napari_histreg.learning.layers import ArrayLayers
from napari_histreg.learning.model_folder import Description, Model, Scope, read_model, write_model
from napari_histreg.learning.networks import displacement, drawn_weights
from napari_histreg.learning.recipe import Recipe
from napari_histreg.learning.tensors import write_tensors

SCOPE = Scope(lights=(("brightfield", "fluorescence"),), spacing_um=(0.5, 1.0))


def model(**recipe):
    made = Recipe(**recipe)
    weights = drawn_weights(made.architecture, 3)
    rng = np.random.default_rng(0)
    weights = {k: (v + rng.normal(0, 0.02, v.shape)).astype(np.float32) for k, v in weights.items()}
    seen = (("pair", "00", "11"),)
    return Model(
        Description(recipe=made, scope=SCOPE, training_set=seen, figures={"NCC after": 0.9}), weights
    )


@pytest.fixture
def folder(tmp_path):
    write_model(model(network="fcn"), tmp_path / "m")
    return tmp_path / "m"


def test_a_model_is_whole_again(folder):
    found, made = read_model(folder), model(network="fcn")
    assert found.description == made.description
    first, second = texture(0), texture(1)
    np.testing.assert_array_equal(found.displacement(first, second), made.displacement(first, second))
    assert "| NCC after | 0.9 |" in (folder / "card.md").read_text()
    assert "brightfield with fluorescence" in (folder / "card.md").read_text()


def test_any_size_of_plane_is_taken():
    made, plane = model(), texture(0)
    odd = made.displacement(plane[:37, :45], plane[3:40, 2:47])
    assert odd.shape == (37, 45, 2)
    assert np.isfinite(odd).all()


def test_a_second_pass_goes_on_from_the_first():
    made, first, second = model(), texture(0), texture(1)
    layers = ArrayLayers(made.weights)
    a, b = first[None, None], second[None, None]
    once = displacement(made.architecture, layers, a, b)
    left = displacement(made.architecture, layers, a, layers.warped(b, once))
    expected = np.moveaxis((left + layers.warped(once, left))[0], 0, -1)
    np.testing.assert_allclose(made.displacement(first, second, passes=2), expected, atol=1e-6)


def test_other_slides_are_refused_with_the_reason():
    SCOPE.check(("brightfield", "fluorescence"), 0.7, "m")
    SCOPE.check(("brightfield", "fluorescence"), None, "m")
    with pytest.raises(RegistrationError, match="m was trained on brightfield with fluorescence, and these"):
        SCOPE.check(("brightfield", "brightfield"), 0.7, "m")
    for spacing in (0.3, 1.6):
        with pytest.raises(RegistrationError, match=f"seen at {spacing} µm"):
            SCOPE.check(("brightfield", "fluorescence"), spacing, "m")


def changed(folder, **values):
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"format": "other"}, "version 1"),
        ({"version": 2}, "version 1"),
        ({"recipe": {"network": "resnet"}}, "recipe.network"),
        ({"recipe": {"network": "unet"}}, "'unet'"),
        ({"recipe": {"cascade": 10**9}}, "recipe.cascade"),
        ({"scope": {"lights": [["a"]]}}, "scope.lights"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(folder, values, words):
    changed(folder, **values)
    with pytest.raises(DamagedFile, match=words) as error:
        read_model(folder)
    assert "\n" not in str(error.value)


def test_what_is_no_model_is_refused(folder, tmp_path):
    with pytest.raises(DamagedFile, match="no folder"):
        read_model(tmp_path / "nowhere")
    with pytest.raises(DamagedFile, match="does not exist"):
        read_model(tmp_path)
    write_tensors(folder / "weights.safetensors", {"a": np.zeros(3)})
    with pytest.raises(DamagedFile, match="missing or of another shape"):
        read_model(folder)
    (folder / "weights.safetensors").unlink()
    with pytest.raises(DamagedFile, match="does not exist"):
        read_model(folder)
