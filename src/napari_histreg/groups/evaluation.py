"""How well a group is aligned by what no alignment saw: masks carried along, and the pictures' likeness."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.files import written_whole
from napari_histreg.groups.group import GroupRegistration
from napari_histreg.preprocess import Recipe, prepare, working_spacing
from napari_histreg.preprocess.intensity import scale_percentiles
from napari_histreg.preprocess.planes import read_planes
from napari_histreg.preprocess.vessels import GREEN, is_retina, retina_field
from napari_histreg.progress import Progress, silent
from napari_histreg.quality.similarity import measure_similarity
from napari_histreg.raster import Raster
from napari_histreg.records.record import VerdictWord
from napari_histreg.registration.label_evaluation import evaluate_labels
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform, Translation, resample

__all__ = ["GroupEvaluation", "MemberScore", "evaluate_group", "write_evaluation"]

SIDE = 1024
FIGURES = ("dice", "l1", "ncc", "ssim")


@dataclass(frozen=True)
class MemberScore:
    """How well one slide lies on the template.

    Parameters
    ----------
    member : int
        Its place in the group.
    name : str
    verdict : {"accepted", "doubtful", "refused"}
    before, after : mapping of str to float
        "dice" of the masks, and "l1", "ncc" and "ssim" of the pictures in what both fields have in common:
        as the slide lies, and as it was aligned; `after` is empty where it was refused.
    """

    member: int
    name: str
    verdict: VerdictWord
    before: Mapping[str, float]
    after: Mapping[str, float]


@dataclass(frozen=True)
class GroupEvaluation:
    """Scores of all slides but the template.

    Parameters
    ----------
    template : str
        Name of the slide onto which the others were brought.
    scores : tuple of MemberScore
        In the order of the group.
    """

    template: str
    scores: tuple[MemberScore, ...]

    @property
    def placed(self) -> tuple[MemberScore, ...]:
        """The scores of slides that have a place."""
        return tuple(score for score in self.scores if score.after)

    def mean(self, time: str) -> dict[str, float]:
        """Return the mean of each figure over the slides that have a place, "before" or "after"."""
        rows = [getattr(score, time) for score in self.placed]
        return {name: float(np.mean([row[name] for row in rows])) for name in FIGURES} if rows else {}

    @property
    def examples(self) -> dict[str, MemberScore]:
        """The best, the median and the worst slide by the Dice overlap after; fewer where there are fewer."""
        ranked = sorted(self.placed, key=lambda score: -score.after["dice"])
        if len(ranked) < 3:
            return dict(zip(("best", "worst"), ranked, strict=False))
        return {"best": ranked[0], "median": ranked[len(ranked) // 2], "worst": ranked[-1]}

    def to_dict(self) -> dict[str, Any]:
        """Return all figures by name."""
        rows = [
            {"slide": s.name, "verdict": s.verdict, "before": dict(s.before), "after": dict(s.after)}
            for s in self.scores
        ]
        means = {time: self.mean(time) for time in ("before", "after")}
        return {"template": self.template, "slides": rows, "mean": means}


def evaluate_group(
    group: GroupRegistration,
    slides: Mapping[int, Slide],
    masks: Mapping[int, Slide],
    *,
    progress: Progress = silent,
) -> GroupEvaluation:
    """Carry each slide's mask onto the template's, and compare the pictures, before and after.

    Parameters
    ----------
    group : GroupRegistration
    slides, masks : mapping of int to Slide
        By their places in the group; a mask lies on its slide's own pixels, and what is not 0 is labelled.
    progress : Progress, optional
        Told after each slide; may raise `Cancelled`.

    Returns
    -------
    GroupEvaluation

    Raises
    ------
    ValueError
        A mask has another size than its slide.
    """
    template = group.template
    fixed = _grey(slides[template])
    scores = []
    others = [k for k in range(len(group)) if k != template]
    for number, k in enumerate(others):
        progress(number / len(others), f"evaluating {group.names[k]}")
        pair = group.pair(template, k)
        moving = _grey(slides[k])
        before = _likeness(fixed, moving, Translation.identity())
        after: dict[str, float] = {}
        if group.members[k].frame_to_slide is not None:
            found = evaluate_labels(pair, masks[template], masks[k])
            before["dice"] = found.dice_before
            after = {"dice": found.dice_after, **_likeness(fixed, moving, pair.fixed_to_moving)}
        scores.append(MemberScore(k, group.names[k], group.members[k].verdict, before, after))
    progress(1.0, "evaluated")
    return GroupEvaluation(group.names[template], tuple(scores))


def write_evaluation(evaluation: GroupEvaluation, path: Path) -> Path:
    """Write a table with a row for each slide, and the mean of those that have a place.

    Parameters
    ----------
    evaluation : GroupEvaluation
    path : Path
        A ``.csv`` file.
    """
    head = ["slide", "verdict", *(f"{name}_{time}" for name in FIGURES for time in ("before", "after"))]
    rows: list[Sequence[object]] = [
        [score.name, score.verdict, *_cells(score.before, score.after)] for score in evaluation.scores
    ]
    if evaluation.placed:
        rows.append(["mean", "", *_cells(evaluation.mean("before"), evaluation.mean("after"))])
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])
    return path


def _cells(before: Mapping[str, float], after: Mapping[str, float]) -> list[str]:
    values = (row.get(name) for name in FIGURES for row in (before, after))
    return ["" if value is None else f"{value:.4f}" for value in values]


def _grey(slide: Slide) -> Raster:
    """See the brightness of a slide, 0 to 1, with what lies outside its field left out."""
    spacing = working_spacing(slide, SIDE)
    if not is_retina(slide):
        return prepare(slide, Recipe(signal="grey", spacing=spacing))
    planes = read_planes(slide, spacing)
    field = retina_field(planes.pixels)
    return Raster.on(planes.frame, scale_percentiles(planes.pixels[GREEN], field), field)


def _likeness(fixed: Raster, moving: Raster, transform: Transform) -> dict[str, float]:
    """Compare two pictures in what both fields have in common."""
    there = resample(moving, transform, fixed.frame)
    inside = fixed.mask & there.mask
    if not inside.any():
        return dict.fromkeys(FIGURES[1:], float("nan"))
    found = measure_similarity(fixed.pixels, there.pixels, inside)
    return {"l1": found.l1, "ncc": found.ncc, "ssim": found.ssim}
