"""The links of a group: pairs aligned side by side, each kept on disk and used again."""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_histreg.caching import ArrayCache, ResultCache
from napari_histreg.errors import HistregError, WriteError
from napari_histreg.files import read_json, written_whole
from napari_histreg.groups.group import Link, LinkState
from napari_histreg.groups.names import distinct_names
from napari_histreg.progress import Cancelled, Progress
from napari_histreg.records.document import read_registration
from napari_histreg.records.record import Outcome, Registration, SlideRecord, software_versions
from napari_histreg.registration import register
from napari_histreg.registration.folder import read_folder, write_folder
from napari_histreg.slides import Slide
from napari_histreg.slides.remembered import remember_overviews
from napari_histreg.threads import thread_count

__all__ = ["LinkSettings", "Linker"]

KEY = "link.json"
POLL_SECONDS = 0.1
MOST_WORKERS = 4
OVERVIEWS_BYTES = 200_000_000
"""Of the coarse levels that are kept for further pairs."""

MOST_OVERVIEWS = 10
"""What was seen in a slide is kept for further pairs, some 20 MB each."""


@dataclass(frozen=True)
class LinkSettings:
    """How pairs are aligned.

    Parameters
    ----------
    method : str
        A name from ``list_methods()``.
    parameters : mapping
        Of the method.
    channel : int, str or None
        The channel to align by, in all slides that have it.
    signal : str or None
        What is looked at; see `register`.
    """

    method: str = "auto"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    channel: int | str | None = None
    signal: str | None = None


