"""Series of projections as layers: one frame is read when the slider comes to it."""

from typing import Any

import numpy as np

from napari_histreg.plugin.layers.slides import LayerData
from napari_histreg.projections import ProjectionAlignment, ProjectionSeries

__all__ = ["aligned_layer", "series_layer", "series_of"]

KEY = "napari-histreg.projections"
GAP = 0.05


class _Frames:
    """Line integrals of a series as an array that is computed where it is looked at."""

    def __init__(self, series: ProjectionSeries, found: ProjectionAlignment | None = None) -> None:
        self._series, self._found = series, found
        self.shape = series.shape
        self.dtype = np.dtype(np.float32)
        self.ndim = 3

    def __getitem__(self, key: Any) -> Any:
        views, *rest = key if isinstance(key, tuple) else (key,)
        if not isinstance(views, slice):
            return self._frame(int(views))[tuple(rest)]
        frames = [self._frame(view) for view in range(*views.indices(self.shape[0]))]
        return np.stack(frames)[(slice(None), *rest)]

    def _frame(self, view: int) -> Any:
        frame = self._series.line_integrals(view).pixels
        return frame if self._found is None else self._found.aligned(frame, view)


def series_layer(series: ProjectionSeries) -> LayerData:
    """Return the layer of a series: a slider over the views, in line integrals.

    Parameters
    ----------
    series : ProjectionSeries
        Stays open as long as the layer lives.
    """
    middle = series.line_integrals(series.shape[0] // 2).pixels
    options = _options(series, middle) | {"name": series.name, "metadata": {KEY: series}}
    return _lazy(_Frames(series)), options, "image"


def aligned_layer(series: ProjectionSeries, found: ProjectionAlignment) -> LayerData:
    """Return the layer of the aligned frames, beside those of `series_layer`; computed when looked at."""
    middle = series.line_integrals(series.shape[0] // 2).pixels
    options = _options(series, middle)
    beside = series.shape[2] * (1 + GAP) * options["scale"][2]
    options |= {"name": f"{series.name} aligned", "translate": (0, 0, beside)}
    return _lazy(_Frames(series, found)), options, "image"


def series_of(layer: Any) -> ProjectionSeries | None:
    """Return the series that a layer shows; None for other layers."""
    found = getattr(layer, "metadata", {}).get(KEY)
    return found if isinstance(found, ProjectionSeries) else None


def _lazy(frames: _Frames) -> Any:
    import dask.array as da

    return da.from_array(frames, chunks=(1, *frames.shape[1:]), asarray=False, name=False)


def _options(series: ProjectionSeries, middle: Any) -> dict[str, Any]:
    size = series.pixel_um or 1.0
    low, high = (float(value) for value in np.percentile(middle, (0.5, 99.8)))
    return {
        "scale": (1.0, size, size),
        "axis_labels": ("projection", "y", "x"),
        "contrast_limits": (low, max(high, low + 1e-6)),
        "colormap": "gray",
    }
