"""What was read or made last, kept for the next time."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

from cachetools import LRUCache
from numpy.typing import NDArray

__all__ = ["ArrayCache", "ResultCache"]

Result = TypeVar("Result")


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


class ResultCache:
    """Keeps the results that were asked for last, up to a number of them; safe to use from several threads.

    Two threads that ask for the same missing result wait for one another: it is made once.

    Parameters
    ----------
    count : int
        Results to keep at most.

    Examples
    --------
    >>> cache = ResultCache(count=1)
    >>> cache.get("a", lambda: 1), cache.get("a", lambda: 2)
    (1, 1)
    >>> cache.get("b", lambda: 3), cache.get("a", lambda: 4)
    (3, 4)
    """

    def __init__(self, count: int) -> None:
        self._entries: LRUCache[Hashable, _Entry] = LRUCache(count)
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """Return the result of a key, making it where it is not kept; an error of `make` is not kept."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry()
        with entry.lock:
            if not entry.is_made:
                entry.result, entry.is_made = make(), True
            found: Result = entry.result
        return found


@dataclass
class _Entry:
    """One result, and the lock of whoever makes it."""

    result: Any = None
    is_made: bool = False
    lock: Lock = field(default_factory=Lock)
