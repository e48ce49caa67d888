"""Plots of an alignment's figures by matplotlib; none of them opens a window."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.quality.drawing import Picture
from napari_histreg.units import length_words, rounded, unit_sign

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["as_picture", "elbow_plot", "empty_figure", "residual_plot"]

DOTS_PER_INCH = 100
BLUE, YELLOW = "#2f6db5", "#e9a800"
MOST_BARS = 40


def as_picture(figure: "Figure") -> Picture:
    """Draw a figure into an array.

    Parameters
    ----------
    figure : matplotlib Figure

    Returns
    -------
    (Y, X, 3) ndarray of uint8

    Examples
    --------
    >>> as_picture(elbow_plot(np.array([9.0, 2.0]), 2, width_px=300)).shape[1:]
    (300, 3)
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba(), np.uint8)[..., :3].copy()


def residual_plot(errors: FloatArray, names: Sequence[str], unit: str, *, width_px: int = 560) -> "Figure":
    """Draw the error of each landmark as a bar, the largest first, with the median as a line.

    Parameters
    ----------
    errors : (N,) ndarray
        Errors.
    names : sequence of str
        One for each.
    unit : {"um", "px"}
        Of the errors.
    width_px : int
        Width of the figure.

    Returns
    -------
    matplotlib Figure
        At most the 40 largest.

    Examples
    --------
    >>> figure = residual_plot(np.array([1.0, 3.0]), ("a", "b"), "um")
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['b', 'a']
    """
    order = np.argsort(errors)[::-1][:MOST_BARS]
    figure = empty_figure(width_px, 90 + 18 * len(order))
    axes = figure.add_subplot()
    bars = axes.barh(np.arange(len(order)), errors[order], color=BLUE, height=0.7)
    axes.bar_label(bars, [rounded(float(errors[k]), 2) for k in order], padding=3, fontsize=8)
    axes.set_yticks(np.arange(len(order)), [_literal(names[k][:18]) for k in order], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(f"error ({unit_sign(unit)})")
    axes.margins(x=0.12)
    median = float(np.median(errors))
    axes.axvline(median, color=YELLOW, zorder=0, label=f"median {length_words(median, unit)}")
    axes.legend(loc="lower right", fontsize=8)
    return figure


def elbow_plot(spread: FloatArray, count: int, *, width_px: int = 480) -> "Figure":
    """Draw how the spread within groups falls with their number, and the number that was chosen.

    Parameters
    ----------
    spread : (K,) ndarray
        Sum of squared distances to the groups' centres for 1 to K groups.
    count : int
        The number of groups that was chosen, 1 to K.
    width_px : int
        Width of the figure.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> elbow_plot(np.array([9.0, 2.0, 1.5, 1.2]), 2).axes[0].get_title()
    '2 groups chosen'
    """
    figure = empty_figure(width_px, round(0.7 * width_px))
    axes = figure.add_subplot()
    numbers = np.arange(1, len(spread) + 1)
    axes.plot(numbers, spread, "o-", color=BLUE)
    axes.plot(count, spread[count - 1], "o", color=YELLOW, markersize=12)
    axes.set_xticks(numbers)
    axes.set_xlabel("number of groups")
    axes.set_ylabel("spread within the groups")
    axes.set_title(f"{count} {'group' if count == 1 else 'groups'} chosen", fontsize=10)
    return figure


def empty_figure(width_px: float, height_px: float) -> "Figure":
    """Return a figure of that size without axes."""
    from matplotlib.figure import Figure

    inches = width_px / DOTS_PER_INCH, height_px / DOTS_PER_INCH
    return Figure(inches, dpi=DOTS_PER_INCH, layout="constrained")


def _literal(words: str) -> str:
    """Keep matplotlib from reading a name with dollars as a formula."""
    return words.replace("$", r"\$")
