import numpy as np
import pytest

from napari_histreg.plugin.models import ChosenSlide, Session
from napari_histreg.plugin.models.guidance import expected_partner, next_spot, tissue_points
from napari_histreg.slides import Slide, open_slide
from napari_histreg.transforms import Similarity

TRUTH = Similarity.of(angle_deg=20, translation=(3, 4))


def test_the_partner_is_expected_where_the_pairs_say(session: Session) -> None:
    for point in ([10.0, 10], [60, 70]):
        session.add_pair(point, TRUTH([point])[0])
    assert expected_partner(session.state) is None
    session.click("fixed", [30, 40])
    found = expected_partner(session.state)
    assert found is not None
    assert found[0] == "moving"
    np.testing.assert_allclose(found[1], TRUTH([[30, 40]])[0], atol=1e-9)


def test_it_works_from_moving_to_fixed_too(session: Session) -> None:
    for point in ([10.0, 10], [60, 70]):
        session.add_pair(point, TRUTH([point])[0])
    session.click("moving", TRUTH([[30, 40]])[0])
    found = expected_partner(session.state)
    assert found is not None
    assert found[0] == "fixed"
    np.testing.assert_allclose(found[1], [30, 40], atol=1e-9)


def blob_slide() -> Slide:
    pixels = np.full((200, 300, 3), 240, np.uint8)
    pixels[60:140, 180:260] = [150, 70, 160]
    return open_slide(pixels, pixel_size_um=2.0)


def test_tissue_points_lie_on_the_tissue() -> None:
    points = tissue_points(blob_slide())
    assert len(points) > 100
    # The blob, in µm, and the width of the smoothing.
    assert points[:, 0].min() > 110
    assert points[:, 0].max() < 290
    assert points[:, 1].min() > 350
    assert points[:, 1].max() < 530


def test_blank_slides_offer_all_of_themselves() -> None:
    points = tissue_points(open_slide(np.zeros((50, 80), np.uint8)))
    assert len(points) >= 1


def test_next_spot_is_far_from_the_pairs_and_on_both_slides(session: Session) -> None:
    for point in ([10.0, 10], [12, 20], [20, 14]):
        session.add_pair(point, point)
    candidates = np.array([[15.0, 15], [80, 90], [95, 145]])
    # The moving slide ends at 88 x 112 µm, so that the last candidate is out of it.
    assert next_spot(session, candidates).point == (80, 90)


def test_next_spot_needs_a_fit_and_an_overlap(session: Session, fixed_slide: Slide) -> None:
    with pytest.raises(ValueError, match="two pairs"):
        next_spot(session, np.array([[1.0, 1]]))
    session.add_pair([0, 0], [5000, 5000])
    session.add_pair([90, 90], [5090, 5090])
    with pytest.raises(ValueError, match="do not overlap"):
        next_spot(session, np.array([[1.0, 1]]))


def test_expected_partner_of_nothing_chosen(fixed_slide: Slide) -> None:
    session = Session()
    session.choose(ChosenSlide("f", fixed_slide), None)
    assert expected_partner(session.state) is None
