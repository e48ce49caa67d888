"""What an alignment is good for besides: both slides in one picture, and its error on other landmarks."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from napari_histreg.fusion import fuse_slides
from napari_histreg.landmarks import read_landmarks
from napari_histreg.plugin.models.export_model import ExportModel
from napari_histreg.progress import Progress, portion
from napari_histreg.quality.fusion_quality import measure_fused_slide
from napari_histreg.quality.fusion_report import measure_table, write_fusion_report
from napari_histreg.quality.target_error import target_error
from napari_histreg.slides import write_slide
from napari_histreg.transforms import Translation
from napari_histreg.warping import Grid, warp_slide

__all__ = ["measure_unseen", "write_fused"]


def write_fused(
    export: ExportModel, path: str | Path, rule: str, *, measured: bool = False
) -> Callable[[Progress], str]:
    """Return the call that merges both slides into one, for looking, as ``histreg fuse`` does.

    Parameters
    ----------
    export : ExportModel
        Whose slides and alignment.
    path : path-like
        Ends in .ome.tif or .ome.zarr.
    rule : str
        A name from `napari_histreg.fusion.RULES`.
    measured : bool
        Whether to measure how much it keeps of both slides, and to write a page on it beside it.
    """
    fixed, moving = export.slides()
    transform, frame = export.session.fixed_to_moving, Grid.of(fixed)
    size = fixed.pixel_size_um
    still = replace(warp_slide(fixed, Translation.identity(), frame, pixel_size_um=size), name=fixed.name)
    warped = replace(warp_slide(moving, transform, frame, pixel_size_um=size), name=moving.name)
    vouch = export.voucher()

    def call(progress: Progress) -> str:
        vouch(progress)
        fused = fuse_slides([still, warped], rule)
        written = write_slide(fused, path, progress=portion(progress, 0.0, 0.9 if measured else 1.0))
        if not measured:
            return f"Wrote {written}."
        progress(0.9, "measuring what it keeps of both slides")
        figures = measure_fused_slide(still, warped, fused)
        page = Path(path).with_name(f"{Path(path).name.partition('.ome.')[0]}.html")
        write_fusion_report(page, still, warped, fused, figures, made_by=fused.metadata)
        return f"Wrote {written} and {page.name}.\n{measure_table(figures)}"

    return call


def measure_unseen(export: ExportModel, path: str | Path) -> Callable[[Progress], str]:
    """Return the call that measures the error on landmarks of a file, as ``histreg evaluate``."""
    fixed, moving = export.slides()
    transform, made_of = export.session.fixed_to_moving, export.session.landmarks

    def call(progress: Progress) -> str:
        progress(0.0, "reading the landmarks")
        pairs = read_landmarks(
            Path(path),
            fixed_pixel_size=fixed.world_pixel_size,
            moving_pixel_size=moving.world_pixel_size,
        )
        found = target_error(pairs, transform, shape=fixed.shape, pixel_size_um=fixed.pixel_size_um)
        seen = made_of.holds(pairs) and export.session.origin == "landmarks"
        warning = "The alignment was made from these pairs, so this says nothing of other places.\n"
        return (warning if seen else "") + found.table()

    return call
