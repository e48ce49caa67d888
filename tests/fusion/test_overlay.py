import numpy as np
import pytest
from matplotlib import colormaps

from napari_histreg.fusion import colour_overlay
from napari_histreg.slides import open_slide


def ramps():
    """Grey rises from left to right, activity from top to bottom, both from 0 to 1."""
    across, down = np.meshgrid(np.linspace(0, 1, 201), np.linspace(0, 1, 201))
    return across.astype(np.float32), down.astype(np.float32)


@pytest.mark.parametrize("opacity", [0.0, 0.7, 1.0])
def test_colours_cover_as_much_as_they_are_strong(opacity):
    anatomy, activity = ramps()
    slide = colour_overlay(open_slide(anatomy), open_slide(activity), "hot", opacity=opacity)
    assert slide.is_rgb
    shown = np.moveaxis(slide.read_level(0), 0, -1) / 255
    grey, hot = (np.clip((v - 0.005) / (0.998 - 0.005), 0, 1) for v in (anatomy, activity))
    cover = opacity * hot[..., None]
    expected = (1 - cover) * grey[..., None] + cover * colormaps["hot"](hot)[..., :3]
    assert np.abs(shown - expected).max() < 0.04
    assert np.abs(shown - expected).mean() < 0.005
    # Where nothing is active the anatomy is seen as it is.
    assert np.ptp(shown[0], axis=-1).max() < 0.02


def test_what_cannot_be_laid_over_is_said():
    anatomy, activity = map(open_slide, ramps())
    with pytest.raises(ValueError, match="one grid"):
        colour_overlay(anatomy, open_slide(np.zeros((9, 9))))
    with pytest.raises(ValueError, match="no colour map 'rainbowish'"):
        colour_overlay(anatomy, activity, "rainbowish")
    with pytest.raises(ValueError, match="0 to 1"):
        colour_overlay(anatomy, activity, opacity=2)
