"""Recipes: bounded values, as text too, and tiles that networks can take."""

import pytest
from pydantic import ValidationError

from napari_histreg.learning.networks import MULTIPLE, NETWORKS
from napari_histreg.learning.recipe import Recipe


def test_every_network_of_the_table_can_be_asked_for():
    for name in NETWORKS:
        assert Recipe(network=name).architecture.network == name


@pytest.mark.parametrize(
    "values", [{"network": "x"}, {"epochs": 0}, {"rate": -1}, {"held_back": 1.0}, {"a": 1}]
)
def test_what_cannot_be_is_refused(values):
    with pytest.raises(ValidationError):
        Recipe(**values)


def test_values_come_as_text_and_sides_fit():
    recipe = Recipe.model_validate({"epochs": "7", "rate": "1e-3", "shared": "true", "tile_px": "100"})
    assert (recipe.epochs, recipe.rate, recipe.shared) == (7, 1e-3, True)
    assert recipe.side == 96
    assert recipe.side % MULTIPLE == 0
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
