"""A small field in a much larger slide: found in its window, refused where it lies in none."""

from dataclasses import replace

import numpy as np
import pytest

from napari_histreg.errors import Cancelled
from napari_histreg.geometry import Region
from napari_histreg.matching.left_out_blocks import Agreement
from napari_histreg.registration.automatic.criteria import Measures
from napari_histreg.registration.automatic.overview import look_at
from napari_histreg.registration.automatic.small_field import small_field
from napari_histreg.registration.automatic.tiles import Side, read_picture
from napari_histreg.registration.register import register
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import open_slide

SIDE = 360
CORNER = Region(1000, 700, SIDE, SIDE)


def cut(pair):
    """A field of the fluorescence slide: 0.23 mm of 1.2 mm, with the corner at which it was cut out."""
    pixels = pair.moving.read(0, CORNER)
    size = pair.moving.pixel_size_um
    corner = np.array([CORNER.y, CORNER.x]) * size
    return open_slide(pixels, pixel_size_um=size), corner


@pytest.fixture(scope="module")
def pair():
    return phantom_pair(2400, pixel_size_um=0.5, angle_deg=200)


def places(pair, corner):
    """Points of the field in its own µm, and where the large slide shows them."""
    inside = np.random.default_rng(0).uniform(0, SIDE * pair.moving.pixel_size_um[0], (50, 2))
    return inside, pair.fixed_to_moving.inverse()(inside + corner)


@pytest.mark.parametrize("field_is_fixed", [False, True])
def test_a_field_is_found_in_the_slide(pair, field_is_fixed):
    field, corner = cut(pair)
    slides = (field, pair.fixed) if field_is_fixed else (pair.fixed, field)
    result = register(*slides)
    inside, seen = places(pair, corner)
    to_slide = result.fixed_to_moving if field_is_fixed else result.fixed_to_moving.inverse()
    assert result.verdict == "accepted", result.reasons
    assert np.linalg.norm(to_slide(inside) - seen, axis=1).max() < 1.0
    assert next(s for s in result.steps if s.name == "find").scores["found by"] == "small field"


def search(slide, field):
    sides = Side(slide, look_at(slide)), Side(field, look_at(field))
    found = small_field(sides, (0.95, 1.05))
    assert found is not None
    return found


def test_a_field_of_other_tissue_is_refused(pair):
    field, _ = cut(phantom_pair(2400, pixel_size_um=0.5, seed=5))
    noted = {}
    finding = search(pair.fixed, field).find(
        note=lambda name, figures, verdict: noted.update({name: verdict})
    )
    assert finding is None or finding.verdict.word == "refused"
    assert "small field" in noted


def test_windows_cover_the_tissue_and_overlap(pair):
    field, _ = cut(pair)
    windows = search(pair.fixed, field).windows()
    nuclei = pair.fixed.source.nuclei(300)
    low, high = np.array([w.min(0) for w in windows]), np.array([w.max(0) for w in windows])
    half = 0.5 * SIDE * field.pixel_size_um[0]
    whole = ((nuclei[:, None] - half > low) & (nuclei[:, None] + half < high)).all(-1).any(1)
    inner = ((nuclei > half) & (nuclei < 1200 - half)).all(1)
    assert whole[inner].all()


def test_slides_of_like_extent_and_unknown_sizes_are_left_to_the_overviews(pair):
    field, _ = cut(pair)
    without = open_slide(field.read_level(0))
    for other in (pair.moving, without):
        sides = Side(pair.fixed, look_at(pair.fixed)), Side(other, look_at(other))
        assert small_field(sides, (0.9, 1.1)) is None


def test_a_slide_without_coarser_levels_is_averaged_while_it_is_read():
    y, x = np.mgrid[:2500, :3000]
    slide = open_slide((128 + 60 * np.sin(y / 40) * np.cos(x / 50)).astype(np.uint8), pixel_size_um=0.5)
    side = Side(replace(slide, levels=slide.levels[:1]), look_at(slide))
    box = np.array([[100.0, 100.0], [1200.0, 1400.0]])
    whole = read_picture(side, box, 1.5)
    small = read_picture(side, box - np.array([[0, 0], [400, 700]]), 1.5)
    assert whole.frame.spacing == pytest.approx((1.5, 1.5))
    # The same places look the same, averaged while read (2600 pixels wide) or after that (1200).
    index = np.round((np.array(small.frame.origin) - whole.frame.origin) / 1.5).astype(int)
    h, w = small.frame.shape
    seen = whole.channels[0][index[0] : index[0] + h, index[1] : index[1] + w]
    shift = np.array(small.frame.origin) - whole.frame.origin - 1.5 * index
    assert np.abs(shift).max() < 1.0
    assert np.abs(seen[5:-5, 5:-5] - small.channels[0][5:-5, 5:-5]).max() < 0.05


def test_it_can_be_cancelled(pair):
    def stop(fraction, message):
        raise Cancelled

    field, _ = cut(pair)
    with pytest.raises(Cancelled):
        search(pair.fixed, field).find(progress=stop, note=lambda *_: None)


def test_the_best_of_many_places_is_believed_less():
    alone = Measures(8.0, 2.0, Agreement(20, 40, 0.06), 1.0)
    among = alone.among(100)
    assert alone.among(1) == alone
    assert among.stand_out < alone.stand_out
    assert 0 < among.agreement.above_chance < alone.agreement.above_chance
    assert Measures(1.0, 2.0, Agreement(4, 40, 0.06), 1.0).among(10_000).stand_out == 0.0
