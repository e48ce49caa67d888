"""What is filled into a page is escaped, and nothing is left out silently."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from napari_histreg.quality.page import render, value_words


@given(st.text())
def test_no_word_from_outside_becomes_markup(words):
    page = render("page.html", title=f"<b>{words}</b>")
    assert "<b>" not in page


def test_what_a_template_misses_is_an_error():
    with pytest.raises(UndefinedError):
        render("page.html")


def test_values_of_a_record_are_said_in_words():
    assert value_words({"a_b": [1, 2.50001, None, False], "c": {}}) == "a b 1, 2.5, –, no, c –"
    assert value_words(float("inf")) == "–"
    assert len(value_words("x" * 1000)) == 200


def test_charts_are_kept_as_png_and_photographs_as_jpeg():
    from napari_histreg.quality.page import _data_url

    flat = np.full((200, 200, 3), 255, np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    assert _data_url(flat).startswith("data:image/png;base64,")
    assert _data_url(noise).startswith("data:image/jpeg;base64,")
