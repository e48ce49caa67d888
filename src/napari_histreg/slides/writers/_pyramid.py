"""Write a pyramid in one pass: each region of level 0 is computed once, coarser levels come from it.

The slide is cut into square nodes. Four nodes of a level, halved, make one node of the next, so only
the nodes on the way to the top are held: memory does not grow with the slide. Nodes are visited in
Z-order, in which neighbours follow one another, so that what a reader keeps of the last tiles is
used again. Reading, reducing and encoding of different nodes run in parallel.
"""

import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import Region
from napari_histreg.progress import Progress
from napari_histreg.slides.computed import halved_levels
from napari_histreg.slides.parallel import be_a_worker
from napari_histreg.slides.pyramid import halve
from napari_histreg.slides.slide import Slide
from napari_histreg.threads import one_opencv_thread, thread_count

__all__ = ["NodeSink", "pyramid_shapes", "stream_pyramid"]

_Key = tuple[int, int, int]


class NodeSink(Protocol):
    """Takes the pixels of a pyramid, node by node, from several threads at once."""

    @property
    def node(self) -> int:
        """Side of a node in pixels, even."""

    def put(self, level: int, y: int, x: int, pixels: NDArray[Any]) -> int:
        """Store (C, H, W) pixels whose first one is (y, x) of a level; return the bytes written."""


