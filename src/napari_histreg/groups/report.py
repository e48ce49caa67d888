"""The report of a group: one HTML page with the graph of links, the loops and each slide's verdict."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.groups.document import to_json
from napari_histreg.groups.drawings import link_graph, nearest_affine, stack_curves
from napari_histreg.groups.evaluation import FIGURES, GroupEvaluation
from napari_histreg.groups.group import GroupRegistration
from napari_histreg.groups.mask_views import mask_pictures
from napari_histreg.groups.views import GroupViews, view_group
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.quality.charts import as_picture
from napari_histreg.quality.page import name_words, render
from napari_histreg.quality.report_files import GROUP_REPORT, report_paths, write_page
from napari_histreg.slides import Slide
from napari_histreg.units import length_words

__all__ = ["group_page", "write_group_report"]

MOST_LOOPS = 20


def write_group_report(
    group: GroupRegistration,
    path: str | Path,
    slides: Mapping[int, Slide] | None = None,
    *,
    evaluation: GroupEvaluation | None = None,
    masks: Mapping[int, Slide] | None = None,
    progress: Progress = silent,
) -> tuple[Path, Path]:
    """Write a page about a group that needs nothing else, and the record beside it as JSON.

    Parameters
    ----------
    group : GroupRegistration
    path : path-like
        The HTML file; the JSON file lies beside it under the same name.
    slides : mapping of int to Slide, optional
        For the pictures; without them there are numbers only.
    evaluation : GroupEvaluation, optional
        How well masks of the slides lie on one another.
    masks : mapping of int to Slide, optional
        These masks, by the places of their slides, for pictures of the best, the median and the worst.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    (Path, Path)
        The HTML and the JSON file.

    Raises
    ------
    WriteError
        One of them cannot be written, or would replace what is none of ours.
    """
    report_paths(path)
    views = view_group(group, slides or {}, progress=portion(progress, 0.0, 0.95))
    values = {"format": GROUP_REPORT, "version": 1, "group": json.loads(to_json(group))}
    shown: list[dict[str, Any]] = []
    if evaluation is not None:
        values["evaluation"] = evaluation.to_dict()
        shown = mask_pictures(group, evaluation, masks or {})
    written = write_page(path, group_page(group, views, evaluation, shown), values)
    progress(1.0, "report written")
    return written


def group_page(
    group: GroupRegistration,
    views: GroupViews,
    evaluation: GroupEvaluation | None = None,
    mask_views: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the whole page.

    Parameters
    ----------
    group : GroupRegistration
    views : GroupViews
        Pictures of its slides; may be empty.
    evaluation : GroupEvaluation, optional
        How well masks lie on one another.
    mask_views : sequence of mapping
        Pictures of these, with their names.

    Returns
    -------
    str
        HTML; every word from outside is escaped.
    """
    words = [member.verdict for member in group.members]
    complaints = [
        f"{group.names[k]}: {word}. {' '.join(group.members[k].reasons)}"
        for k, word in enumerate(words)
        if word != "accepted"
    ]
    return render(
        "group.html",
        title=f"{len(group)} slides in the frame of {group.names[group.template]}",
        verdict="refused" if "refused" in words else "doubtful" if "doubtful" in words else "accepted",
        summary=f"{words.count('accepted')} of {len(words)} accepted",
        complaints=complaints,
        cards=_cards(group),
        evaluation=None if evaluation is None else _evaluated(evaluation),
        mask_views=mask_views,
        graph=as_picture(link_graph(group)),
        slides=_slides(group),
        tiles=[{"name": group.names[k], "picture": picture} for k, picture in views.tiles.items()],
        over="the section before it" if group.ordered else group.names[group.template],
        cuts=[
            {"name": f"Cuts through the middle, {name}", "picture": picture}
            for name, picture in views.cuts.items()
        ],
        curves=as_picture(stack_curves(group)) if group.ordered else None,
        loops=_loops(group),
        links=_links(group),
        files=_files(group),
        made=_made(group),
    )


