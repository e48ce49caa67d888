"""Lengths as people read them."""

import math

from hypothesis import given
from hypothesis import strategies as st

from napari_histreg.units import length_words, rounded, unit_sign


@given(st.floats(-1e9, 1e9))
def test_no_power_of_ten_and_close_to_the_number(value):
    words = rounded(value)
    assert "e" not in words
    assert math.isclose(float(words), value, rel_tol=0.006, abs_tol=0.0011)


def test_lengths_have_their_unit():
    assert length_words(0.0, "um") == "0 µm"
    assert length_words(5.5e-13, "um") == "0 µm"
    assert length_words(25_400, "um") == "25 mm"
    assert length_words(25_400, "px") == "25400 px"
    assert length_words(float("nan"), "um") == "– µm"
    assert unit_sign("um") == "µm"
