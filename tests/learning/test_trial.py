"""A trial of networks whose answer is known: none, and the same shift everywhere."""

import numpy as np
import pytest

from learning_planes import prepared_set
from napari_histreg.learning.model_folder import Description, Model, Scope
from napari_histreg.learning.networks import drawn_weights
from napari_histreg.learning.recipe import Recipe
from napari_histreg.learning.trial import TILES, summary, try_model


def still(shift_px=0.0):
    recipe = Recipe(network="fcn", tile_px=32, largest_px=4)
    weights = {name: np.zeros_like(array) for name, array in drawn_weights(recipe.architecture, 0).items()}
    weights["0.velocity0.bias"][:] = shift_px / 2
    scope = Scope(lights=(("brightfield", "brightfield"),))
    return Model(Description(recipe=recipe, scope=scope, training_set=()), weights)


def test_a_network_that_does_nothing_changes_no_figure(tmp_path):
    rows = try_model(still(), prepared_set(tmp_path, 2), [0, 1])
    assert [row.name for row in rows] == ["pair 0"] * TILES + ["pair 1"] * TILES
    for row in rows:
        assert row.after_px == row.before_px
        assert row.ncc_after == pytest.approx(row.ncc_before, abs=1e-5)
        assert row.folded == 0
    figures = summary(rows)
    assert figures["error before, px"] == figures["error after, px"] > 0.2
    assert figures["tiles"] == 2 * TILES


def test_a_shift_of_everything_is_off_by_that_much(tmp_path):
    rows = try_model(still(20.0), prepared_set(tmp_path, 2), [0])
    assert all(row.after_px == pytest.approx(20 * 2**0.5, abs=4.5) for row in rows)
    assert all(row.ncc_after < row.ncc_before for row in rows)
