"""The same operations in NumPy and in PyTorch, and each against plain arithmetic."""

import numpy as np
import pytest

from napari_histreg.learning.layers import ArrayLayers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3, 10, 12)).astype(np.float32)
FIELD = RNG.normal(0, 2, (2, 2, 10, 12)).astype(np.float32)


def drawn(seed=0):
    return ArrayLayers({}, np.random.default_rng(seed))


def test_a_convolution_is_the_sum_it_stands_for():
    layers = drawn()
    out = layers.conv(X, "c", 4, stride=2, kernel=3, last=True)
    weight = layers.weights["c.weight"]
    wide = np.pad(X, ((0, 0), (0, 0), (1, 1), (1, 1)))
    assert out.shape == (2, 4, 5, 6)
    assert out[1, 2, 3, 4] == pytest.approx((weight[2] * wide[1, :, 6:9, 8:11]).sum(), abs=1e-6)


def test_warping_by_whole_pixels_moves_them():
    field = np.zeros_like(FIELD)
    field[:, 0], field[:, 1] = 2, -1
    moved = drawn().warped(X, field)
    np.testing.assert_allclose(moved[:, :, :8, 1:], X[:, :, 2:, :-1], atol=1e-6)


def test_a_doubled_displacement_keeps_its_meaning():
    """A slope stays a slope, but for the border."""
    y = np.arange(8, dtype=np.float32)
    field = np.broadcast_to(0.1 * y[:, None], (1, 2, 8, 8))
    doubled = drawn().doubled(field)[0, 0]
    np.testing.assert_allclose(np.diff(doubled[2:-2], axis=0), 0.1, atol=1e-5)


def test_an_affine_displacement_is_one():
    field = drawn().affine_field(np.array([[0.1, 0.0, 0.0, 0.0, -0.2, 0.05]], np.float32), X[:1])[0]
    assert field[0, :, 0] == pytest.approx(0.1 * 5 * np.linspace(-1, 1, 10), abs=1e-6)
    assert field[1, 3] == pytest.approx(6 * (-0.2 * np.linspace(-1, 1, 12) + 0.05), abs=1e-6)


@pytest.mark.parametrize(
    "operation",
    [
        lambda n, x, u: n.conv(x, "c", 4, stride=2),
        lambda n, x, u: n.conv(x, "c7", 4, kernel=7, last=True),
        lambda n, x, u: n.linear(n.cells(x, 4), "l", 5),
        lambda n, x, u: n.halved(x),
        lambda n, x, u: n.repeated(n.join(x, x)),
        lambda n, x, u: n.doubled(u),
        lambda n, x, u: n.warped(x, u),
        lambda n, x, u: n.affine_field(n.linear(n.cells(x, 2), "a", 6, last=True), x),
    ],
)
def test_both_libraries_agree(operation):
    torch = pytest.importorskip("torch", reason='training needs the extra "learned"')
    from napari_histreg.learning.torch_layers import TorchLayers

    ours = drawn()
    expected = operation(ours, X, FIELD)
    theirs = TorchLayers({name: torch.tensor(array) for name, array in ours.weights.items()})
    found = operation(theirs, torch.tensor(X), torch.tensor(FIELD)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)
