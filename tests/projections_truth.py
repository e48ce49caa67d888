"""The error of an aligned series against its truth."""

import numpy as np

from napari_histreg.projections import ProjectionAlignment
from napari_histreg.projections.gauge import rms_without_gauge
from napari_histreg.samples import PhantomProjections


def error(found: ProjectionAlignment, scan: PhantomProjections) -> float:
    """Return the larger RMS error along y or x without gauge, over the frames in use."""
    radians = np.radians(scan.angles_deg)
    return max(rms_without_gauge(found.shifts_px, scan.shifts_px, radians, found.used))
