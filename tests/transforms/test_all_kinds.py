"""The laws of transforms over the whole table of kinds; a kind that has no example here fails."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_histreg.transforms import (
    KINDS,
    Affine,
    Bijection,
    Projective,
    Rigid,
    Sequence,
    Similarity,
    Transform,
    Translation,
    fit_thin_plate,
    transform_from_dict,
)
from napari_histreg.transforms.bspline import BSpline
from napari_histreg.transforms.deformation import TOLERANCE
from napari_histreg.transforms.displacement import DisplacementField

SIDE = 1000.0
"""Bent kinds are tried within the square from 0 to this."""

EXACT = 3 * TOLERANCE * 100.0
"""What the inverses promise for grids of 100 units, where a step may move a third of itself."""

BASE = Similarity.of(angle_deg=70, scale=1.3, mirrored=True, translation=(900, -300))


def field(seed: int) -> DisplacementField:
    vectors = np.random.default_rng(seed).normal(0, 4, (11, 11, 2))
    return DisplacementField(vectors, spacing=(100.0, 100.0), base=BASE)


def grid(seed: int) -> BSpline:
    coefficients = np.random.default_rng(seed).normal(0, 10, (14, 14, 2))
    return BSpline(coefficients, origin=(-150.0, -150.0), spacing=(100.0, 100.0))


def plate(seed: int) -> Transform:
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(np.linspace(0, SIDE, 4), np.linspace(0, SIDE, 4), indexing="ij")
    fixed = np.stack([y.ravel(), x.ravel()], -1)
    return fit_thin_plate(fixed, BASE(fixed + rng.normal(0, 10, fixed.shape)), smoothing=0)


def chain(seed: int) -> Transform:
    return Sequence.of(field(seed), Bijection(BASE, BASE.inverse()), Translation.of((seed, -seed)))


EXAMPLES = {
    "translation": lambda seed: Translation.of((seed, 3.5)),
    "rigid": lambda seed: Rigid.of(angle_deg=seed, translation=(10, seed), mirrored=bool(seed % 2)),
    "similarity": lambda seed: Similarity.of(scale=0.5 + seed / 100, angle_deg=seed, mirrored=bool(seed % 2)),
    "affine": lambda seed: Affine([[1 + seed / 200, 0.2, seed], [-0.3, 0.9, 40], [0, 0, 1]]),
    "projective": lambda seed: Projective([[1.1, 0.2, seed], [-0.4, 0.8, 12], [4e-5, -2e-5, 1]]),
    "bijection": lambda seed: Bijection(field(seed), field(seed).inverse()),
    "sequence": chain,
    "displacement": field,
    "bspline": grid,
    "inverse_deformation": lambda seed: field(seed).inverse(),
    "thin_plate": plate,
    "inverse_thin_plate": lambda seed: plate(seed).inverse(),
}
TURNED = ("inverse_deformation", "inverse_thin_plate")
"""Kinds that begin where the others end."""

seeds = st.integers(0, 99)
few = settings(max_examples=8)


def made(kind: str, seed: int) -> tuple[Transform, np.ndarray]:
    """Return a transform of a kind and points where it is at home, away from its rim."""
    transform = EXAMPLES[kind](seed)
    points = np.random.default_rng(seed).uniform(0.15 * SIDE, 0.85 * SIDE, (12, 2))
    return transform, transform.inverse()(points) if kind in TURNED else points


def test_every_kind_of_the_table_has_an_example():
    assert set(EXAMPLES) == set(KINDS)
    for kind, example in EXAMPLES.items():
        assert example(3).kind == kind


@pytest.mark.parametrize("kind", KINDS)
@given(seed=seeds)
@few
def test_the_inverse_leads_back(kind, seed):
    transform, at = made(kind, seed)
    there = transform(at)
    np.testing.assert_allclose(transform.inverse()(there), at, atol=EXACT)
    np.testing.assert_allclose(transform.inverse().inverse()(at), there, atol=EXACT)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=seeds)
@few
def test_json_keeps_every_bit(kind, seed):
    transform, at = made(kind, seed)
    again = transform_from_dict(json.loads(json.dumps(transform.to_dict())))
    assert type(again) is type(transform)
    np.testing.assert_array_equal(again(at), transform(at))


@pytest.mark.parametrize("kind", KINDS)
@given(seed=seeds)
@few
def test_the_jacobian_is_the_slope(kind, seed):
    transform, at = made(kind, seed)
    step = 1e-3
    slope = np.stack(
        [(transform(at + step * d) - transform(at - step * d)) / (2 * step) for d in np.eye(2)], -1
    )
    # A field between its samples is bilinear: at its seams the slope has a step.
    off = np.abs(transform.jacobian(at) - slope).max(axis=(1, 2))
    assert np.median(off) < 1e-4
    assert np.abs(transform.jacobian(at)).max() < 10


@pytest.mark.parametrize("kind", KINDS)
@given(seed=seeds)
@few
def test_then_is_one_after_the_other(kind, seed):
    transform, at = made(kind, seed)
    after = Similarity.of(angle_deg=20, scale=0.7, translation=(5, 6))
    np.testing.assert_allclose(transform.then(after)(at), after(transform(at)), atol=1e-8)
    before = Translation.of((3, -2))
    np.testing.assert_allclose(before.then(transform)(at - (3, -2)), transform(at), atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_missing_points_stay_missing_and_none_gives_none(kind):
    transform, at = made(kind, 5)
    mixed = at.copy()
    mixed[3] = np.nan
    found = transform(mixed)
    assert np.isnan(found[3]).all()
    np.testing.assert_allclose(np.delete(found, 3, 0), np.delete(transform(at), 3, 0), atol=1e-9)
    assert transform(np.empty((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_point_does_not_depend_on_its_company(kind):
    transform, at = made(kind, 7)
    np.testing.assert_allclose(transform(at[:1]), transform(at)[:1], atol=1e-9)