class Linker:
    """Aligns pairs of slides, several at a time.

    Parameters
    ----------
    slides : sequence of Slide
        Of the group.
    records : sequence of SlideRecord
        Of the same slides.
    settings : LinkSettings
        How.
    folder : Path or None
        Where each pair is kept and looked for; None keeps nothing.
    workers : int, optional
        How many pairs at a time; as many as there are processors, up to four, by default.
    told : callable, optional
        Given each pair as soon as it is aligned or read, in the thread that asked for it.
    """

    def __init__(
        self,
        slides: Sequence[Slide],
        records: Sequence[SlideRecord],
        settings: LinkSettings,
        folder: Path | None,
        workers: int | None = None,
        told: Callable[[Link], None] | None = None,
    ) -> None:
        # Each slide takes part in several pairs, and each of these looks at its overview.
        kept = ArrayCache(OVERVIEWS_BYTES), ResultCache(MOST_OVERVIEWS)
        self._slides = [remember_overviews(slide, *kept) for slide in slides]
        self._records, self.settings = records, settings
        self._folder = folder
        self._names = distinct_names([_plain(record.name) for record in records])
        self._workers = workers or thread_count(MOST_WORKERS)
        self._stop = threading.Event()
        self.told: Callable[[Link], None] = told or (lambda link: None)
        self.reused = 0
        self._settled = 0

    def align(self, pairs: Sequence[tuple[int, int]], progress: Progress) -> list[Link]:
        """Align pairs; what was aligned before with the same slides and settings is read from disk.

        Parameters
        ----------
        pairs : sequence of (int, int)
            Fixed and moving, as places in the group.
        progress : Progress
            Told in this thread; where it raises, all stop.

        Returns
        -------
        list of Link
            In the order of `pairs`; one that failed is a refused link with its reason.
        """
        found: dict[tuple[int, int], Link] = {}
        for ends in pairs:
            kept = self._kept(ends)
            if kept is not None:
                found[ends] = kept
                self.reused += 1
                self.told(kept)
        missing = [ends for ends in pairs if ends not in found]
        shares = dict.fromkeys(missing, 0.0)
        with ThreadPoolExecutor(self._workers, thread_name_prefix="links") as pool:
            jobs: dict[Future[Link], tuple[int, int]] = {
                pool.submit(self._aligned, ends, shares): ends for ends in missing
            }
            waiting = set(jobs)
            try:
                while waiting:
                    ready, waiting = wait(waiting, POLL_SECONDS, return_when=FIRST_COMPLETED)
                    for job in ready:
                        found[jobs[job]] = job.result()
                        self.told(job.result())
                    done = len(pairs) - len(missing) + sum(shares.values())
                    said = f"{self._settled + len(found)} pairs aligned, {len(waiting)} to go"
                    progress(done / len(pairs), said)
            except BaseException:
                self._stop.set()
                for job in waiting:
                    job.cancel()
                raise
        self._settled += len(pairs)
        return [found[ends] for ends in pairs]

    def _aligned(self, ends: tuple[int, int], shares: dict[tuple[int, int], float]) -> Link:
        """Align one pair, in a thread of its own."""

        def report(fraction: float, message: str) -> None:
            if self._stop.is_set():
                raise Cancelled
            shares[ends] = min(fraction, 0.99)

        fixed, moving = (self._slides[k] for k in ends)
        try:
            result = register(
                fixed,
                moving,
                method=self.settings.method,
                fixed_channel=self._channel(fixed),
                moving_channel=self._channel(moving),
                signal=self.settings.signal,
                progress=report,
                must_find=False,
                **self.settings.parameters,
            )
        except HistregError as error:
            # One pair that cannot be read or aligned is not the end of the group.
            shares[ends] = 1.0
            return Link(*ends, Outcome(None, "refused", None, (str(error),)), "refused")
        place = None
        if self._folder is not None:
            place = self._keep(result, ends, self._folder)
        shares[ends] = 1.0
        return _link(ends, result, place)

    def _channel(self, slide: Slide) -> int | None:
        """Return the wanted channel where the slide has it."""
        if self.settings.channel is None:
            return None
        try:
            return slide.channel_index(self.settings.channel)
        except ValueError:
            return None

    def _place(self, ends: tuple[int, int]) -> str:
        first, second = (self._names[k] for k in ends)
        return f"links/{first}__{second}"

    def _digest(self, ends: tuple[int, int]) -> str:
        """Return what makes a kept link up to date: slides, pixel sizes, channel, method and program."""
        what = {
            "version": software_versions().get("napari-histreg"),
            "method": self.settings.method,
            "parameters": {key: str(value) for key, value in sorted(self.settings.parameters.items())},
            "channels": [self._channel(self._slides[k]) for k in ends],
            "signal": self.settings.signal,
            "slides": [
                [
                    self._records[k].fingerprint,
                    self._records[k].pixel_size_um,
                    list(self._records[k].channels),
                ]
                for k in ends
            ],
        }
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]

    def _keep(self, result: Registration, ends: tuple[int, int], folder: Path) -> str:
        place = self._place(ends)
        here = folder / place
        # In a folder of ours, a record that cannot be read is what a full disk or a crash left of it.
        broken = (here / KEY).is_file() and not _is_record(here)
        try:
            here.parent.mkdir(parents=True, exist_ok=True)
            (here / KEY).unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(f"{here.parent} cannot be written to: {error.strerror}.") from error
        try:
            write_folder(result, here, *(self._slides[k] for k in ends), picture=False, overwrite=broken)
        except WriteError as error:
            said = str(error).partition(" Choose another")[0]
            raise WriteError(f"{said} Move it away, or choose another folder for the group.") from error
        # The key comes last: where it lies, the rest is complete.
        with written_whole(here / KEY) as temporary:
            temporary.write_text(json.dumps({"digest": self._digest(ends)}) + "\n", encoding="utf-8")
        return place

    def _kept(self, ends: tuple[int, int]) -> Link | None:
        """Read a pair that was aligned before; None where it is not there, damaged or of something else."""
        if self._folder is None:
            return None
        place = self._place(ends)
        here = self._folder / place
        try:
            key = read_json(here / KEY, "the key of a link")
            if key.get("digest") != self._digest(ends):
                return None
            return _link(ends, read_folder(here), place)
        except (OSError, ValueError, HistregError):
            return None


def _is_record(folder: Path) -> bool:
    try:
        read_registration(folder)
    except HistregError:
        return False
    return True


def _link(ends: tuple[int, int], result: Registration, place: str | None) -> Link:
    state: LinkState = "refused" if result.verdict == "refused" else "used"
    return Link(*ends, result.outcome, state, folder=place)


def _plain(name: str) -> str:
    """Make a part of a file name out of a slide's name."""
    stem = re.sub(r"(\.ome)?\.[A-Za-z0-9]{1,5}$", "", name)
    return re.sub(r"[^\w.-]+", "_", stem).strip("._")[:60] or "slide"
