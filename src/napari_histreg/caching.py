"""Arrays that were read last, kept for the next read."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

from cachetools import LRUCache
from numpy.typing import NDArray

__all__ = ["ArrayCache"]


class ArrayCache:
    """Keeps the arrays that were asked for last, up to a number of bytes; safe to use from several threads.

    The last array is kept however large it is: a file whose level is one strip would else be decoded
    anew for each region. Two threads that ask for the same missing array both make it, since waiting for
    one another would cost more than it saves.

    Parameters
    ----------
    limit : int
        Bytes to keep at most.

    Examples
    --------
    >>> import numpy as np
    >>> cache = ArrayCache(limit=100)
    >>> cache.get("a", lambda: np.zeros(60, np.uint8)).shape
    (60,)
    >>> _ = cache.get("b", lambda: np.zeros(60, np.uint8))
    >>> "a" in cache, "b" in cache, cache.size
    (False, True, 60)
    """

    def __init__(self, limit: int) -> None:
        # What is larger than the limit counts as the limit: it drives out the rest and stays.
        self._arrays: LRUCache[Hashable, NDArray[Any]] = LRUCache(
            limit, lambda array: min(array.nbytes, limit)
        )
        self._lock = Lock()

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._arrays

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        with self._lock:
            return sum(array.nbytes for array in self._arrays.values())

    def get(self, key: Hashable, make: Callable[[], NDArray[Any]], *, keep: bool = True) -> NDArray[Any]:
        """Return the array of a key, making it where it is not kept.

        Parameters
        ----------
        key : hashable
        make : callable
            Gives the array; called without the lock.
        keep : bool
            Whether to keep what is made.

        Returns
        -------
        ndarray
        """
        with self._lock:
            found = self._arrays.get(key)
        if found is not None:
            return found
        made = make()
        if keep:
            with self._lock:
                self._arrays[key] = made
        return made

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._arrays.clear()
