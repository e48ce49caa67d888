"""The expected number of chance agreements, against a count of them."""

import math

import numpy as np
import pytest

from napari_histreg.transforms.chance import hit_probability, log_false_alarms


def test_the_tail_is_the_binomial_one() -> None:
    # 2 of 3 further pairs agree by chance p = 0.1: 3 p^2 (1-p) + p^3 = 0.028; C(5, 2) = 10 samples, 3 sizes.
    assert math.exp(log_false_alarms(4, 5, 2, 0.1)) == pytest.approx(0.028 * 10 * 3)


def test_no_agreement_beyond_the_sample_is_chance() -> None:
    assert log_false_alarms(2, 9, 2, 1e-9) == math.inf
    assert log_false_alarms(9, 9, 2, 1.0) == math.inf


def test_large_counts_stay_finite() -> None:
    assert -math.inf < log_false_alarms(9_000, 10_000, 4, 1e-6) < -1e4


def test_a_line_of_points_has_an_area_too() -> None:
    line = np.array([[0.0, 0], [0, 100]])
    assert hit_probability(line, 1) == pytest.approx(math.pi / 200)
    assert hit_probability(line * 0, 1) == pytest.approx(math.pi / 4)
