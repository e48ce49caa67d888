"""The method learned, without PyTorch: what does not help is left out, what does not fit is said."""

import numpy as np
import pytest

from napari_histreg import register
from napari_histreg.errors import DamagedFile
from napari_histreg.learning.judging import Preference
from napari_histreg.learning.learned import _network_wins
from napari_histreg.learning.model_folder import Description, Model, Scope, write_model
from napari_histreg.learning.networks import drawn_weights
from napari_histreg.learning.recipe import Recipe
from napari_histreg.samples import phantom_pair


@pytest.fixture(scope="module")
def pair():
    return phantom_pair(1024, angle_deg=10)


def shifting(folder, shift_px, lights):
    """Write a network that displaces everything by the same, whatever it sees."""
    recipe = Recipe(network="fcn", max_side_px=256)
    weights = {name: np.zeros_like(array) for name, array in drawn_weights(recipe.architecture, 0).items()}
    weights["0.velocity0.bias"][:] = shift_px / 2
    scope = Scope(lights=(lights,))
    write_model(Model(Description(recipe=recipe, scope=scope, training_set=()), weights), folder)
    return str(folder)


def test_what_makes_it_worse_is_left_out_and_said(pair, tmp_path):
    model = shifting(tmp_path / "m", 4.0, ("brightfield", "fluorescence"))
    result = register(pair.fixed, pair.moving, method="learned", model=model, compare=False)
    assert result.verdict == "accepted"
    assert result.method == "learned"
    assert result.fixed_to_moving.kind == "affine"
    assert "the bend of m is left out" in result.reasons[-1]
    steps = {step.name: step for step in result.steps}
    assert steps["network"].scores["largest_displacement"] == pytest.approx(2**0.5 * 4.0, rel=0.1)
    assert steps["blocks"].scores["network gain"] < 0


def test_a_model_for_other_slides_is_not_applied(pair, tmp_path):
    model = shifting(tmp_path / "m", 0.0, ("brightfield", "brightfield"))
    result = register(pair.fixed, pair.moving, method="learned", model=model, compare=False)
    assert result.verdict == "accepted"
    assert "m was trained on brightfield with brightfield" in result.reasons[-1]
    assert "The classical alignment stays." in result.reasons[-1]


def test_a_model_must_be_named_and_there(pair, tmp_path):
    with pytest.raises(ValueError, match="needs a model"):
        register(pair.fixed, pair.moving, method="learned")
    with pytest.raises(DamagedFile, match="no folder of a trained model"):
        register(pair.fixed, pair.moving, method="learned", model=tmp_path / "none")


@pytest.mark.parametrize(
    ("network", "classical", "wins"),
    [
        ((0.3, 5.0), (0.2, 5.0), True),
        ((0.2, 5.0), (0.3, 5.0), False),
        ((0.02, 5.0), None, False),
        ((0.3, 1.0), None, False),
        ((0.3, 5.0), None, True),
        (None, None, False),
    ],
)
def test_the_network_is_kept_only_where_it_is_sure_and_better(network, classical, wins):
    said = {"network": network, "classical": classical}
    assert _network_wins({name: Preference(*one) for name, one in said.items() if one}) is wins
