"""The course of a training as a picture: loss and error of each epoch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_histreg.quality.charts import BLUE, YELLOW, empty_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["curves"]


def curves(history: Sequence[Sequence[float]], *, width_px: int = 900, height_px: int = 380) -> "Figure":
    """Draw how loss and error fell, and at which epoch the weights were kept.

    Parameters
    ----------
    history : sequence of (float, float, float, float)
        Epoch, training loss, validation loss, validation error in pixels.
    width_px, height_px : int
        Of the figure.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> figure = curves([(0, -0.2, -0.1, 2.0), (1, -0.3, -0.2, 1.5)])
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['loss', 'error, px']
    """
    table = np.asarray(history, float).reshape(-1, 4)
    figure = empty_figure(width_px, height_px)
    losses, errors = figure.subplots(1, 2)
    for column, colour, label in ((1, YELLOW, "training"), (2, BLUE, "unseen specimens")):
        losses.plot(table[:, 0], table[:, column], color=colour, label=label)
    errors.plot(table[:, 0], table[:, 3], color=BLUE, label="unseen specimens")
    for axes, word in ((losses, "loss"), (errors, "error, px")):
        axes.set_xlabel("epoch")
        axes.set_ylabel(word)
        if len(table):
            axes.axvline(table[np.argmin(table[:, 2]), 0], color="#888888", linestyle=":", label="kept")
        axes.legend(frameon=False)
    return figure
