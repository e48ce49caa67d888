import numpy as np
import pytest

from napari_histreg.plugin.models import ChosenSlide, Session
from napari_histreg.slides import Slide, open_slide


@pytest.fixture
def fixed_slide() -> Slide:
    rng = np.random.default_rng(1)
    return open_slide(rng.integers(0, 255, (200, 300), dtype=np.uint8), pixel_size_um=0.5, name="fixed")


@pytest.fixture
def moving_slide() -> Slide:
    rng = np.random.default_rng(2)
    return open_slide(rng.integers(0, 255, (220, 280), dtype=np.uint8), pixel_size_um=0.4, name="moving")


@pytest.fixture
def session(fixed_slide: Slide, moving_slide: Slide) -> Session:
    made = Session()
    made.choose(ChosenSlide("f", fixed_slide), ChosenSlide("m", moving_slide))
    return made
