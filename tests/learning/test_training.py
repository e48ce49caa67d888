"""Training on planes of 48 px: it learns, goes on where it was stopped, and repeats itself."""

import numpy as np
import pytest

from learning_planes import prepared_set
from napari_histreg.errors import DamagedFile
from napari_histreg.learning.recipe import Recipe
from napari_histreg.learning.splits import split_by_specimen
from napari_histreg.learning.training import CHECKPOINT, train_network
from napari_histreg.progress import Cancelled, silent

pytest.importorskip("torch", reason='training needs the extra "learned"')

RECIPE = Recipe(tile_px=32, largest_px=3, epochs=3, tiles_per_pair=2, own=0.0, window_px=7)


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    return prepared_set(tmp_path_factory.mktemp("prepared"))


def run(examples, folder, recipe=RECIPE, progress=silent):
    folder.mkdir(exist_ok=True)
    split = split_by_specimen(examples.specimens, recipe.held_back, recipe.seed)
    return train_network(examples, split, recipe, folder, progress=progress)


def stop_after(epochs):
    told = []

    def tell(fraction, message):
        told.append(message)
        if len(told) == epochs:
            raise Cancelled

    return tell


def test_a_stopped_run_ends_as_one_that_was_not(examples, tmp_path):
    whole = run(examples, tmp_path / "whole")
    with pytest.raises(Cancelled):
        run(examples, tmp_path / "parts", progress=stop_after(1))
    parts = run(examples, tmp_path / "parts")
    np.testing.assert_allclose(parts.history, whole.history, atol=1e-4)
    for name, array in whole.best.items():
        np.testing.assert_allclose(parts.best[name], array, atol=1e-4)
    assert parts.steps == whole.steps == 3 * 4 * 2 // 4
    seeds = run(examples, tmp_path / "other", RECIPE.model_copy(update={"seed": 1}))
    assert seeds.history != whole.history


def test_learns_to_bring_unseen_specimens_together(examples, tmp_path):
    """A network that is applied to what it never saw must take a good part of the displacement away."""
    longer = RECIPE.model_copy(
        update={"epochs": 10, "tiles_per_pair": 8, "rate": 3e-3, "roughness": 0.1, "largest_px": 6.0}
    )
    course = run(examples, tmp_path / "long", longer)
    first, best = course.history[0], course.history[course.best_epoch]
    assert best[2] < first[2] - 0.1
    assert best[3] < 0.75 * first[3]


def test_early_stopping_ends_what_no_longer_improves(examples, tmp_path):
    # With a rate of next to nothing the validation loss hardly moves.
    still = RECIPE.model_copy(update={"epochs": 50, "patience": 1, "rate": 1e-12})
    course = run(examples, tmp_path / "still", still)
    assert len(course.history) < 50


def test_a_checkpoint_of_another_network_is_refused(examples, tmp_path):
    run(examples, tmp_path / "a", RECIPE.model_copy(update={"epochs": 1}))
    with pytest.raises(DamagedFile, match="'fcn'"):
        run(examples, tmp_path / "a", RECIPE.model_copy(update={"network": "fcn"}))
    (tmp_path / "a" / CHECKPOINT).write_bytes(b"nothing")
    with pytest.raises(DamagedFile, match="weights"):
        run(examples, tmp_path / "a")


@pytest.mark.parametrize(
    "values",
    [
        {"network": "pyramid", "cascade": 2, "shared": True},
        {"network": "affine", "similarity": "mi", "smoothness": "bending"},
        {"network": "fcn", "similarity": "mind", "inverse": 0.1},
        {"network": "stn", "similarity": "mse"},
    ],
    ids=lambda values: values["network"],
)
def test_every_network_and_loss_takes_a_step(examples, tmp_path, values):
    course = run(examples, tmp_path / "one", RECIPE.model_copy(update={**values, "epochs": 1}))
    assert np.isfinite(course.history).all()
