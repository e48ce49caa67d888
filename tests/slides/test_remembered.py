import numpy as np

from napari_histreg.caching import ArrayCache
from napari_histreg.geometry import Region
from napari_histreg.slides import open_slide
from napari_histreg.slides.fingerprint import fingerprint
from napari_histreg.slides.remembered import remember_overviews


class Counted:
    """Counts what is read of a slide's pixels."""

    def __init__(self, source):
        self._source, self.reads, self.closed = source, 0, False

    def read(self, level, region, channels=None):
        self.reads += 1
        return self._source.read(level, region, channels)

    def close(self):
        self.closed = True


def pyramid():
    rng = np.random.default_rng(0)
    planes = [rng.integers(0, 255, (3, 64, 80), np.uint8), rng.integers(0, 255, (3, 32, 40), np.uint8)]
    slide = open_slide(planes, pixel_size_um=0.5)
    counted = Counted(slide.source)
    object.__setattr__(slide, "source", counted)
    return slide, counted


def test_a_whole_level_is_read_once_and_a_part_of_it_as_it_is():
    slide, counted = pyramid()
    plain = slide.read_level(1)
    remembered = remember_overviews(slide, ArrayCache(1_000_000))
    counted.reads = 0
    for _ in range(3):
        assert np.array_equal(remembered.read_level(1), plain)
    assert counted.reads == 1
    assert np.array_equal(remembered.read_level(1, [2]), plain[2:])
    assert counted.reads == 2
    part = Region(3, 4, 10, 12)
    assert np.array_equal(remembered.read(0, part), slide.read(0, part))
    assert fingerprint(remembered) == fingerprint(slide)
    remembered.close()
    assert counted.closed


def test_whoever_changes_what_was_read_changes_nothing_for_others():
    slide, _ = pyramid()
    remembered = remember_overviews(slide, ArrayCache(1_000_000))
    first = remembered.read_level(1)
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(remembered.read_level(1), kept)


def test_two_slides_in_one_cache_stay_apart_and_what_does_not_fit_is_read_again():
    (one, _), (other, counted) = pyramid(), pyramid()
    cache = ArrayCache(one.read_level(1).nbytes)
    first, second = (remember_overviews(slide, cache) for slide in (one, other))
    first.read_level(1)
    second.read_level(1)
    first.read_level(1)
    counted.reads = 0
    second.read_level(1)
    assert counted.reads == 1
