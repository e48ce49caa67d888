"""How many threads work may take, said in one place: a cohort runs one process on each processor."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = [
    "ENVIRONMENT",
    "limited_environment",
    "one_opencv_thread",
    "processor_count",
    "spare_processors",
    "thread_count",
]

ENVIRONMENT = "HISTREG_THREADS"
"""Environment variable that says how many threads one process takes; all processors without it."""

_LINEAR_ALGEBRA = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_LIBRARIES = (
    *_LINEAR_ALGEBRA,
    "OMP_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "BLOSC_NTHREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    "TIFFFILE_NUM_THREADS",
)


def thread_count(most: int | None = None) -> int:
    """Return how many threads to take: what ``HISTREG_THREADS`` says, or one for each processor.

    Parameters
    ----------
    most : int, optional
        More than these never help.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        The variable holds no whole number from 1.

    Examples
    --------
    >>> thread_count(most=1)
    1
    """
    said = os.environ.get(ENVIRONMENT, "").strip()
    if not said:
        count = processor_count()
    elif said.isdecimal() and int(said) > 0:
        count = int(said)
    else:
        raise ValueError(f"{ENVIRONMENT} is {said!r}; it says how many threads to take, from 1.")
    return count if most is None else min(count, most)


def processor_count() -> int:
    """Return how many processors this process may use, which a scheduler can have limited."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def limited_environment(threads: int) -> dict[str, str]:
    """Return the environment for a process that may take so many threads.

    Libraries of linear algebra get one: more cost a third of processor time here and gain nothing. Dask's
    nannies tell the C library to give memory back at once, and a registration then spends half its time on
    getting it anew; such a setting is not handed on.

    Parameters
    ----------
    threads : int

    Examples
    --------
    >>> limited_environment(1)["OPENBLAS_NUM_THREADS"]
    '1'
    """
    handed_on = {name: value for name, value in os.environ.items() if name != "MALLOC_TRIM_THRESHOLD_"}
    return handed_on | dict.fromkeys(_LIBRARIES, "1") | {ENVIRONMENT: str(threads)}


def spare_processors() -> None:
    """Let libraries of linear algebra take one thread, unless the user says otherwise.

    They read this when they are loaded, so it is called before.
    """
    for name in _LINEAR_ALGEBRA:
        os.environ.setdefault(name, "1")


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Keep OpenCV from starting threads of its own beside ours, which cost more than they save."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
