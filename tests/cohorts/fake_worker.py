"""A worker that does by the name of a case what its test needs, in the place of aligning."""

import os
import signal
import sys
import time

import numpy as np

from napari_histreg.cohorts.beginning import begun
from napari_histreg.cohorts.identity import with_fingerprints
from napari_histreg.cohorts.note import CaseNote, write_note
from napari_histreg.cohorts.task import Task
from napari_histreg.cohorts.worker import serve
from napari_histreg.progress import Progress


def work(task: Task, progress: Progress) -> CaseNote:
    name = task.case.name
    note = begun(task).model_copy(
        update={"state": "accepted", "confidence": 0.9, "error": 0.5, "seconds": 0.01}
    )
    if name.startswith("refused"):
        note = note.model_copy(update={"state": "refused", "reason": "nothing fits"})
    elif name.startswith("failed"):
        note = note.model_copy(update={"state": "failed", "reason": "the file is broken"})
    elif name.startswith("killed") or (name.startswith("once") and task.attempt == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    elif name.startswith("eater"):
        eaten = []
        while True:
            eaten.append(np.ones(4 << 20))
            time.sleep(0.01)
    elif name.startswith("slow"):
        time.sleep(600)
    elif name.startswith("exit"):
        os._exit(7)
    elif name.startswith("talker"):
        os.write(1, b"what a library says\n")
        sys.stderr.write("what it complains of\n")
        progress(0.5, "half-way")
    note = note.model_copy(update={"inputs": with_fingerprints(note.inputs, {})})
    write_note(note, task.folder)
    return note


if __name__ == "__main__":
    serve(work)
