"""One page about a series: verdict, shifts, sinograms and slices before and after."""

from napari_histreg.projections.alignment import GAUGE, ProjectionAlignment
from napari_histreg.projections.charts import (
    axis_chart,
    grey_picture,
    likeness_chart,
    residual_chart,
    shift_chart,
)
from napari_histreg.projections.preview import Slices
from napari_histreg.projections.registry import find_projection_method
from napari_histreg.quality.page import render

__all__ = ["report_page"]

MEANING = {
    "accepted": "All views fit the body that the others show.",
    "doubtful": "Look at the reasons before you go on.",
    "refused": "The shifts are not to be used.",
}
ENOUGH_LEFT_OUT = 40


def report_page(found: ProjectionAlignment, slices: Slices | None) -> str:
    """Return the report as one HTML file that needs nothing else.

    Parameters
    ----------
    found : ProjectionAlignment
        The shifts.
    slices : Slices or None
        Sinograms and slices, where any could be read.
    """
    middle = None if slices is None else len(slices.rows) // 2
    rows = []
    if slices is not None:
        for k, row in enumerate(slices.rows):
            after = slices.slices_after[k]
            rows.append(
                {
                    "row": row,
                    "before": grey_picture(slices.slices_before[k], after),
                    "after": grey_picture(after),
                }
            )
    sinograms = None
    if slices is not None and middle is not None:
        after = slices.after[middle]
        sinograms = {
            "row": slices.rows[middle],
            "before": grey_picture(slices.before[middle], after),
            "after": grey_picture(after),
        }
    spec = find_projection_method(found.method)
    return render(
        "projections.html",
        title=f"Projections of {found.name}",
        verdict=found.verdict,
        meaning=MEANING[found.verdict],
        reasons=found.reasons,
        cards=_cards(found),
        charts={
            "shifts": shift_chart(found),
            "residuals": residual_chart(found),
            "likeness": likeness_chart(found),
            "axis": axis_chart(found),
        },
        sinograms=sinograms,
        slices=rows,
        left_out=[
            (view, float(found.angles_deg[view]), why)
            for view, why in list(found.left_out.items())[:ENOUGH_LEFT_OUT]
        ],
        left_out_more=max(0, len(found.left_out) - ENOUGH_LEFT_OUT),
        notes=found.notes,
        gauge=GAUGE,
        made={
            "method": spec.title,
            "sources (DOI)": spec.doi,
            "parameters": dict(found.parameters),
            "detector pixels in a pixel worked at": found.bin,
            "seconds": found.seconds,
            **found.figures,
        },
    )


def _cards(found: ProjectionAlignment) -> list[dict[str, str]]:
    um = found.pixel_um

    def length(px: float) -> str:
        return f"{px:.2f} px" + ("" if um is None else f" ({px * um:.3g} µm)")

    used = int(found.used.sum())
    cards = [
        ("expected error along y", length(found.error_px[0])),
        ("expected error along x", length(found.error_px[1])),
        ("rotation axis", "unknown" if found.axis_px is None else f"column {found.axis_px:.2f}"),
        ("tilt of the axis", f"{found.tilt_deg:.2f}°" if found.tilt_error_deg is not None else "unknown"),
        ("projections in use", f"{used} of {len(found.angles_deg)}"),
    ]
    return [{"name": name, "value": value} for name, value in cards]