def _evaluated(evaluation: GroupEvaluation) -> dict[str, Any]:
    rows: list[list[Any]] = [
        [score.name, score.verdict, *_figures(score.before, score.after)] for score in evaluation.scores
    ]
    if evaluation.placed:
        rows.append(["mean", "", *_figures(evaluation.mean("before"), evaluation.mean("after"))])
    names = {"dice": "Dice", "l1": "mean L1", "ncc": "NCC", "ssim": "SSIM"}
    head = [f"{names[name]} {time}" for name in FIGURES for time in ("before", "after")]
    return {"head": ["slide", "verdict", *head], "rows": rows, "template": evaluation.template}


def _figures(before: Mapping[str, float], after: Mapping[str, float]) -> list[float | None]:
    return [row.get(name) for name in FIGURES for row in (before, after)]


def _cards(group: GroupRegistration) -> list[dict[str, str]]:
    states = [link.state for link in group.links]
    remainders = [loop.remainder for loop in group.loops]

    def length(percent: int) -> str:
        return (
            length_words(float(np.percentile(remainders, percent)), group.unit) if remainders else "no loop"
        )

    cards = {
        "slides placed": f"{len(group.placed)} of {len(group)}",
        "links that count": f"{states.count('used')} of {len(states)}",
        "links that loops contradict": str(states.count("contradicted")),
        "loops end from where they began, median": length(50),
        "9 of 10 loops below": length(90),
    }
    return [{"name": name, "value": value} for name, value in cards.items()]


def _length(value: float | None, unit: str) -> str:
    return "–" if value is None else length_words(value, unit)


def _slides(group: GroupRegistration) -> dict[str, Any]:
    rows = []
    for k, (name, member) in enumerate(zip(group.names, group.members, strict=True)):
        pose = "–"
        if member.frame_to_slide is not None:
            affine = nearest_affine(group, k)
            mirror = "mirrored, " if affine.mirrored else ""
            pose = f"{mirror}turned by {affine.angle_deg:.1f}°, scaled by {affine.scale:.4g}"
        sure = "–" if member.confidence is None else f"{member.confidence:.2f}"
        error = _length(member.error, group.unit)
        rows.append([name, member.verdict, sure, error, pose, " ".join(member.reasons)])
    return {
        "head": ["slide", "verdict", "confidence", "its links off by", "onto the frame", "why"],
        "rows": rows,
    }


def _links(group: GroupRegistration) -> dict[str, Any]:
    order = ("contradicted", "aside", "used", "refused")
    rows = [
        [
            f"{group.names[link.fixed]} – {group.names[link.moving]}",
            f"{link.verdict} ({link.confidence:.2f})",
            link.state,
            f"{link.weight:.2f}",
            _length(link.error, group.unit),
            _length(link.closing, group.unit),
            link.folder or "–",
        ]
        for link in sorted(group.links, key=lambda link: (order.index(link.state), -(link.error or 0)))
    ]
    head = ["pair", "by itself", "in the group", "weight", "off by", "its best loop", "kept in"]
    return {"head": head, "rows": rows}


def _loops(group: GroupRegistration) -> dict[str, Any]:
    worst = sorted(group.loops, key=lambda loop: -loop.remainder)[:MOST_LOOPS]
    rows = [
        [" – ".join(group.names[k] for k in loop.slides), length_words(loop.remainder, group.unit)]
        for loop in worst
    ]
    return {"head": [f"loop (the {len(rows)} largest of {len(group.loops)})", "remainder"], "rows": rows}


def _files(group: GroupRegistration) -> dict[str, Any]:
    rows = []
    for name, member in zip(group.names, group.members, strict=True):
        slide = member.slide
        rows.append([name, slide.path or "–", f"{slide.shape[1]} x {slide.shape[0]} px", slide.fingerprint])
    return {"head": ["slide", "file", "size", "fingerprint"], "rows": rows}


def _made(group: GroupRegistration) -> dict[str, Any]:
    near, each = group.noise
    noise = length_words(near, group.unit)
    if each:
        noise += f", and {length_words(each, group.unit)} for each section apart"
    own = {name_words(name).capitalize(): value for name, value in group.parameters.items()}
    return (
        {"Method": group.method, "Model": group.model, "Standard error of a link": noise}
        | own
        | dict(group.versions)
    )
