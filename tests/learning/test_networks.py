"""Every network of the table: its output, its folds, its weights, and the same in both libraries."""

import numpy as np
import pytest

from napari_histreg.errors import DamagedFile
from napari_histreg.learning.layers import ArrayLayers
from napari_histreg.learning.networks import (
    NETWORKS,
    Architecture,
    check_weights,
    displacement,
    drawn_weights,
    integrated,
)

RNG = np.random.default_rng(0)
FIXED, MOVING = (RNG.normal(size=(1, 1, 32, 48)).astype(np.float32) for _ in range(2))
EVERY = [Architecture(name, times) for name in NETWORKS for times in (1, 2)]


@pytest.mark.parametrize("architecture", EVERY, ids=str)
def test_begins_with_next_to_no_displacement_of_every_pixel(architecture):
    found = displacement(architecture, ArrayLayers(drawn_weights(architecture, 0)), FIXED, MOVING)
    assert found.shape == (1, 2, 32, 48)
    assert 0 < np.abs(found).max() < 1


@pytest.mark.parametrize("architecture", EVERY, ids=str)
def test_applied_without_a_framework_as_in_training(architecture):
    torch = pytest.importorskip("torch", reason='training needs the extra "learned"')
    from napari_histreg.learning.torch_layers import TorchLayers

    rng = np.random.default_rng(1)
    weights = {
        k: (v + rng.normal(0, 0.02, v.shape)).astype(np.float32)
        for k, v in drawn_weights(architecture, 0).items()
    }
    ours = displacement(architecture, ArrayLayers(weights), FIXED, MOVING)
    tensors = {k: torch.tensor(v) for k, v in weights.items()}
    theirs = displacement(architecture, TorchLayers(tensors), torch.tensor(FIXED), torch.tensor(MOVING))
    assert np.abs(ours).max() > 0.1
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4)


def test_an_integrated_velocity_does_not_fold_where_the_velocity_itself_would():
    y, x = np.indices((64, 64), np.float32)
    velocity = np.stack([np.zeros_like(y), 8 * np.sin(x / 5)])[None].astype(np.float32)
    assert (np.diff(velocity[0, 1], axis=1) < -1).any()
    field = integrated(ArrayLayers({}), velocity)
    assert (np.diff(field[0, 1], axis=1) > -1).all()


def test_there_and_back_along_a_velocity_is_nowhere():
    y, x = np.indices((64, 64), np.float32)
    velocity = np.stack([2 * np.sin(x / 9), 3 * np.cos(y / 11)])[None].astype(np.float32)
    layers = ArrayLayers({})
    there, back = integrated(layers, velocity), integrated(layers, -velocity)
    left = there + layers.warped(back, there)
    assert np.abs(left[..., 8:-8, 8:-8]).max() < 0.1


def test_weights_are_those_of_the_seed_and_no_others():
    first, again, other = (drawn_weights(Architecture("fcn"), seed) for seed in (1, 1, 2))
    assert all(np.array_equal(first[k], again[k]) for k in first)
    assert not np.array_equal(first["0.down0.weight"], other["0.down0.weight"])
    check_weights(Architecture("fcn"), other, "w")
    with pytest.raises(DamagedFile, match="'fcn'"):
        check_weights(Architecture("fcn"), drawn_weights(Architecture("unet"), 0), "w")
    other["0.down0.bias"][0] = np.nan
    with pytest.raises(DamagedFile, match="not finite"):
        check_weights(Architecture("fcn"), other, "w")


def test_every_row_names_its_source():
    assert all(spec.doi and spec.title for spec in NETWORKS.values())
    assert {name for name, spec in NETWORKS.items() if not spec.bends} == {"affine", "stn"}