def pyramid_shapes(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the shapes (Y, X) of all levels, halved and rounded up until an overview is reached.

    Examples
    --------
    >>> pyramid_shapes((1500, 4099))
    [(1500, 4099), (750, 2050), (375, 1025), (188, 513)]
    """
    return [level.shape for level in halved_levels(shape)]


@dataclass
class _Parent:
    """A node that waits for the four below it."""

    pixels: NDArray[Any]
    missing: int


@dataclass
class _Meter:
    """Says how far the work is, how much was written and how long it will still take."""

    progress: Progress
    read_bytes: int
    total_bytes: int
    written: int = 0
    start: float = field(default_factory=time.monotonic)

    def report(self, read: int = 0, written: int = 0) -> None:
        """Count and report; the progress callable may raise Cancelled here."""
        self.read_bytes += read
        self.written += written
        fraction = self.read_bytes / max(self.total_bytes, 1)
        seconds = time.monotonic() - self.start
        left = f", {_duration(seconds / fraction - seconds)} left" if fraction > 0 and seconds > 1 else ""
        self.progress(
            min(fraction, 1.0),
            f"{_size(self.read_bytes)} of {_size(self.total_bytes)}, {_size(self.written)} written{left}",
        )


def stream_pyramid(slide: Slide, sink: NodeSink, *, progress: Progress, workers: int | None = None) -> None:
    """Read level 0 of a slide once and hand all levels to a sink.

    Parameters
    ----------
    slide : Slide
        Only its level 0 is read.
    sink : NodeSink
        Gets every node of every level of `pyramid_shapes` once.
    progress : Progress
        Called in this thread only; may raise Cancelled.
    workers : int, optional
        Threads; as many as there are processors by default.
    """
    count = workers or thread_count()
    threads = ThreadPoolExecutor(count, thread_name_prefix="write", initializer=be_a_worker)
    with one_opencv_thread(), threads as pool:
        try:
            _Run(slide, sink, progress, pool, count).run()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


class _Run:
    """One pass over a slide."""

    def __init__(
        self,
        slide: Slide,
        sink: NodeSink,
        progress: Progress,
        pool: ThreadPoolExecutor,
        workers: int,
    ) -> None:
        self.slide, self.sink, self.pool = slide, sink, pool
        self.shapes = pyramid_shapes(slide.shape)
        px = len(slide.channels) * slide.dtype.itemsize
        self.side = sink.node
        # One node more than workers keeps them busy while this thread joins the results.
        self.most = workers + 1
        self.parents: dict[_Key, _Parent] = {}
        self.running: dict[Future[tuple[NDArray[Any] | None, int]], _Key] = {}
        self.meter = _Meter(progress, 0, slide.shape[0] * slide.shape[1] * px)

    def run(self) -> None:
        """Submit the nodes of level 0 in Z-order; what they complete goes first."""
        self.meter.report()
        for row, column in _z_order(*self._grid(0)):
            while len(self.running) >= self.most:
                self._collect()
            key = (0, row, column)
            self.running[self.pool.submit(self._finest, key)] = key
        while self.running:
            self._collect()

    def _grid(self, level: int) -> tuple[int, int]:
        """Rows and columns of nodes of a level."""
        height, width = self.shapes[level]
        return -(-height // self.side), -(-width // self.side)

    def _region(self, key: _Key) -> Region:
        level, row, column = key
        return Region(row * self.side, column * self.side, self.side, self.side).clipped(self.shapes[level])

    def _finest(self, key: _Key) -> tuple[NDArray[Any] | None, int]:
        """Compute a node of level 0 and store it; runs in a worker."""
        return self._store(key, self.slide.read(0, self._region(key)))

    def _store(self, key: _Key, pixels: NDArray[Any]) -> tuple[NDArray[Any] | None, int]:
        """Store a node and return it halved for the next level; runs in a worker."""
        region = self._region(key)
        written = self.sink.put(key[0], region.y, region.x, pixels)
        return (halve(pixels) if key[0] + 1 < len(self.shapes) else None), written

    def _collect(self) -> None:
        """Wait for a node, put it into its parent, and send the parent off when it is whole."""
        done, _ = wait(self.running, timeout=0.2, return_when=FIRST_COMPLETED)
        if not done:
            self.meter.report()
        for future in done:
            key = self.running.pop(future)
            half, written = future.result()
            region = self._region(key)
            px = len(self.slide.channels) * self.slide.dtype.itemsize
            self.meter.report(region.height * region.width * px if key[0] == 0 else 0, written)
            if half is not None:
                self._join(key, half)

    def _join(self, key: _Key, half: NDArray[Any]) -> None:
        level, row, column = key
        above = (level + 1, row // 2, column // 2)
        parent = self.parents.get(above) or self._new_parent(above, half)
        y, x = row % 2 * self.side // 2, column % 2 * self.side // 2
        parent.pixels[:, y : y + half.shape[1], x : x + half.shape[2]] = half
        parent.missing -= 1
        if parent.missing == 0:
            del self.parents[above]
            self.running[self.pool.submit(self._store, above, parent.pixels)] = above

    def _new_parent(self, key: _Key, half: NDArray[Any]) -> _Parent:
        """Make room for a node, in the memory order of the node that it is made from."""
        level, row, column = key
        rows, columns = self._grid(level - 1)
        missing = min(2, rows - 2 * row) * min(2, columns - 2 * column)
        count, shape = len(half), self._region(key).shape
        if half.ndim == 3 and half.strides[0] == half.itemsize:
            pixels = np.moveaxis(np.empty((*shape, count), half.dtype), -1, 0)
        else:
            pixels = np.empty((count, *shape), half.dtype)
        self.parents[key] = _Parent(pixels, missing)
        return self.parents[key]


def _z_order(rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """Visit a grid quadrant by quadrant."""

    def visit(row: int, column: int, side: int) -> Iterator[tuple[int, int]]:
        if row >= rows or column >= columns:
            return
        if side == 1:
            yield row, column
            return
        half = side // 2
        for y in (row, row + half):
            for x in (column, column + half):
                yield from visit(y, x, half)

    side = 1
    while side < max(rows, columns):
        side *= 2
    yield from visit(0, 0, side)


def _size(count: float) -> str:
    """Write a number of bytes for people.

    Examples
    --------
    >>> _size(1_234_000_000)
    '1.2 GB'
    """
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _duration(seconds: float) -> str:
    """Write a time for people."""
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
