"""What the window says of a group: the result in one line, and what else is to be known."""

from napari_histreg.groups import GroupRegistration
from napari_histreg.groups.hand_links import FEWEST_PAIRS
from napari_histreg.plugin.models.chosen_slide import slide_key
from napari_histreg.plugin.models.group_model import GroupModel
from napari_histreg.plugin.models.group_options import place_among
from napari_histreg.plugin.models.tones import Tone
from napari_histreg.units import unit_sign

__all__ = ["headline", "remarks", "tone"]


def headline(model: GroupModel) -> str:
    """Say how the last run ended; empty where there was none."""
    if model.problem or model.result is None:
        return model.problem
    group = model.result
    return f"{len(group.placed)} of {len(group)} slides placed, in the frame of {group.names[group.template]}"


def tone(model: GroupModel) -> Tone:
    """Say what the headline means."""
    if model.problem:
        return "doubt" if model.problem.startswith("Cancelled") else "bad"
    words = [] if model.result is None else [member.verdict for member in model.result.members]
    return "bad" if "refused" in words else "doubt" if "doubtful" in words else "good"


def remarks(model: GroupModel) -> tuple[str, ...]:
    """Say how loops close, what has changed since the run, and which landmarks count."""
    said = []
    if model.result is not None and not model.is_running:
        said.append(_loops(model.result))
        gone = [s.name for s in model.members if place_among(model.open, s) is None]
        if gone:
            said.append(f"No longer open: {', '.join(gone)}.")
        elif [id(s) for s in model.members] != [id(s) for s in model.included]:
            said.append("Other slides take part now: Run all aligns what is missing.")
    for (first, second), pairs in model.hand_landmarks().items():
        names, count = f"{first.name} – {second.name}", len(pairs)
        if count < FEWEST_PAIRS:
            said.append(f"{names}: {count} landmarks; from {FEWEST_PAIRS} on they count for the group.")
        elif model.used.get((slide_key(first), slide_key(second))) == count:
            said.append(f"{names}: {count} landmarks count for all slides.")
        else:
            said.append(f"{names}: {count} landmarks. Run all lets them count for all slides.")
    return tuple(said)


def _loops(group: GroupRegistration) -> str:
    ends = sorted(loop.remainder for loop in group.loops)
    if not ends:
        return "No loop of links checks the result."
    return (
        f"{len(ends)} loops of links end {ends[len(ends) // 2]:.3g} {unit_sign(group.unit)} from where they "
        f"began (median; largest {ends[-1]:.3g})."
    )
