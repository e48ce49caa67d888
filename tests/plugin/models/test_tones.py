"""Words in colour are readable on both themes: the contrast is computed."""

import pytest

from napari_histreg.plugin.models.tones import ON_SLIDES, TONES, contrast, is_light

LEAST = 4.5
"""What WCAG 2.2 asks of text (success criterion 1.4.3)."""


@pytest.mark.parametrize("name", ["dark", "light"])
def test_every_tone_is_readable_on_every_background_of_the_theme(name):
    theme = pytest.importorskip("napari.utils.theme").get_theme(name)
    backgrounds = [
        getattr(theme, part).as_hex(format="long") for part in ("background", "foreground", "primary")
    ]
    assert {is_light(background) for background in backgrounds} == {name == "light"}
    for tone, colour in TONES[name].items():
        for background in backgrounds:
            assert contrast(colour, background) >= LEAST, (tone, colour, background)


def test_words_on_slides_are_readable_on_brightfield_and_on_fluorescence():
    assert min(contrast(ON_SLIDES, "#ffffff"), contrast(ON_SLIDES, "#000000")) >= LEAST


def test_contrast_is_known_at_both_ends():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
