"""The catalogue is what a user can name: recipes and methods, with parameters as they are checked."""

import pytest

from napari_histreg.methods import METHODS
from napari_histreg.registration.catalogue import RECIPES, list_methods, method_spec, parameter_rows

AVAILABLE = [spec.name for spec in list_methods() if spec.is_available]


def test_every_method_and_recipe_is_listed_once_the_recipes_first():
    names = [spec.name for spec in list_methods()]
    assert names[: len(RECIPES)] == ["auto", "landmarks", "learned"]
    assert sorted(names) == sorted({*(s.name for s in RECIPES), *(s.name for s in METHODS)})


@pytest.mark.parametrize("name", AVAILABLE)
def test_the_rows_are_the_parameters(name):
    model = method_spec(name).load()
    rows = parameter_rows(name)
    assert [row.name for row in rows] == list(model.model_fields)
    for row in rows:
        assert row.title
        assert row.description
        assert getattr(model(), row.name) == row.default
        assert not row.choices or row.default is None or str(row.default) in row.choices


def test_an_unknown_name_is_answered_with_all():
    with pytest.raises(ValueError, match=r"'magic'.*auto, landmarks, learned, sift"):
        method_spec("magic")
