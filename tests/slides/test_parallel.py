import multiprocessing
import sys
import threading

import pytest

from napari_histreg.slides.parallel import be_a_worker, in_parallel


def test_all_items_are_done_when_it_returns():
    done = []
    in_parallel(done.append, range(100))
    assert sorted(done) == list(range(100))


def test_work_inside_work_does_not_wait_for_itself():
    done = []

    def outer(k):
        in_parallel(lambda j: done.append((k, j)), range(8))

    in_parallel(outer, range(40))
    assert len(done) == 320


def test_a_worker_does_everything_itself():
    threads = set()

    def run():
        be_a_worker()
        in_parallel(lambda _: threads.add(threading.get_ident()), range(10))

    worker = threading.Thread(target=run)
    worker.start()
    worker.join()
    assert threads == {worker.ident}


def test_the_error_of_the_work_comes_out():
    def fail(k):
        if k == 3:
            raise KeyError("three")

    with pytest.raises(KeyError, match="three"):
        in_parallel(fail, range(6))


def _in_child(queue):
    found = []
    in_parallel(found.append, range(5))
    queue.put(sorted(found))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
def test_a_forked_process_has_workers_of_its_own():
    in_parallel(lambda _: None, range(5))
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(queue,))
    child.start()
    assert queue.get(timeout=30) == [0, 1, 2, 3, 4]
    child.join(30)
    assert child.exitcode == 0
