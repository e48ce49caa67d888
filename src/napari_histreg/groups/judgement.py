"""A verdict for each slide, from its links and from the loops through them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_histreg.groups.group import Link
from napari_histreg.records.record import VerdictWord

__all__ = ["Judged", "judge_slide", "path_confidence"]

CONFIRMED = 0.95
"""Confidence of a link that a closed loop confirms, at least: two wrong links seldom agree by chance."""

ACCEPT, DOUBT = 0.5, 0.25


@dataclass(frozen=True)
class Judged:
    """What is thought of one slide's place.

    Parameters
    ----------
    verdict : {"accepted", "doubtful", "refused"}
        How far to trust it.
    confidence : float or None
        From 0 to 1.
    reasons : tuple of str
        Why.
    error : float or None
        Median of how far its links lie from the common solution, units of the frame.
    """

    verdict: VerdictWord
    confidence: float | None
    reasons: tuple[str, ...]
    error: float | None


def trusted(link: Link, limit: float) -> float:
    """Return how sure a link that counts is, once the loops have spoken."""
    if link.state != "used":
        return 0.0
    if link.closing is not None and link.closing <= limit:
        return max(link.confidence, CONFIRMED)
    return link.confidence


def path_confidence(links: Sequence[Link], template: int, count: int, limit: float) -> list[float]:
    """Return, for each slide, the confidence of the weakest link on its best way to the template.

    Parameters
    ----------
    links : sequence of Link
        All of the group.
    template : int
        Where the ways end.
    count : int
        Number of slides.
    limit : float
        Largest remainder of a loop that is closed.

    Returns
    -------
    list of float
        1 for the template, 0 where there is no way.
    """
    best = [0.0] * count
    best[template] = 1.0
    for _ in range(count):
        changed = False
        for link in links:
            sure = trusted(link, limit)
            for a, b in (link.ends, link.ends[::-1]):
                through = min(best[a], sure)
                if through > best[b] + 1e-12:
                    best[b], changed = through, True
        if not changed:
            break
    return best


def judge_slide(
    k: int, links: Sequence[Link], path: float, names: Sequence[str], unit: str, limit: float
) -> Judged:
    """Judge one slide.

    Parameters
    ----------
    k : int
        The slide.
    links : sequence of Link
        All of the group.
    path : float
        What `path_confidence` gave for it.
    names : sequence of str
        Of all slides.
    unit : str
        Of the frame.
    limit : float
        Largest remainder of a loop that is closed, units of the frame.

    Returns
    -------
    Judged
    """
    own = [link for link in links if k in link.ends]
    used = [link for link in own if link.state == "used"]
    against = [link for link in own if link.state == "contradicted"]

    if not used:
        return Judged("refused", None, _why_refused(k, own, against, names), None)
    errors = [link.error for link in used if link.error is not None]
    error = float(np.median(errors)) if errors else None
    closed = [link for link in used if link.closing is not None and link.closing <= limit]
    reasons = []
    if closed:
        least = float(np.median([link.closing for link in closed if link.closing is not None]))
        reasons.append(
            f"{len(closed)} of its {len(used)} links are confirmed by closed loops, "
            f"which end {_length(least, unit)} from where they began."
        )
    else:
        reasons.append(f"No closed loop checks its place: it hangs on {_others(k, used, names)} alone.")
    surest = max(trusted(link, limit) for link in used)
    if path < min(ACCEPT, surest):
        reasons.append("What joins it to the frame is less sure than its own links.")
    confidence = min(path, surest)
    if against:
        reasons.append(
            f"Loops contradict its alignment with {_others(k, against, names)}, which does not count."
        )
        # As many links against it as for it: nobody can tell which are right.
        if sum(link.confidence for link in against) >= sum(trusted(link, limit) for link in used):
            confidence = min(confidence, 0.4)
    confidence = round(confidence, 4)
    word: VerdictWord = (
        "accepted" if confidence >= ACCEPT else "doubtful" if confidence >= DOUBT else "refused"
    )
    return Judged(word, confidence, tuple(reasons), error)


def _why_refused(
    k: int, own: Sequence[Link], against: Sequence[Link], names: Sequence[str]
) -> tuple[str, ...]:
    if not own:
        return ("It was aligned with no other slide.",)
    if against:
        return (f"Loops contradict its alignment with {_others(k, against, names)}: it fits nowhere.",)
    aside = [link for link in own if link.state == "aside"]
    if aside:
        return (f"It fits {_others(k, aside, names)} only, and these fit no other slide of the group.",)
    return (f"It fits no other slide: refused with {_others(k, own, names)}.", *own[0].outcome.reasons[:1])


def _others(k: int, links: Sequence[Link], names: Sequence[str]) -> str:
    """Name the slides at the other ends of links."""
    return ", ".join(names[a if b == k else b] for a, b in (link.ends for link in links))


def _length(value: float, unit: str) -> str:
    return f"{value:.3g} {'µm' if unit == 'um' else 'px'}"
