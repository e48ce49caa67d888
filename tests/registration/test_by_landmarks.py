import numpy as np
import pytest

from napari_histreg import register
from napari_histreg.errors import RegistrationError
from napari_histreg.landmarks import Landmarks
from napari_histreg.transforms import Similarity

TRUTH = Similarity.of(scale=1.3, angle_deg=25, translation=(40, -10))
BLANK = np.zeros((300, 400), np.uint8)


def pairs(count, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    fixed = rng.uniform(0, 300, (count, 2))
    return Landmarks.of(fixed, TRUTH(fixed) + rng.normal(0, noise, (count, 2)))


def test_good_pairs_are_accepted_and_carried_along():
    result = register(BLANK, BLANK, method="landmarks", landmarks=pairs(8, 0.3), model="similarity")
    assert result.verdict == "accepted"
    assert result.parameters == {"model": "similarity"}
    assert len(result.landmarks) == 8
    points = np.array([[0.0, 0.0], [300, 400]])
    # Eight pairs with 0.3 px of noise predict the corners to about that.
    assert np.abs(result.fixed_to_moving(points) - TRUTH(points)).max() < 1.5


def test_pairs_that_leave_no_room_for_doubt_are_doubtful():
    result = register(BLANK, BLANK, method="landmarks", landmarks=pairs(3), model="affine")
    assert result.verdict == "doubtful"
    assert "Add a pair" in result.reasons[0]


def test_pairs_that_contradict_one_another_are_refused():
    good = pairs(9)
    shuffled = Landmarks.of(good.fixed, np.roll(good.moving, 3, axis=0))
    result = register(BLANK, BLANK, method="landmarks", landmarks=shuffled, model="similarity")
    assert result.verdict == "refused"


@pytest.mark.parametrize("landmarks", [None, pairs(1)])
def test_too_few_pairs_say_so(landmarks):
    with pytest.raises(RegistrationError, match=r"pairs|landmarks"):
        register(BLANK, BLANK, method="landmarks", landmarks=landmarks, model="affine")
