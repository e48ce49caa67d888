"""Series of tomographic projections: jitter out, rotation axis found, and a verdict."""

from napari_histreg.projections.align import align_projections
from napari_histreg.projections.alignment import ProjectionAlignment
from napari_histreg.projections.opening import open_projections
from napari_histreg.projections.series import ProjectionSeries

__all__ = ["ProjectionAlignment", "ProjectionSeries", "align_projections", "open_projections"]
