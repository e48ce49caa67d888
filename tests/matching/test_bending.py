"""The bent part: found where it is, left out where it is not, without folds, the same every time."""

from functools import lru_cache

import numpy as np
import pytest

from bent import BASE, SIDE, bend, bent_pair
from napari_histreg.geometry import Frame
from napari_histreg.matching.bending import fit_local_field
from napari_histreg.matching.local_fit import LocalFit
from napari_histreg.matching.picture import Picture
from napari_histreg.methods.signal import comparable
from napari_histreg.progress import Cancelled
from napari_histreg.transforms import Affine
from phantoms import Tissue


@lru_cache
def pictures(amplitude: float, stain: str = "other") -> tuple[Picture, Picture]:
    case = bent_pair(amplitude, stain)
    return comparable(case.fixed, "fixed"), comparable(case.moving, "moving")


def errors(fit: LocalFit, amplitude: float) -> np.ndarray:
    """Errors on a grid, in px of the fixed picture (the scale of 0.9 is divided out)."""
    grid = np.stack(np.meshgrid(*[np.linspace(30, SIDE - 30, 15)] * 2, indexing="ij"), -1).reshape(-1, 2)
    return np.linalg.norm(fit.fixed_to_moving(grid) - bend(amplitude)(grid), axis=1) / 0.9


@pytest.mark.parametrize("stain", ["other", "inverted"])
def test_finds_a_bend_across_stains(stain):
    fit = fit_local_field(*pictures(5.0, stain), BASE.matrix)
    affine = errors(LocalFit(BASE.matrix), 5.0)
    assert np.median(affine) > 2.5
    assert fit.field is not None
    # Blocks of 56 px read to a third of a pixel, of a bend that changes by 1 px over their width.
    assert np.median(errors(fit, 5.0)) < 0.8
    assert fit.min_jacobian > 0.2
    assert fit.field.folding().minimum == fit.min_jacobian
    assert fit.gain > 0.1
    assert "Bending raised" in fit.notes[0]


def test_a_rigid_pair_keeps_its_affine():
    fit = fit_local_field(*pictures(0.0), BASE.matrix)
    assert fit.field is None
    assert isinstance(fit.fixed_to_moving, Affine)
    np.testing.assert_array_equal(fit.fixed_to_moving.matrix, BASE.matrix)
    assert "the affine alignment stays" in fit.notes[0]
    assert fit.min_jacobian == 1.0


def test_unrelated_pictures_are_not_bent_onto_each_other():
    fixed, _ = pictures(0.0)
    other = Tissue.random(400.0, seed=99, nuclei=1500).view(shape=(SIDE, SIDE), stain="other")
    assert fit_local_field(fixed, comparable(other, "moving"), np.eye(3)).field is None


def test_noise_is_not_bent():
    noise = np.random.default_rng(0).random((2, 1, 200, 200), dtype=np.float32)
    frame = Frame((200, 200), (1.0, 1.0), (0.0, 0.0))
    assert fit_local_field(Picture(noise[0], frame), Picture(noise[1], frame), np.eye(3)).field is None


def test_the_inverse_brings_points_back():
    fit = fit_local_field(*pictures(5.0), BASE.matrix)
    back = fit.fixed_to_moving.inverse()
    points = np.random.default_rng(0).uniform(0, SIDE, (300, 2))
    assert np.linalg.norm(back(fit.fixed_to_moving(points)) - points, axis=1).max() <= back.error_bound


def test_world_units_do_not_matter():
    """The same pictures in µm of 0.25 a pixel give the same bend in µm."""
    fixed, moving = pictures(5.0)
    p = 0.25
    small = [
        Picture(
            q.channels, Frame(q.frame.shape, (p, p), (p * q.frame.origin[0], p * q.frame.origin[1])), q.mask
        )
        for q in (fixed, moving)
    ]
    scale = np.diag([p, p, 1.0])
    matrix = scale @ BASE.matrix @ np.linalg.inv(scale)
    points = np.random.default_rng(0).uniform(0, SIDE, (100, 2))
    in_px = fit_local_field(fixed, moving, BASE.matrix).fixed_to_moving(points)
    in_um = fit_local_field(*small, matrix).fixed_to_moving(points * p)
    # float32 planes are sampled at places that differ by rounding.
    np.testing.assert_allclose(in_um / p, in_px, atol=0.02)


@pytest.mark.thorough
def test_same_input_same_bend():
    first, second = (fit_local_field(*pictures(5.0), BASE.matrix) for _ in range(2))
    np.testing.assert_array_equal(first.field.values, second.field.values)


def test_masked_parts_take_no_part():
    fixed, moving = pictures(5.0)
    channels, mask = fixed.channels.copy(), fixed.mask.copy()
    channels[:, :80, :120], mask[:80, :120] = 1.0, False
    fit = fit_local_field(Picture(channels, fixed.frame, mask), moving, BASE.matrix)
    assert fit.field is not None
    assert np.median(errors(fit, 5.0)) < 0.9


def test_no_overlap_and_too_small():
    fixed, moving = pictures(0.0)
    away = BASE.matrix.copy()
    away[0, 2] += 5000
    assert "too small" in fit_local_field(fixed, moving, away).notes[0]


def test_a_blank_overlap_is_not_bent():
    frame = Frame((200, 200), (1.0, 1.0), (0.0, 0.0))
    blank = Picture(np.zeros((1, 200, 200), np.float32), frame)
    fit = fit_local_field(blank, blank, np.eye(3))
    assert fit.field is None
    assert "Too few blocks" in fit.notes[0]


def test_progress_and_cancel():
    told = []
    fit_local_field(*pictures(0.0), BASE.matrix, progress=lambda f, m: told.append(f))
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == 1

    def stop(fraction, message):
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        fit_local_field(*pictures(0.0), BASE.matrix, progress=stop)
