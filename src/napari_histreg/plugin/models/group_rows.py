"""What is shown of each slide of a group, and of each link: words, tone and shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from napari_histreg.groups import GroupRegistration, Link
from napari_histreg.plugin.models.tones import Tone
from napari_histreg.units import unit_sign

__all__ = ["LinkSort", "LinkView", "SlideRow", "link_views", "placed_row", "running_row"]

LinkSort = Literal["accepted", "doubtful", "refused", "contradicted"]
"""How a link is drawn: it counts, it counts little or with doubts, it was refused, or loops contradict it."""

TONES: dict[str, Tone] = {"accepted": "good", "doubtful": "doubt", "refused": "bad", "contradicted": "bad"}
LITTLE = 0.5
"""A link with less weight than this counts little."""


@dataclass(frozen=True)
class SlideRow:
    """One slide in the list.

    Parameters
    ----------
    name : str
        What it is called.
    state : str
        How far it is, in a word or two.
    error : str
        How far its links lie from where it was placed; empty where that is not known.
    tone : Tone
        What the state means.
    reasons : tuple of str
        Why, in plain words.
    included : bool
        Whether it takes part in the next run.
    """

    name: str
    state: str = "not aligned yet"
    error: str = ""
    tone: Tone = ""
    reasons: tuple[str, ...] = ()
    included: bool = True


@dataclass(frozen=True)
class LinkView:
    """One link in the graph.

    Parameters
    ----------
    ends : (int, int)
        Places of its slides.
    sort : LinkSort
        How it is drawn.
    by_hand : bool
        Whether a person's landmarks make it.
    words : str
        All that is to be said of it.
    """

    ends: tuple[int, int]
    sort: LinkSort
    by_hand: bool
    words: str


def placed_row(group: GroupRegistration, k: int, name: str) -> SlideRow:
    """Say what became of a slide."""
    member = group.members[k]
    state = f"{member.verdict}, the frame" if k == group.template else member.verdict
    error = "" if member.error is None else f"{member.error:.3g} {unit_sign(group.unit)}"
    return SlideRow(name, state, error, TONES[member.verdict], member.reasons)


def running_row(name: str, k: int, links: Sequence[Link]) -> SlideRow:
    """Say how far a slide is while links come in."""
    own = [link for link in links if k in link.ends]
    good = sum(link.counts for link in own)
    if not own:
        return SlideRow(name, "waiting")
    return SlideRow(name, f"{good} of {len(own)} pairs fit")


def link_views(links: Sequence[Link], names: Sequence[str], unit: str) -> tuple[LinkView, ...]:
    """Say of each link how it is drawn and what is to be said of it.

    Parameters
    ----------
    links : sequence of Link
        Of a group, or those there are so far.
    names : sequence of str
        Of the slides.
    unit : str
        Of the frame.
    """
    return tuple(LinkView(link.ends, _sort(link), link.by_hand, _words(link, names, unit)) for link in links)


def _sort(link: Link) -> LinkSort:
    if link.state == "contradicted":
        return "contradicted"
    if not link.counts or link.state == "aside":
        return "refused"
    # Before the solution nothing has a weight; afterwards what loops confirm is sure.
    solved = link.error is not None
    little = solved and link.weight < LITTLE
    unsure = link.verdict == "doubtful" and not link.by_hand and (not solved or link.closing is None)
    return "doubtful" if little or unsure else "accepted"


def _words(link: Link, names: Sequence[str], unit: str) -> str:
    pair = f"{names[link.fixed]} – {names[link.moving]}"
    if link.by_hand and link.outcome.landmarks is not None:
        said = f"{len(link.outcome.landmarks)} landmarks placed by hand"
    else:
        said = f"{link.verdict} by itself"
    parts = [f"{pair}: {said}"]
    if link.state == "contradicted":
        parts.append("loops contradict it, so it does not count")
    elif link.state == "aside":
        parts.append("it joins slides that fit no other")
    elif link.error is not None:
        sign = unit_sign(unit)
        parts.append(f"weight {link.weight:.2f}, {link.error:.3g} {sign} from the group's solution")
        parts.append(
            "in no loop" if link.closing is None else f"its best loop ends {link.closing:.3g} {sign} off"
        )
    elif not link.counts:
        parts += [reason.rstrip(".") for reason in link.outcome.reasons[:1]]
    return "; ".join(parts) + "."
