"""The sections of a report: what each shows, and in which words."""

from collections.abc import Mapping
from html import escape
from typing import Any

from napari_histreg.quality.assessment import Assessed, Assessment
from napari_histreg.quality.independent import IndependentCheck
from napari_histreg.quality.page import (
    curtain_block,
    definition_table,
    document,
    figure,
    section,
    table,
)
from napari_histreg.quality.target_error import TargetError
from napari_histreg.slides.slide import Slide

__all__ = ["describe_slide", "report_page"]

MEANING = {
    "accepted": "The alignment can be used.",
    "doubtful": "Look at the pictures before you use it.",
    "refused": "Do not use it: the pictures show the best guess, if there is one.",
}


def report_page(registration: Assessed, found: Assessment, fixed: Slide, moving: Slide) -> str:
    """Return the whole page.

    Parameters
    ----------
    registration : Registration
        The alignment.
    found : Assessment
        Its numbers and pictures.
    fixed, moving : Slide
        The two slides.

    Returns
    -------
    str
        HTML; every word from outside is escaped.
    """
    pictures = found.pictures
    unit = "µm" if fixed.unit == "um" else "px"
    body = [
        f"<h1>{escape(moving.name)} aligned to {escape(fixed.name)}</h1>",
        _verdict(registration),
        _key(found, unit),
        section(
            "Drag the curtain",
            curtain_block(pictures.get("fixed"), pictures.get("moving")),
            note="The fixed slide lies left of the line, the aligned moving slide right of it.",
        ),
        section(
            "Before and after",
            '<div class="pair">'
            + figure(pictures.get("overlay_before"), "As the files come, centre on centre")
            + figure(pictures.get("overlay_after"), "As aligned")
            + "</div>"
            if "overlay_after" in pictures
            else "",
            figure(pictures.get("checkerboard"), "Fields of both slides in turn: structures must run on"),
        ),
        _check_section(found.check, pictures, unit),
        _target_section(
            "Landmark error",
            found.target,
            figure(pictures.get("residuals"), f"Errors in {unit}"),
            "pairs that the alignment was not made from.",
        ),
        _target_section(
            "Landmarks left out in turn",
            found.left_out,
            figure(pictures.get("residuals_left_out"), f"Errors in {unit}"),
            "pairs that the alignment was made from, each judged by a fit to all others.",
        ),
        _similarity_section(found),
        _deformation_section(found, pictures, unit),
        _provenance(registration, fixed, moving),
    ]
    return document(f"{moving.name} aligned to {fixed.name}", body)


def _verdict(registration: Assessed) -> str:
    word = registration.verdict if registration.verdict in MEANING else "refused"
    sure = "" if registration.confidence is None else f" (confidence {registration.confidence:.2f})"
    reasons = "".join(f"<li>{escape(str(reason))}</li>" for reason in registration.reasons)
    return (
        f'<div class="verdict {word}"><strong>{word.capitalize()}</strong>{sure}. {MEANING[word]}'
        f"{f'<ul>{reasons}</ul>' if reasons else ''}</div>"
    )


def _key(found: Assessment, unit: str) -> str:
    cards: list[tuple[str, str]] = []
    if found.check is not None:
        cards += [
            ("remaining shift, median", _length(found.check.median, unit)),
            ("remaining shift, 9 of 10 below", _length(found.check.p90, unit)),
            ("share of the tissue judged", f"{100 * found.check.judged_share:.0f} %"),
            ("regions that are off", str(len(found.check.flags))),
        ]
    for words, target in (("landmark error", found.target), ("landmarks left out", found.left_out)):
        if target is not None:
            median = target.median_px if target.median_um is None else target.median_um
            cards.append((f"{words}, median of {len(target.names)}", _length(median, unit)))
    after = found.overlap.get("after")
    if after and after["dice"] is not None:
        cards.append(("tissue overlap (Dice)", f"{after['dice']:.2f}"))
    return (
        '<div class="key">'
        + "".join(
            f"<div><b>{escape(value)}</b><span class=soft>{escape(name)}</span></div>"
            for name, value in cards
        )
        + "</div>"
    )


