"""The report of an alignment: what each section shows, and in which words."""

from typing import Any

from napari_histreg.quality.assessment import Assessment
from napari_histreg.quality.deformation import Deformation
from napari_histreg.quality.flags import Flag
from napari_histreg.quality.independent import IndependentCheck
from napari_histreg.quality.measures import LIKENESS, OVERLAP, measure_rows
from napari_histreg.quality.page import name_words, render, value_words
from napari_histreg.quality.target_error import TargetError
from napari_histreg.records.bend_tables import TABLES
from napari_histreg.records.record import Registration, Step
from napari_histreg.slides.slide import Slide
from napari_histreg.units import length_words, rounded, unit_sign

__all__ = ["describe_slide", "report_page"]

MEANING = {
    "accepted": "The alignment can be used.",
    "doubtful": "Look at the pictures before you use it.",
    "refused": "Do not use it: the pictures show the best guess, if there is one.",
}
COMPARED = {"directions": "directions of edges", "contrast": "local contrast"}
MOST_CHANNELS = 12
BENDS = 1e-9
"""Bending energy below which a transform is affine but for the rounding of numbers."""


def report_page(registration: Registration, found: Assessment, fixed: Slide, moving: Slide) -> str:
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
    unit = fixed.unit
    return render(
        "report.html",
        title=f"{moving.name} aligned to {fixed.name}",
        verdict=registration.verdict,
        meaning=MEANING[registration.verdict],
        confidence=registration.confidence,
        reasons=registration.reasons,
        cards=_cards(found, unit),
        pictures=found.pictures,
        check=None if found.check is None else _check(found.check, unit),
        targets=_targets(found),
        likeness=_likeness(found),
        deformation=None if found.deformation is None else _deformation(found.deformation, unit),
        slides=_slides(fixed, moving),
        method=registration.method,
        seconds=registration.seconds,
        parameters=_named(registration.parameters),
        steps=[_step(step) for step in registration.steps],
        versions=dict(registration.versions),
    )


def _cards(found: Assessment, unit: str) -> list[dict[str, str]]:
    cards: list[tuple[str, str]] = []
    if found.check is not None:
        cards += [
            ("remaining shift, median", _length(found.check.median, unit)),
            ("remaining shift, 9 of 10 below", _length(found.check.p90, unit)),
            ("of the tissue could be judged", f"{100 * found.check.judged_share:.0f} %"),
            ("regions that are off", str(len(found.check.flags))),
        ]
    for words, target in (("landmark error (TRE)", found.target), ("landmarks left out", found.left_out)):
        if target is not None:
            known = target.median_um is not None
            median = _length(target.median_um, "um") if known else _length(target.median_px, "px")
            cards.append((f"{words}, median of {len(target.names)}", median))
    after = found.overlap.get("after")
    if after and after["dice"] is not None:
        cards.append(("overlap of the tissue (Dice)", f"{after['dice']:.2f}"))
    return [{"name": name, "value": value} for name, value in cards]


def _check(check: IndependentCheck, unit: str) -> dict[str, Any]:
    return {
        "compared": COMPARED[check.representation],
        "regions": [[flag.words, _where(flag, unit), _shift(flag, unit)] for flag in check.flags],
    }


def _where(flag: Flag, unit: str) -> str:
    (top, left), (bottom, right) = flag.low, flag.high
    return f"x {left:.0f} to {right:.0f}, y {top:.0f} to {bottom:.0f} {unit_sign(unit)}"


def _shift(flag: Flag, unit: str) -> str:
    if flag.shift is None:
        return "–"
    down, right = (rounded(value) for value in flag.shift)
    return f"{down}, {right} {unit_sign(unit)}"


