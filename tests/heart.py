"""A heart that beats in the window's event loop, for tests of what holds the window up."""

import time

from qtpy.QtCore import Qt, QTimer


class Heart:
    """Keeps each gap between two beats while something runs, with what was being done."""

    def __init__(self, model, beats_while=lambda model: model.state == "running"):
        self.model, self.gaps, self._beats_while = model, [], beats_while
        self.last = time.perf_counter()
        self.timer = QTimer()
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self.beat)
        self.timer.start(5)

    def beat(self):
        now = time.perf_counter()
        if self._beats_while(self.model):
            self.gaps.append((now - self.last, self.model.message))
        self.last = now
