from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest

from napari_histreg.caching import ArrayCache, ResultCache
from napari_histreg.geometry import Region
from napari_histreg.slides import open_slide
from napari_histreg.slides.fingerprint import fingerprint
from napari_histreg.slides.remembered import recall, remember_overviews


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


def test_what_was_made_of_a_slide_is_recalled_for_it_alone():
    (one, _), (other, _) = pyramid(), pyramid()
    results = ResultCache(4)
    first, second = (remember_overviews(slide, ArrayCache(1000), results) for slide in (one, other))
    assert [recall(first, "a", lambda: 1), recall(first, "a", lambda: 2), recall(first, "b", lambda: 3)] == [
        1,
        1,
        3,
    ]
    assert recall(second, "a", lambda: 4) == 4
    assert [recall(one, "a", lambda: 5), recall(one, "a", lambda: 6)] == [5, 6]


def test_what_failed_is_made_again_and_two_threads_make_one():
    slide = remember_overviews(pyramid()[0], ArrayCache(1000), ResultCache(4))

    def fail():
        raise ValueError("not yet")

    with pytest.raises(ValueError, match="not yet"):
        recall(slide, "a", fail)
    begun, made = Event(), []

    def slow():
        begun.set()
        made.append(0)
        return len(made)

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(recall, slide, "a", slow) for _ in range(2)]
        assert begun.wait(10)
        assert [job.result() for job in jobs] == [1, 1]