def _check_section(check: IndependentCheck | None, pictures: Mapping[str, Any], unit: str) -> str:
    if check is None:
        return ""
    flags = [
        [
            flag.words,
            f"y {flag.low[0]:.0f} to {flag.high[0]:.0f}, x {flag.low[1]:.0f} to {flag.high[1]:.0f} {unit}",
            "" if flag.shift is None else f"{flag.shift[0]:.3g}, {flag.shift[1]:.3g} {unit} (y, x)",
        ]
        for flag in check.flags
    ]
    what = {"directions": "directions of edges", "contrast": "local contrast"}[check.representation]
    return section(
        "Independent check",
        '<div class="pair">'
        + figure(pictures.get("error_map"), "Remaining shift; red frames: regions that are off")
        + figure(pictures.get("quiver"), "Where the alignment puts the tissue against where it lies")
        + "</div>",
        table(["region", "where", "shift"], flags) if flags else "",
        *(figure(pictures.get(f"zoom_{name}"), "") for name in ("best", "median", "worst")),
        note=f"The shift left in each block, measured by {what}, which the alignment was not made from.",
    )


def _target_section(title: str, target: TargetError | None, plot: str, which: str) -> str:
    if target is None:
        return ""
    values = target.to_dict()
    rows = [
        [
            name,
            values["px"][name],
            None if values["um"] is None else values["um"][name],
            100 * values["relative"][name],
        ]
        for name in ("median", "mean", "p90", "max")
    ]
    closer = "" if target.robustness is None else f" {100 * target.robustness:.0f} % came closer."
    return section(
        title,
        table(["", "px", "µm", "% of the diagonal"], rows),
        plot,
        note=f"{len(target.names)} {which}{closer}",
    )


def _similarity_section(found: Assessment) -> str:
    parts = []
    for where, words in (("tissue", "Inside the common tissue"), ("everything", "Over everything")):
        both = found.similarity.get(where)
        if not both or both["before"] is None:
            continue
        rows = [
            [name, both["before"][name], both["after"][name]] for name in both["before"] if name != "pixels"
        ]
        parts.append(table([words, "before", "after"], rows))
    if found.overlap:
        rows = [
            [name, found.overlap["before"][name], found.overlap["after"][name]] for name in ("dice", "iou")
        ]
        parts.append(table(["Tissue masks", "before", "after"], rows))
    return section(
        "Likeness", *parts, note="Of the nuclear signals. Numbers like these rank, they do not prove."
    )


def _deformation_section(found: Assessment, pictures: Mapping[str, Any], unit: str) -> str:
    if found.deformation is None:
        return ""
    values = found.deformation.to_dict()
    values["largest_displacement"] = f"{values['largest_displacement']:.4g} {unit} from the affine part"
    return section(
        "What the transform does",
        definition_table({name.replace("_", " "): value for name, value in values.items()}),
        figure(pictures.get("grid"), "A square grid as the transform bends it, affine part taken away"),
        figure(pictures.get("jacobian"), "Local change of area; 1 where nothing bends"),
    )


def _provenance(registration: Assessed, fixed: Slide, moving: Slide) -> str:
    steps = [
        [
            step.name,
            _in_one_line(step.parameters),
            _in_one_line(step.scores),
            "; ".join(map(str, step.notes)),
            float(step.seconds),
        ]
        for step in registration.steps
    ]
    both = [describe_slide(fixed), describe_slide(moving)]
    return section(
        "Provenance",
        table(["", "fixed", "moving"], [[name, *(str(s[name]) for s in both)] for name in both[0]]),
        definition_table({"method": registration.method, **dict(registration.parameters)}),
        table(["step", "parameters", "found", "notes", "seconds"], steps) if steps else "",
        definition_table(dict(registration.versions)),
    )


def _in_one_line(values: Mapping[str, Any]) -> str:
    """Return names and values as one line; long values are cut."""
    parts = []
    for name, value in values.items():
        words = f"{value:.4g}" if isinstance(value, float) else str(value)
        parts.append(f"{name} {words if len(words) <= 80 else words[:77] + '…'}")
    return ", ".join(parts)


def describe_slide(slide: Slide) -> dict[str, Any]:
    """Return name, size, pixel size, channels and type of a slide, as JSON values."""
    return {
        "name": slide.name,
        "size_px": list(slide.shape),
        "pixel_size_um": None if slide.pixel_size_um is None else list(slide.pixel_size_um),
        "channels": [channel.name for channel in slide.channels],
        "dtype": str(slide.dtype),
    }


def _length(value: float | None, unit: str) -> str:
    return "not measurable" if value is None else f"{value:.3g} {unit}"
