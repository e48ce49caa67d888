"""What was read last stays, within a bound, whichever thread asks."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_histreg.caching import ArrayCache


def test_what_was_asked_for_least_recently_goes_first():
    cache = ArrayCache(limit=100)
    for key in "ab":
        cache.get(key, lambda: np.zeros(45, np.uint8))
    cache.get("a", lambda: np.zeros(0))
    cache.get("c", lambda: np.zeros(45, np.uint8))
    assert "a" in cache
    assert "b" not in cache


def test_the_last_array_stays_however_large_it_is():
    cache = ArrayCache(limit=100)
    cache.get("small", lambda: np.zeros(40, np.uint8))
    large = cache.get("large", lambda: np.zeros(1000, np.uint8))
    assert cache.get("large", lambda: np.zeros(1)) is large
    assert "small" not in cache
    cache.get("next", lambda: np.zeros(40, np.uint8))
    assert cache.size == 40


def test_what_is_not_to_be_kept_is_not():
    cache = ArrayCache(limit=100)
    cache.get("a", lambda: np.zeros(10, np.uint8), keep=False)
    assert "a" not in cache
    cache.get("a", lambda: np.zeros(10, np.uint8))
    cache.clear()
    assert cache.size == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 60)), max_size=40))
def test_the_bound_holds_and_every_answer_is_right(asked):
    cache = ArrayCache(limit=100)
    sizes = {}
    for key, size in asked:
        sizes.setdefault(key, size)
        assert (
            cache.get(key, lambda key=key: np.full(sizes[key], key, np.uint8)).tolist() == [key] * sizes[key]
        )
        assert cache.size <= 100


def test_many_threads_get_what_they_ask_for():
    cache = ArrayCache(limit=1000)
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda k: cache.get(k % 30, lambda: np.full(64, k % 30, np.uint8)), range(2000))
        assert all((array == k % 30).all() for k, array in enumerate(found))
    assert cache.size <= 1000
