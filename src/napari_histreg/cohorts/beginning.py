"""What is known of a case when it begins."""

import os
import socket
from datetime import UTC, datetime

from napari_histreg.cohorts.case import CaseOptions
from napari_histreg.cohorts.identity import look_at
from napari_histreg.cohorts.note import CaseNote
from napari_histreg.cohorts.task import Task, asked_of

__all__ = ["begun", "method_of"]


def begun(task: Task) -> CaseNote:
    """Return the note of a case that begins here, with the files as they are before they are read."""
    from napari_histreg import __version__

    case = task.case
    inputs = tuple(look_at(task.here(path)).model_copy(update={"path": path}) for path in case.inputs)
    return CaseNote(
        name=case.name,
        state="running",
        method=method_of(case.options),
        host=socket.gethostname(),
        pid=os.getpid(),
        attempts=task.attempt,
        version=__version__,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        asked=asked_of(case, report=task.report),
        instead_of=task.instead_of,
        inputs=inputs,
    )


def method_of(options: CaseOptions) -> str:
    """Return the method that is asked for, or that which goes with what is given.

    Examples
    --------
    >>> method_of(CaseOptions()), method_of(CaseOptions(landmarks="pairs.csv"))
    ('auto', 'landmarks')
    """
    return options.method or ("auto" if options.landmarks is None else "landmarks")
