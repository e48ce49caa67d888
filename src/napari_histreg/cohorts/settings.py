"""How a cohort is run."""

from dataclasses import dataclass

from napari_histreg.cohorts.mounts import PathMap

__all__ = ["RunSettings"]


@dataclass(frozen=True)
class RunSettings:
    """How a cohort is run; none of it changes what comes out for a case.

    Parameters
    ----------
    workers : int, optional
        Processes of this machine; one for each processor by default.
    scheduler : str, optional
        Address or scheduler file of a Dask cluster, whose workers then do it.
    only : tuple of str
        Run only cases in these states.
    force : bool
        Run also what is done.
    retries : int
        How often to try again what can pass the next time, such as a case whose worker was killed.
    memory_bytes : float, optional
        The most memory that a case may take; its share of the machine's by default.
    timeout_seconds : float, optional
        How long a case may take.
    report : bool
        Write a page for each case. This one changes what is written, and so counts for what is done.
    path_maps : tuple of (str, str)
        How paths of the workers differ.
    """

    workers: int | None = None
    scheduler: str | None = None
    only: tuple[str, ...] = ()
    force: bool = False
    retries: int = 1
    memory_bytes: float | None = None
    timeout_seconds: float | None = None
    report: bool = True
    path_maps: tuple[PathMap, ...] = ()
