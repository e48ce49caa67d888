"""Maps and plots of an alignment as matplotlib figures; none of them opens a window."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_histreg.geometry import FloatArray, grid_points
from napari_histreg.quality.drawing import Picture
from napari_histreg.quality.independent import IndependentCheck
from napari_histreg.raster import Raster
from napari_histreg.transforms import Transform, approximate_affine
from napari_histreg.units import length_words, rounded, unit_sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "as_picture",
    "bend_map",
    "deformed_grid",
    "elbow_plot",
    "error_map",
    "heat_map",
    "quiver",
    "residual_plot",
]

DOTS_PER_INCH = 100
BLUE, RED, YELLOW = "#2f6db5", "#c1121f", "#e9a800"
MOST_BARS = 40
LINES, POINTS_OF_A_LINE = 17, 120


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


def heat_map(
    values: FloatArray,
    *,
    low: float,
    high: float,
    size: tuple[float, float],
    unit: str,
    label: str,
    colours: str = "viridis",
    width_px: int = 560,
) -> "Figure":
    """Draw a grid of values as coloured fields over the area of a slide.

    Parameters
    ----------
    values : (R, C) ndarray
        NaN is drawn grey.
    low, high : float
        Values of the first and the last colour.
    size : (float, float)
        Height and width of the area in world units.
    unit : {"um", "px"}
        Name of the world unit.
    label : str
        What the values are.
    colours : str
        Name of a colour map of matplotlib.
    width_px : int
        Width of the figure.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> figure = heat_map(np.eye(3), low=0, high=1, size=(30, 30), unit="um", label="share")
    >>> figure.axes[0].get_xlabel(), figure.axes[1].get_ylabel()
    ('x (µm)', 'share')
    """
    figure, axes = _area(size, (0.0, 0.0), unit, width_px)
    _coloured(figure, axes, values, (0, size[1], size[0], 0), (low, high), label, colours)
    return figure


def error_map(check: IndependentCheck, picture: Picture, frame: Raster, *, width_px: int = 560) -> "Figure":
    """Lay the remaining shift of each judged block over a picture of the fixed slide, flags outlined.

    Parameters
    ----------
    check : IndependentCheck
        The shifts.
    picture : (Y, X, 3) ndarray of uint8
        The fixed slide on `frame`.
    frame : Raster
        Where the picture lies.
    width_px : int
        Width of the figure.

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.patches import Rectangle

    figure, axes = _over(picture, frame, check.unit, width_px)
    # Blocks overlap by half: each is drawn over the half that is nearest to it.
    half = check.block / 4
    (top, left), (bottom, right) = check.centres[0, 0] - half, check.centres[-1, -1] + half
    label = f"remaining shift ({unit_sign(check.unit)})"
    _coloured(figure, axes, check.distances, (left, right, bottom, top), (0, _top(check)), label, alpha=0.6)
    for flag in check.flags:
        (y, x), (height, width) = flag.low, np.subtract(flag.high, flag.low)
        axes.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=RED, linewidth=2))
    return figure


def quiver(check: IndependentCheck, picture: Picture, frame: Raster, *, width_px: int = 560) -> "Figure":
    """Draw the remaining shift of each judged block as an arrow over a picture of the fixed slide.

    Parameters
    ----------
    check : IndependentCheck
        The shifts.
    picture : (Y, X, 3) ndarray of uint8
        The fixed slide on `frame`.
    frame : Raster
        Where the picture lies.
    width_px : int
        Width of the figure.

    Returns
    -------
    matplotlib Figure
        Its title says how much longer than life the arrows are.
    """
    figure, axes = _over(picture, frame, check.unit, width_px)
    if not check.judged.any():
        axes.set_title("No block could be judged")
        return figure
    shifts, starts = check.shifts[check.judged], check.centres[check.judged]
    longest = float(np.percentile(np.linalg.norm(shifts, axis=-1), 95))
    factor = float(f"{max(1.0, 0.45 * check.block / max(longest, 1e-9)):.1g}")
    # Nobody can read arrows of a shift that is a ten thousandth of a block.
    factor = min(factor, 10_000.0)
    axes.quiver(
        starts[:, 1], starts[:, 0], shifts[:, 1], shifts[:, 0],
        angles="xy", scale_units="xy", scale=1 / factor, color=RED, width=0.005,
    )  # fmt: skip
    axes.set_title(f"arrows {factor:g} times as long as the shift", fontsize=9)
    return figure


def deformed_grid(
    fixed_to_moving: Transform, size: tuple[float, float], unit: str = "um", *, width_px: int = 480
) -> "Figure":
    """Draw how the transform bends a square grid, its affine part taken away.

    Parameters
    ----------
    fixed_to_moving : Transform
        In world units.
    size : (float, float)
        Height and width of the fixed slide in world units.
    unit : {"um", "px"}
        Name of the world unit.
    width_px : int
        Width of the figure.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> from napari_histreg.transforms import Similarity
    >>> len(deformed_grid(Similarity.of(angle_deg=30), (100, 50)).axes[0].lines)
    34
    """
    figure, axes = _area(size, (0.0, 0.0), unit, width_px)
    ys, xs = (np.linspace(0.03, 0.97, LINES) * length for length in size)
    along_y, along_x = (np.linspace(0.03, 0.97, POINTS_OF_A_LINE) * length for length in size)
    affine = approximate_affine(fixed_to_moving, grid_points(ys, xs).reshape(-1, 2))
    back = affine.inverse()
    lines = [np.stack([np.full_like(along_x, y), along_x], -1) for y in ys]
    lines += [np.stack([along_y, np.full_like(along_y, x)], -1) for x in xs]
    for line in lines:
        bent = back(fixed_to_moving(line))
        axes.plot(bent[:, 1], bent[:, 0], color=BLUE, linewidth=0.8)
    return figure


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
    figure = _figure(width_px, 90 + 18 * len(order))
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
    figure = _figure(width_px, round(0.7 * width_px))
    axes = figure.add_subplot()
    numbers = np.arange(1, len(spread) + 1)
    axes.plot(numbers, spread, "o-", color=BLUE)
    axes.plot(count, spread[count - 1], "o", color=YELLOW, markersize=12)
    axes.set_xticks(numbers)
    axes.set_xlabel("number of groups")
    axes.set_ylabel("spread within the groups")
    axes.set_title(f"{count} {'group' if count == 1 else 'groups'} chosen", fontsize=10)
    return figure


