"""What a run tells while it goes on, and those who always listen: journal and log."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal, TextIO

__all__ = ["Event", "Listener", "in_words", "journal", "log"]


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Parameters
    ----------
    kind : {"start", "begun", "again", "done", "end"}
        The run starts; a case has begun; a case is to be tried once more; a case is done; the run ends.
    case : str
        Its name; empty with "start" and "end".
    number : int
        Its place in the table, from 1.
    state : str
        Of a case that is done.
    reason : str
        Why it ended so.
    seconds : float
        How long the case took; with "end", the run.
    host, pid : str, int
        Where it runs.
    finished, total : int
        Cases that are done, and all.
    left_seconds : float, optional
        How long the rest will take, as far as can be told.
    """

    kind: Literal["start", "begun", "again", "done", "end"]
    case: str = ""
    number: int = 0
    state: str = ""
    reason: str = ""
    seconds: float = 0.0
    host: str = ""
    pid: int = 0
    finished: int = 0
    total: int = 0
    left_seconds: float | None = None

    def to_json(self) -> str:
        """Return one line of JSON with the time and what is known.

        Examples
        --------
        >>> json.loads(Event("done", "K7", 3, "accepted").to_json())["state"]
        'accepted'
        """
        values = {name: value for name, value in asdict(self).items() if value not in ("", None)}
        return json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **values})


Listener = Callable[[Event], None]


def in_words(event: Event) -> str:
    """Say an event in one line.

    Examples
    --------
    >>> in_words(Event("done", "K7", 3, "accepted", seconds=4.2, finished=3, total=9, left_seconds=130))
    '3 of 9: K7 accepted in 4 s; about 2 min left'
    """
    if event.kind == "start":
        return f"{event.total} cases, {event.finished} of them done before"
    if event.kind == "begun":
        return f"{event.case} begun on {event.host}, process {event.pid}"
    if event.kind == "again":
        return f"{event.case} will be tried once more: {event.reason}"
    if event.kind == "end":
        return f"{event.finished} of {event.total} cases done, {duration(event.seconds)}"
    because = f": {event.reason}" if event.state in ("refused", "failed") else ""
    left = "" if event.left_seconds is None else f"; about {duration(event.left_seconds)} left"
    took = duration(event.seconds)
    return f"{event.finished} of {event.total}: {event.case} {event.state} in {took}{because}{left}"


def duration(seconds: float) -> str:
    """Say how long something takes.

    Examples
    --------
    >>> duration(42.4), duration(600), duration(7800)
    ('42 s', '10 min', '2 h 10 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def journal(file: TextIO) -> Listener:
    """Return a listener that appends each event to a file as a line of JSON."""

    def listen(event: Event) -> None:
        file.write(event.to_json() + "\n")
        file.flush()

    return listen


def log(file: TextIO) -> Listener:
    """Return a listener that appends each event to a file in words."""

    def listen(event: Event) -> None:
        file.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {in_words(event)}\n")
        file.flush()

    return listen
