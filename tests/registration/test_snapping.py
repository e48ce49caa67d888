from pathlib import Path

import numpy as np
import pytest

from napari_histreg.errors import Cancelled, NotConverged
from napari_histreg.registration import snapping
from napari_histreg.registration.snapping import snap_point
from napari_histreg.samples import demo_pair
from napari_histreg.slides import Slide, open_slide
from napari_histreg.transforms import Similarity, Translation
from plugin_slides import tissue


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Slide, Slide, Similarity]:
    made = demo_pair(Path(tmp_path_factory.mktemp("demo")))
    return open_slide(made.fixed), open_slide(made.moving), made.fixed_to_moving


POINTS = [(60.0, 70.0), (120.0, 120.0), (190.0, 60.0), (200.0, 180.0)]


@pytest.mark.parametrize("point", POINTS)
def test_finds_the_partner_across_stains(
    pair: tuple[Slide, Slide, Similarity], point: tuple[float, float]
) -> None:
    fixed, moving, truth = pair
    near = truth([np.add(point, (4.0, -5.0))])[0]
    snap = snap_point(fixed, moving, truth, point, near=near, reach=12)
    # A third of the fixed slide's pixel: the peak's parabola is good to about a tenth.
    np.testing.assert_allclose(truth.inverse()([snap.point])[0], point, atol=0.17)
    assert snap.correlation > 0.4
    assert snap.shift == pytest.approx(np.hypot(4, 5), abs=0.2)


def test_works_with_a_transform_that_is_a_little_wrong(pair: tuple[Slide, Slide, Similarity]) -> None:
    fixed, moving, truth = pair
    wrong = truth.then(Similarity.of(angle_deg=2, scale=1.01, centre=truth([[120, 120]])[0]))
    snap = snap_point(fixed, moving, wrong, (150.0, 140.0), reach=12)
    np.testing.assert_allclose(truth.inverse()([snap.point])[0], (150, 140), atol=0.5)


def test_works_from_moving_to_fixed(pair: tuple[Slide, Slide, Similarity]) -> None:
    fixed, moving, truth = pair
    start = truth([[100.0, 130.0]])[0]
    snap = snap_point(moving, fixed, truth.inverse(), start, near=(103.0, 127.0), reach=12)
    np.testing.assert_allclose(snap.point, (100, 130), atol=0.25)


@pytest.mark.parametrize(("point", "elsewhere"), zip(POINTS, POINTS[2:] + POINTS[:2], strict=True))
def test_other_tissue_is_refused(
    pair: tuple[Slide, Slide, Similarity], point: tuple[float, float], elsewhere: tuple[float, float]
) -> None:
    fixed, moving, truth = pair
    with pytest.raises(NotConverged, match="by hand"):
        snap_point(fixed, moving, truth, point, near=truth([elsewhere])[0], reach=10)


def test_what_lies_round_a_match_must_agree_with_it() -> None:
    one, other = (tissue(seed, (300, 300)) for seed in (1, 2))

    def confirm(side: int, at: tuple[float, float] = (150.0, 150.0)) -> None:
        patched = other.copy()
        here = slice(150 - side, 151 + side)
        patched[here, here] = one[here, here]
        slides = [open_slide(pixels, pixel_size_um=1.0) for pixels in (one, patched)]
        snapping._confirm_neighbours(*slides, Translation.identity(), np.array(at), np.array(at), 1.0)

    with pytest.raises(NotConverged, match="of the places round it"):
        confirm(10)
    confirm(70)
    # At a corner of the slides, some of it lies outside and is not asked.
    confirm(150, (12.0, 12.0))


def test_flat_surroundings_are_refused(pair: tuple[Slide, Slide, Similarity]) -> None:
    _, moving, _ = pair
    blank = open_slide(np.full((400, 400, 3), 240, np.uint8), pixel_size_um=0.5)
    with pytest.raises(NotConverged, match="flat"):
        snap_point(blank, moving, Translation.of((50, 50)), (100.0, 100.0), reach=10)


def test_noise_against_tissue_is_refused(pair: tuple[Slide, Slide, Similarity]) -> None:
    fixed, _, _ = pair
    pixels = np.random.default_rng(0).integers(0, 4000, (600, 600), dtype=np.uint16)
    with pytest.raises(NotConverged, match="by hand"):
        snap_point(
            fixed, open_slide(pixels, pixel_size_um=0.4), Translation.of((0, 0)), (120.0, 120.0), reach=10
        )


def test_a_pattern_that_repeats_is_refused() -> None:
    y, x = np.mgrid[:400, :400]
    dots = (100 * (np.sin(y * np.pi / 8) * np.sin(x * np.pi / 8) + 1)).astype(np.uint8)
    slide = open_slide(dots)
    with pytest.raises(NotConverged):
        snap_point(slide, slide, Translation.of((0, 0)), (200.0, 200.0), near=(206.0, 200.0), reach=40)


def test_outside_the_slide_is_refused(pair: tuple[Slide, Slide, Similarity]) -> None:
    fixed, moving, truth = pair
    with pytest.raises(NotConverged, match="outside"):
        snap_point(fixed, moving, truth, (-900.0, 50.0), reach=10)


def test_the_reach_must_be_positive(pair: tuple[Slide, Slide, Similarity]) -> None:
    with pytest.raises(ValueError, match="reach"):
        snap_point(*pair, (100.0, 100.0), reach=0)


def test_can_be_cancelled(pair: tuple[Slide, Slide, Similarity]) -> None:
    def stop(fraction: float, message: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        snap_point(*pair, (100.0, 100.0), reach=10, progress=stop)


def test_a_partner_that_belongs_to_another_spot_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(4)
    here, other = (gaussian_filter(rng.normal(size=(400, 400)), 2) for _ in range(2))
    here, other = here / here.std(), other / other.std()
    # Round the point the other slide shows something else. Ten pixels on it shows the tissue that lies
    # there in both, and a part of it looks like the point's surroundings.
    there = other.copy()
    there[:, 180:] = (0.85 * here + 0.6 * np.roll(here, 40, axis=1))[:, 180:]
    there[:, :210] = (0.3 * other + 0.6 * np.roll(here, 40, axis=1))[:, :210]
    slides = [open_slide(np.clip(128 + 30 * plane, 0, 255).astype(np.uint8)) for plane in (here, there)]
    point, reach = (200.0, 190.0), 64.0
    with pytest.raises(NotConverged, match="way back"):
        snap_point(*slides, Translation.identity(), point, reach=reach)
    monkeypatch.setattr("napari_histreg.registration.snapping._confirm_way_back", lambda *_: None)
    assert snap_point(*slides, Translation.identity(), point, reach=reach).shift == pytest.approx(40, abs=2)
