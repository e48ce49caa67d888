"""What a worker is told: paths and parameters only, never pixels."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

from napari_histreg.cohorts.case import Case
from napari_histreg.cohorts.mounts import PathMap, seen_from_there

__all__ = ["Task", "asked_of"]


class Task(BaseModel):
    """One case to be aligned, wherever.

    Parameters
    ----------
    case : Case
        With the paths of the machine that asks.
    results : str
        Folder of the cohort's results, absolute.
    maps : tuple of (str, str)
        How the worker's paths differ.
    report : bool
        Whether to write a page for the case.
    threads : int
        How many to take.
    memory_bytes : float, optional
        The most memory it may take.
    max_gb : float, optional
        How much one file may ask for; see `files.limits`.
    timeout_seconds : float, optional
        How long it may take.
    token : str
        What the lock of the results holds while the run goes on; empty where nothing is locked.
    attempt : int
        From 1.
    instead_of : mapping, optional
        What the result that this one replaces was asked for: see `plan`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: Case
    results: str
    maps: tuple[PathMap, ...] = ()
    report: bool = True
    threads: PositiveInt = 1
    memory_bytes: PositiveFloat | None = None
    max_gb: PositiveFloat | None = None
    timeout_seconds: PositiveFloat | None = None
    token: str = ""
    attempt: PositiveInt = 1
    instead_of: dict[str, Any] | None = None

    def here(self, path: str) -> str:
        """Return a path as the worker has it."""
        return seen_from_there(path, self.maps)

    @property
    def results_here(self) -> Path:
        """Folder of the cohort's results, as the worker has it."""
        return Path(self.here(self.results))

    @property
    def folder(self) -> Path:
        """Folder of the case's own results, as the worker has it."""
        return self.results_here / self.case.name


def asked_of(case: Case, *, report: bool) -> dict[str, Any]:
    """Return what a result depends on beside the content of files, as JSON values.

    Examples
    --------
    >>> from napari_histreg.cohorts.case import CaseOptions
    >>> asked_of(Case(number=1, name="K7", slides=(), options=CaseOptions(method="sift")), report=False)
    {'method': 'sift', 'files': [], 'roles': [], 'report': False}
    """
    options = case.options.model_dump(mode="json", exclude_defaults=True)
    files = [name for name in ("landmarks", "truth", "initial") if options.pop(name, None) is not None]
    return {**options, "files": files, "roles": [slide.role for slide in case.slides], "report": report}
