import numpy as np
import pytest

from napari_histreg.errors import NoTissue
from napari_histreg.preprocess.vessels import enhanced_vessels, is_retina, retina_field, vessel_slide
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import open_slide
from retinas import retina

PLANES = np.moveaxis(retina(), -1, 0)


def disc(shape=(200, 260), radius=90, centre=(98, 131)):
    y, x = np.indices(shape)
    return np.hypot(y - centre[0], x - centre[1]) < radius


def test_the_field_is_where_light_comes_through():
    rng = np.random.default_rng(0)
    inside = disc()
    picture = np.where(inside, rng.normal(120, 15, inside.shape), rng.normal(4, 1, inside.shape))
    picture[90:110, 60:75] = 6  # a bleeding
    picture[3:5, 3:5] = 200  # a speck
    found = retina_field(picture[None])
    assert (found ^ inside).mean() < 0.005
    # A field that the frame cuts off goes to the frame.
    cut = retina_field(picture[None, 40:150])
    assert cut[0, 131]
    assert (cut ^ inside[40:150]).mean() < 0.005


def test_a_retina_is_told_from_tissue_and_from_other_pictures():
    from skimage import data

    assert is_retina(open_slide(retina()))
    grey = np.repeat(retina()[..., 1:2], 3, axis=-1)
    others = [grey, data.immunohistochemistry(), data.astronaut(), retina()[100:200, 100:200]]
    assert not any(is_retina(open_slide(np.asarray(picture))) for picture in others)
    pair = phantom_pair(400)
    assert not is_retina(pair.fixed)
    assert not is_retina(pair.moving)
    square = np.zeros((200, 200, 3), np.uint8)
    square[30:170, 30:170] = (160, 90, 40)
    assert not is_retina(open_slide(square))


@pytest.mark.parametrize("how", ["vessels", "frangi"])
def test_vessels_shine_and_nothing_outside_the_field_has_a_say(how):
    inside = disc()
    plane = np.where(inside, 120.0, 3.0)
    plane += 30 * np.sin(np.indices(inside.shape)[0] / 60)  # uneven light
    line = np.zeros_like(inside)
    line[:, 128:132] = True
    plane[line & inside] -= 25
    found = enhanced_vessels(plane, inside, how).astype(float)
    deep = disc(radius=75)
    assert found[line & deep].mean() > found[~line & deep].mean() + 60
    assert (found[~inside] == 0).all()
    other = np.where(inside, plane, 255.0)
    assert np.array_equal(enhanced_vessels(other, inside, how), found)


def test_a_vessel_slide_lies_on_the_pixels_of_the_photograph():
    slide = open_slide(retina(), pixel_size_um=9.0, name="eye")
    seen = vessel_slide(slide)
    assert (seen.name, seen.shape, seen.pixel_size_um) == ("eye", slide.shape, slide.pixel_size_um)
    expected = enhanced_vessels(PLANES[1], retina_field(PLANES))
    assert np.array_equal(seen.read_level(0)[0], expected)
    red = enhanced_vessels(PLANES[0], retina_field(PLANES))
    assert np.array_equal(vessel_slide(slide, channel=0).read_level(0)[0], red)


def test_what_has_no_field_is_refused():
    with pytest.raises(NoTissue, match="no field"):
        enhanced_vessels(np.ones((40, 40)), np.zeros((40, 40), bool))


def test_a_whole_slide_is_no_photograph():
    from dataclasses import replace

    from napari_histreg.slides.slide import Level

    slide = open_slide(np.zeros((8, 8, 3), np.uint8), name="large.svs")
    huge = replace(slide, levels=(Level((90000, 80000), (1.0, 1.0)),))
    assert not is_retina(huge)
    with pytest.raises(NoTissue, match=r"large.svs is 80000 x 90000 px"):
        vessel_slide(huge)
