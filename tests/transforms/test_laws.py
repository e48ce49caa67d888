"""The laws that every kind of transform obeys."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_histreg.errors import NotInvertible, TransformError, UnsupportedDialect
from napari_histreg.transforms import (
    KINDS,
    Affine,
    Bijection,
    MatrixTransform,
    Projective,
    Rigid,
    Sequence,
    Similarity,
    Transform,
    Translation,
    transform_from_dict,
)

# Slides are up to 100 000 units wide.
coordinates = st.floats(-1e5, 1e5)
shifts = st.tuples(coordinates, coordinates)
angles = st.floats(-360, 360)
scales = st.floats(0.05, 20)

translations = st.builds(Translation.of, shifts)
rigids = st.builds(Rigid.of, angle_deg=angles, translation=shifts, mirrored=st.booleans())
similarities = st.builds(
    Similarity.of, scale=scales, angle_deg=angles, mirrored=st.booleans(), translation=shifts
)


@st.composite
def affines(draw: st.DrawFn) -> Affine:
    """Two turns around a stretch: every affine map, with a ratio of stretches up to 5."""
    first, second = draw(similarities), draw(similarities)
    stretch = Affine(np.diag([draw(st.floats(0.5, 2.5)), 1, 1]))
    return Affine(first.then(stretch).then(second).matrix)


@st.composite
def projectives(draw: st.DrawFn) -> Projective:
    """An affine map after a perspective whose horizon stays out of the slide."""
    tilt = np.eye(3)
    tilt[2, :2] = draw(st.tuples(st.floats(-3e-6, 3e-6), st.floats(-3e-6, 3e-6)))
    return Projective(draw(affines()).matrix @ tilt)


matrices = st.one_of(translations, rigids, similarities, affines(), projectives())


@st.composite
def bijections(draw: st.DrawFn) -> Bijection:
    forward = draw(matrices)
    return Bijection(forward, forward.inverse())


# A bijection between matrices keeps these from melting into one.
sequences = st.builds(lambda a, b, c: Sequence.of(a, b, c), matrices, bijections(), matrices)
kinds = st.one_of(matrices, bijections(), sequences)
points = st.lists(shifts, min_size=1, max_size=5).map(np.array)


def close(a: np.ndarray, b: np.ndarray, size: float) -> bool:
    """Compare relative to the largest number involved: float64 has 16 digits, six maps lose a few."""
    return bool(np.abs(a - b).max() <= 1e-8 * size)


@given(kinds, points)
def test_the_inverse_leads_back(transform: Transform, at: np.ndarray) -> None:
    there = transform(at)
    # What rounding of the image costs on the way back depends on how much the inverse enlarges.
    backward = transform.inverse()
    size = 1e5 + np.abs(backward.jacobian(there)).max() * max(1e5, np.abs(there).max())
    assert close(backward(there), at, size)


@given(kinds, kinds, points)
def test_then_is_one_after_the_other(first: Transform, second: Transform, at: np.ndarray) -> None:
    expected = second(first(at))
    if np.abs(first(at)).max() < 1e6:  # beyond, a perspective's horizon may be near
        size = np.abs(expected).max() + 1e5 * np.abs(second.jacobian(first(at))).max() * 20 + 1
        assert close(first.then(second)(at), expected, size)


@given(similarities, bijections(), affines(), points)
def test_then_is_associative(a: Transform, b: Transform, c: Transform, at: np.ndarray) -> None:
    left, right = a.then(b).then(c)(at), a.then(b.then(c))(at)
    assert close(left, right, np.abs(left).max() + 1e9)


@given(kinds, points)
def test_json_keeps_every_bit(transform: Transform, at: np.ndarray) -> None:
    again = transform_from_dict(json.loads(json.dumps(transform.to_dict())))
    assert type(again) is type(transform)
    assert np.array_equal(again(at), transform(at))
    assert again == transform


@given(st.one_of(matrices, bijections()), points)
def test_the_jacobian_is_the_slope(transform: Transform, at: np.ndarray) -> None:
    exact, slope = transform.jacobian(at), Transform.jacobian(transform, at)
    # Differences over steps of up to 10 units, of numbers up to 1e7: nine digits remain of sixteen.
    assert np.abs(exact - slope).max() <= 1e-5 * max(1.0, np.abs(exact).max())


@given(kinds)
def test_not_a_number_stays_so(transform: Transform) -> None:
    assert np.isnan(transform([[math.nan, math.nan]])).all()
    assert transform(np.empty((0, 2))).shape == (0, 2)


@given(kinds, points)
def test_a_point_does_not_depend_on_its_company(transform: Transform, at: np.ndarray) -> None:
    assert np.array_equal(transform(at[:1]), transform(at)[:1])


ORDER = [Translation, Rigid, Similarity, Affine, Projective]


@given(matrices, matrices)
def test_matrices_combine_into_the_wider_kind(a: MatrixTransform, b: MatrixTransform) -> None:
    assert type(a.then(b)) is max(type(a), type(b), key=ORDER.index)
    assert type(a.inverse()) is type(a)


def test_every_kind_in_the_table_rebuilds_itself() -> None:
    shift = Translation.of((1, 2))
    made = {
        t.kind: t
        for t in (
            shift,
            Rigid.identity(),
            Similarity.identity(),
            Affine.identity(),
            Projective.identity(),
            Bijection(shift, shift.inverse()),
            Sequence((shift, shift)),
        )
    }
    for kind, transform in made.items():
        assert kind in KINDS
        assert transform_from_dict(transform.to_dict()) == transform


@pytest.mark.parametrize("values", [{}, {"kind": "spiral"}, {"kind": ["affine"]}, [], None, "affine"])
def test_an_unknown_kind_is_refused_by_name(values: object) -> None:
    with pytest.raises(UnsupportedDialect, match="no transform of kind"):
        transform_from_dict(values)


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "affine"},
        {"kind": "affine", "matrix": [[1, 0], [0, 1]]},
        {"kind": "affine", "matrix": "eye"},
        {"kind": "rigid", "matrix": [[2, 0, 0], [0, 2, 0], [0, 0, 1]]},
        {"kind": "affine", "matrix": [[float("nan"), 0, 0], [0, 1, 0], [0, 0, 1]]},
        {"kind": "sequence", "steps": [{"kind": "affine"}]},
        {"kind": "sequence", "steps": 3},
        {"kind": "bijection", "forward": {"kind": "affine"}},
    ],
)
def test_broken_values_are_a_transform_error(values: dict) -> None:
    with pytest.raises(TransformError):
        transform_from_dict(values)


def test_sequences_open_and_melt() -> None:
    shift = Translation.of((1, 0))
    both = Bijection(shift, shift.inverse())
    chain = Sequence.of(shift, Sequence.of(shift, both), shift, shift)
    assert isinstance(chain, Sequence)
    assert [step.kind for step in chain.steps] == ["translation", "bijection", "translation"]
    assert chain([[0, 0]]).tolist() == [[5, 0]]
    assert np.array_equal(Sequence.of()([[3.0, 4.0]]), [[3.0, 4.0]])
    assert Sequence.of(shift) is shift


def test_a_chain_with_a_dead_end_has_no_inverse() -> None:
    flat = Affine(np.diag([1.0, 0, 1]))
    with pytest.raises(NotInvertible, match="singular"):
        Sequence((flat,)).inverse()
