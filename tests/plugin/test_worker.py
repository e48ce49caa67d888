"""A core call in a thread: result, error, cancel, progress."""

import threading
import time

import pytest

from napari_histreg.errors import NoTissue
from napari_histreg.plugin.worker import Task

pytestmark = pytest.mark.qt


@pytest.fixture
def errors(monkeypatch):
    said = []
    monkeypatch.setattr("napari.utils.notifications.show_error", said.append)
    return said


def followed(task):
    """Write down what a task tells."""
    heard = []
    for name in ("returned", "failed", "cancelled", "finished"):
        getattr(task, name).connect(lambda *values, name=name: heard.append((name, *values)))
    return heard


def test_the_result_comes_back_in_the_windows_thread(qtbot):
    main, threads = threading.current_thread(), []
    task = Task(lambda progress: threads.append(threading.current_thread()) or 42)
    heard = followed(task)
    task.returned.connect(lambda _value: threads.append(threading.current_thread()))
    with qtbot.waitSignal(task.finished, timeout=5000):
        task.start()
    assert heard == [("returned", 42), ("finished",)]
    assert threads[0] is not main
    assert threads[1] is main
    assert not task.is_running


def test_an_error_of_the_library_is_one_notification_with_its_sentence(qtbot, errors):
    def fail(progress):
        raise NoTissue("The slide is blank. Choose another.")

    task = Task(fail)
    heard = followed(task)
    with qtbot.waitSignal(task.finished, timeout=5000):
        task.start()
    assert heard == [("failed", "The slide is blank. Choose another."), ("finished",)]
    assert errors == ["The slide is blank. Choose another."]


def test_progress_arrives_and_is_not_a_flood(qtbot):
    def work(progress):
        for k in range(20_000):
            progress(k / 20_000, "counting")

    task = Task(work)
    heard = []
    task.progressed.connect(lambda fraction, message: heard.append((fraction, message)))
    start = time.monotonic()
    with qtbot.waitSignal(task.finished, timeout=10_000):
        task.start()
    allowed = 20 * (time.monotonic() - start) + 2
    assert 1 <= len(heard) <= allowed
    assert heard[0] == (0.0, "counting")


def test_cancel_ends_the_thread(qtbot, errors):
    ended = threading.Event()

    def work(progress):
        try:
            while True:
                progress(0.5, "working")
                time.sleep(0.01)
        finally:
            ended.set()

    task = Task(work)
    heard = followed(task)
    task.start()
    qtbot.waitUntil(lambda: task.is_running)
    start = time.monotonic()
    with qtbot.waitSignal(task.finished, timeout=5000):
        task.cancel()
    assert time.monotonic() - start < 1.0
    assert ended.is_set()
    assert heard == [("cancelled",), ("finished",)]
    assert errors == []


def test_a_result_that_comes_after_cancel_is_dropped(qtbot):
    go = threading.Event()
    task = Task(lambda progress: go.wait(5) and "late")
    heard = followed(task)
    task.start()
    task.cancel()
    with qtbot.waitSignal(task.finished, timeout=5000):
        go.set()
    assert heard == [("cancelled",), ("finished",)]


def test_waiting_leaves_no_thread(qtbot):
    def work(progress):
        while True:
            progress(0.5, "working")
            time.sleep(0.01)

    task = Task(work)
    heard = followed(task)
    task.start()
    qtbot.wait(50)
    task.wait()
    assert not task.is_running
    qtbot.wait(50)
    assert heard == []


def test_a_defect_is_not_swallowed(qtbot):
    def fail(progress):
        raise RuntimeError("a defect")

    task = Task(fail)
    heard = followed(task)
    # napari shows what reaches Qt's event loop as a notification with its traceback.
    with qtbot.captureExceptions() as defects, qtbot.waitSignal(task.finished, timeout=5000):
        task.start()
    assert heard[0] == ("failed", "Something unforeseen went wrong: a defect")
    assert [str(defect[1]) for defect in defects] == ["a defect"]
