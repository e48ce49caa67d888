"""A heart that beats in the window's event loop: how long the window did not answer, and what that took."""

import time

from qtpy.QtCore import QEventLoop, Qt, QTimer


class Beats:
    """Keeps the longest gap between two beats, in seconds of the wall and of the window's own processor time.

    On a machine that is busy with other things, only the second one is the window's own doing.
    """

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(5)
        self.begin()

    def begin(self) -> None:
        """Forget the gaps so far."""
        self.wall = self.processor = 0.0
        self._last = time.perf_counter(), time.thread_time()

    def _beat(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.wall = max(self.wall, now[0] - self._last[0])
        self.processor = max(self.processor, now[1] - self._last[1])
        self._last = now

    def __str__(self) -> str:
        return f"longest gap {1000 * self.wall:.0f} ms, {1000 * self.processor:.0f} ms of processor time"


def work(seconds: float) -> None:
    """Let the window work."""
    loop = QEventLoop()
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()
