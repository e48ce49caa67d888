"""Several pieces of one read at the same time, without workers that wait for workers."""

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from napari_histreg.threads import thread_count

__all__ = ["be_a_worker", "in_parallel"]

_Item = TypeVar("_Item")
_here = threading.local()


def be_a_worker() -> None:
    """Mark this thread as one of several that share the work: what it starts stays in it."""
    _here.is_worker = True


def _new_pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_count(), thread_name_prefix="blocks", initializer=be_a_worker)


_pool = _new_pool()


def _replace_pool() -> None:
    """Start afresh in a forked process, which has the pool but not its threads."""
    global _pool
    _pool = _new_pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_replace_pool)


def in_parallel(work: Callable[[_Item], None], items: Iterable[_Item]) -> None:
    """Do `work` for each item on all processors, and return when all is done.

    In a thread that is a worker already it is done there, one item after the other: a worker that waited
    for others could wait for ever.

    Parameters
    ----------
    work : callable
        Called from several threads.
    items : iterable
        What it is called with.

    Raises
    ------
    Exception
        The first that `work` raised.
    """
    items = list(items)
    if len(items) < 2 or getattr(_here, "is_worker", False):
        for item in items:
            work(item)
        return
    for _ in _pool.map(work, items):
        pass