def bend_map(
    bounds: FloatArray, torn: FloatArray, picture: Picture, frame: Raster, unit: str, *, width_px: int = 560
) -> "Figure":
    """Lay over a picture of the fixed slide how far a bent alignment may be off, and where tissue is torn.

    Parameters
    ----------
    bounds : (N, 3) ndarray
        y, x and the distance within which nine of ten errors should lie, world units.
    torn : (B, 3) ndarray
        y, x of places where neighbouring tissue does not hang together, and by how much.
    picture : (Y, X, 3) ndarray of uint8
        The fixed slide on `frame`.
    frame : Raster
        Where the picture lies.
    unit : str
        World unit.
    width_px : int
        Width of the figure.

    Returns
    -------
    matplotlib Figure
    """
    figure, axes = _over(picture, frame, unit, width_px)
    drawn = axes.scatter(bounds[:, 1], bounds[:, 0], c=bounds[:, 2], s=14, cmap="viridis", vmin=0)
    if len(torn):
        axes.plot(torn[:, 1], torn[:, 0], "x", color=RED, markersize=6, markeredgewidth=1.5)
    bar: Any = figure.colorbar(drawn, ax=axes, shrink=0.85)
    bar.set_label(f"expected error, 90 % ({unit_sign(unit)})")
    return figure


def _figure(width_px: float, height_px: float) -> "Figure":
    from matplotlib.figure import Figure

    inches = width_px / DOTS_PER_INCH, height_px / DOTS_PER_INCH
    return Figure(inches, dpi=DOTS_PER_INCH, layout="constrained")


def _area(
    size: tuple[float, float], origin: tuple[float, float], unit: str, width_px: int
) -> tuple["Figure", "Axes"]:
    """Return a figure whose axes cover an area of the fixed slide, y downwards, as slides are seen."""
    height_px = float(np.clip(0.78 * width_px * size[0] / size[1], 0.3 * width_px, 2 * width_px)) + 60
    figure = _figure(width_px, round(height_px))
    axes = figure.add_subplot()
    axes.set_aspect("equal")
    axes.set_xlim(origin[1], origin[1] + size[1])
    axes.set_ylim(origin[0] + size[0], origin[0])
    axes.set_xlabel(f"x ({unit_sign(unit)})")
    axes.set_ylabel(f"y ({unit_sign(unit)})")
    axes.tick_params(labelsize=8)
    axes.locator_params(nbins=5)
    return figure, axes


def _over(picture: Picture, frame: Raster, unit: str, width_px: int) -> tuple["Figure", "Axes"]:
    """Return axes that show a pale picture of the fixed slide."""
    extent = np.multiply(frame.shape, frame.spacing)
    corner = np.subtract(frame.origin, np.divide(frame.spacing, 2))
    (top, left), (bottom, right) = corner, corner + extent
    figure, axes = _area((float(extent[0]), float(extent[1])), (top, left), unit, width_px)
    pale = (0.6 * picture.mean(-1) + 95).clip(0, 255) / 255
    axes.imshow(
        pale, cmap="gray", vmin=0, vmax=1, extent=(left, right, bottom, top), interpolation="antialiased"
    )
    return figure, axes


def _coloured(
    figure: "Figure",
    axes: "Axes",
    values: FloatArray,
    extent: tuple[float, float, float, float],
    limits: tuple[float, float],
    label: str,
    colours: str = "viridis",
    alpha: float = 1.0,
) -> None:
    """Lay a grid of values over axes, with a colour bar; matplotlib's extent is left, right, bottom, top."""
    view = axes.get_xlim(), axes.get_ylim()
    drawn = axes.imshow(
        values,
        extent=extent,
        vmin=limits[0],
        vmax=limits[1],
        cmap=colours,
        alpha=alpha,
        interpolation="nearest",
    )
    if alpha == 1:
        axes.set_facecolor("0.7")
    axes.set_xlim(view[0])
    axes.set_ylim(view[1])
    bar: Any = figure.colorbar(drawn, ax=axes, shrink=0.85)
    bar.set_label(label)


def _literal(words: str) -> str:
    """Keep matplotlib from reading a name with dollars as a formula."""
    return words.replace("$", r"\$")


def _top(check: IndependentCheck) -> float:
    """Return a value near the largest shifts, at least a thousandth of the diagonal."""
    values = check.distances[check.judged]
    highest = float(np.percentile(values, 95)) if values.size else 0.0
    return max(highest, 1e-3 * check.diagonal)