def _targets(found: Assessment) -> list[dict[str, Any]]:
    wanted = (
        ("Landmark error", found.target, "residuals", "pairs that the alignment was not made from."),
        (
            "Landmarks left out in turn",
            found.left_out,
            "residuals_left_out",
            "pairs that the alignment was made from, each judged by a fit to all others.",
        ),
    )
    sections = []
    for title, target, picture, which in wanted:
        if target is None:
            continue
        head, rows = _target_table(target)
        note = f"Target error (TRE) of {len(target.names)} {which}"
        if target.robustness is not None:
            note += f" {100 * target.robustness:.0f} % came closer than before."
        sections.append(
            {"title": title, "note": note, "head": head, "rows": rows, "picture": found.pictures.get(picture)}
        )
    return sections


def _target_table(target: TargetError) -> tuple[list[str], list[list[Any]]]:
    values = target.to_dict()
    words = {"median": "median", "mean": "mean", "p90": "9 of 10 below", "max": "largest"}
    units = [("µm", "um", 1.0)] if values["um"] is not None else []
    units += [("px", "px", 1.0), ("% of the diagonal (rTRE)", "relative", 100.0)]
    rows = [[said, *(values[key][name] * factor for _, key, factor in units)] for name, said in words.items()]
    return ["", *(head for head, _, _ in units)], rows


def _likeness(found: Assessment) -> list[dict[str, Any]]:
    parts = []
    for where, heading in (("tissue", "Inside the common tissue"), ("everything", "Over everything")):
        both = found.similarity.get(where)
        if both and both["before"] is not None and both["after"] is not None:
            parts.append({"heading": heading, "rows": measure_rows(LIKENESS, both["before"], both["after"])})
    if found.overlap:
        rows = measure_rows(OVERLAP, found.overlap["before"], found.overlap["after"])
        parts.append({"heading": "Tissue masks", "rows": rows})
    return parts


def _deformation(found: Deformation, unit: str) -> dict[str, str]:
    values = found.to_dict()
    words = {
        "Turn": f"{found.angle_deg:.1f}°",
        "Mirrored": "yes" if found.mirrored else "no",
        "Scale": rounded(found.scale, 4),
    }
    if found.bending_energy < BENDS and found.folded == 0:
        return words | {"Bending": "none: all of the slide is turned, scaled and sheared alike"}
    return words | {
        "Largest bend": f"{length_words(found.largest_displacement, unit)} away from the affine part",
        "Local area": f"{value_words(values['jacobian_min'])} to {value_words(values['jacobian_max'])} times",
        "Folded tissue": f"{rounded(100 * found.folded_share)} % of the slide" if found.folded else "none",
        "Bending energy": f"{rounded(found.bending_energy)} (0 where nothing bends)",
    }


def _slides(fixed: Slide, moving: Slide) -> list[list[str]]:
    both = [_slide_words(fixed), _slide_words(moving)]
    return [[name, *(words[name] for words in both)] for name in both[0]]


def _slide_words(slide: Slide) -> dict[str, str]:
    height, width = slide.shape
    size = slide.pixel_size_um
    names = [channel.name for channel in slide.channels]
    more = "" if len(names) <= MOST_CHANNELS else f" and {len(names) - MOST_CHANNELS} more"
    area = (
        ""
        if size is None
        else f" ({length_words(width * size[1], 'um')} x {length_words(height * size[0], 'um')})"
    )
    return {
        "Name": slide.name,
        "Size": f"{width} x {height} px{area}",
        "Pixel size": "unknown" if size is None else " x ".join(f"{side:.4g}" for side in size[::-1]) + " µm",
        "Channels": "colours (RGB)" if slide.is_rgb else ", ".join(names[:MOST_CHANNELS]) + more,
        "Pixels": f"{8 * slide.dtype.itemsize} bit" + (" decimals" if slide.dtype.kind == "f" else ""),
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": name_words(step.name).capitalize(),
        "seconds": float(step.seconds),
        "notes": tuple(step.notes),
        # Tables of places are drawn, not listed.
        "found": _named({k: v for k, v in {**step.parameters, **step.scores}.items() if k not in TABLES}),
    }


def _named(values: Any) -> dict[str, Any]:
    return {name_words(name).capitalize(): value for name, value in values.items()}


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
    return "not measurable" if value is None else length_words(value, unit)
