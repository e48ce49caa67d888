"""Losses of training against plain NumPy and against the written-out derivatives of instance optimisation."""

import numpy as np
import pytest

from learning_planes import texture

torch = pytest.importorskip("torch", reason='training needs the extra "learned"')

from napari_histreg.learning import losses  # noqa: E402
from napari_histreg.learning.torch_layers import TorchLayers  # noqa: E402
from napari_histreg.methods.nonrigid import likeness  # noqa: E402

FIXED, OTHER = texture(0), texture(1)
MOVING = np.asarray(0.7 * FIXED + 0.5 * OTHER, np.float32)
LAYERS = TorchLayers({})


def tensor(array):
    return torch.tensor(np.asarray(array, np.float32))[None, None]


def test_local_correlation_is_what_windows_say_one_by_one():
    found = float(losses.local_correlation(tensor(FIXED[10:19, 10:19]), tensor(MOVING[10:19, 10:19]), 9))
    wide = [np.pad(p[10:19, 10:19], 4) for p in (FIXED, MOVING)]
    values = []
    for y in range(9):
        for x in range(9):
            a, b = (p[y : y + 9, x : x + 9].astype(float) for p in wide)
            cross = (a * b).mean() - a.mean() * b.mean()
            values.append(cross**2 / ((a.var() + 1e-2) * (b.var() + 1e-2)))
    assert found == pytest.approx(-np.mean(values), rel=1e-4)


@pytest.mark.parametrize("name", ["mi", "mse"])
def test_the_derivative_is_the_one_that_instance_optimisation_has_written_out(name):
    moving = tensor(MOVING).requires_grad_()
    value = losses.SIMILARITIES[name](tensor(FIXED), moving, 9)
    value.backward()
    expected, slope = likeness.LIKENESS[name](FIXED, MOVING, np.ones_like(FIXED), 4.0)
    assert float(value.detach()) == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(moving.grad[0, 0].numpy(), slope, atol=2e-3 * np.abs(slope).max())


@pytest.mark.parametrize("name", list(losses.SIMILARITIES))
def test_what_is_in_place_is_more_alike_than_what_is_not(name):
    loss = losses.SIMILARITIES[name]
    assert loss(tensor(FIXED), tensor(MOVING), 9) < loss(tensor(FIXED), tensor(np.roll(MOVING, 4, 0)), 9)


@pytest.mark.parametrize("name", ["lncc", "mind", "mi"])
def test_other_stains_do_not_matter_to_these(name):
    loss = losses.SIMILARITIES[name]
    assert loss(tensor(FIXED), tensor(-FIXED), 9) < loss(tensor(FIXED), tensor(np.roll(FIXED, 4, 0)), 9)


def test_roughness_bending_and_folds_of_an_affine_displacement():
    y, x = np.indices((20, 20), np.float32)
    field = torch.tensor(np.stack([0.1 * y + 0.2 * x, 0.3 * x])[None].astype(np.float32))
    assert float(losses.roughness(field)) == pytest.approx((0.1**2 + 0.2**2 + 0.3**2) / 2, rel=1e-4)
    assert float(losses.bending(field)) == pytest.approx(0, abs=1e-8)
    assert float(losses.folds(field)) == 0
    assert float(losses.folds(-10 * field[:, :, :, :])) == pytest.approx(0, abs=1e-6)  # both axes turned over
    turned = torch.tensor(np.stack([0 * y, -3 * x])[None].astype(np.float32))
    assert float(losses.folds(turned)) == pytest.approx(2)


def test_a_shift_there_and_back_is_consistent():
    there = torch.ones(1, 2, 16, 16)
    assert float(losses.inverse_consistency(LAYERS, there, -there)) == pytest.approx(0)
    assert float(losses.inverse_consistency(LAYERS, there, there)) == pytest.approx(4)


def test_dice_and_landmarks_against_counting():
    first, second = np.zeros((10, 10)), np.zeros((10, 10))
    first[2:6], second[4:8] = 1, 1
    assert float(losses.dice(tensor(first), tensor(second))) == pytest.approx(0.5, abs=1e-3)
    field = torch.zeros(1, 2, 10, 10)
    field[:, 0] = 2.0
    points = torch.tensor([[1.0, 3.0], [4.0, 5.5]])
    moved = points + torch.tensor([2.0, 3.0])
    assert float(losses.landmarks(LAYERS, field, points, moved)) == pytest.approx(3.0, abs=1e-5)
