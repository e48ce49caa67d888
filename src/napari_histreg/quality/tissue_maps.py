"""Maps of an alignment over the slide, drawn by matplotlib; none of them opens a window."""

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_histreg.geometry import FloatArray, grid_points
from napari_histreg.quality.charts import BLUE, empty_figure
from napari_histreg.quality.drawing import Picture
from napari_histreg.quality.independent import IndependentCheck
from napari_histreg.raster import Raster
from napari_histreg.transforms import Transform, approximate_affine
from napari_histreg.units import unit_sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["bend_map", "deformed_grid", "error_map", "heat_map", "quiver"]

RED = "#c1121f"
LINES, POINTS_OF_A_LINE = 17, 120


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


def _area(
    size: tuple[float, float], origin: tuple[float, float], unit: str, width_px: int
) -> tuple["Figure", "Axes"]:
    """Return a figure whose axes cover an area of the fixed slide, y downwards, as slides are seen."""
    height_px = float(np.clip(0.78 * width_px * size[0] / size[1], 0.3 * width_px, 2 * width_px)) + 60
    figure = empty_figure(width_px, round(height_px))
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


def _top(check: IndependentCheck) -> float:
    """Return a value near the largest shifts, at least a thousandth of the diagonal."""
    values = check.distances[check.judged]
    highest = float(np.percentile(values, 95)) if values.size else 0.0
    return max(highest, 1e-3 * check.diagonal)
