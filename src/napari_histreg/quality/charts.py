"""Maps and plots of an alignment as arrays, (Y, X, 3) uint8, drawn without matplotlib."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.quality.drawing import PAPER, Picture, caption, write_text
from napari_histreg.quality.independent import IndependentCheck
from napari_histreg.raster import Raster
from napari_histreg.transforms import Transform

__all__ = ["deformed_grid", "elbow_plot", "error_map", "heat_map", "quiver", "residual_plot"]

# Five colours of the map "viridis": even steps to the eye, readable without colour vision.
COLD_TO_HOT = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)], float)
BLANK = (70, 70, 70)


def heat_map(
    values: FloatArray, *, low: float, high: float, width_px: int = 480, title: str = "", unit: str = ""
) -> Picture:
    """Draw a grid of values as coloured fields with a colour bar.

    Parameters
    ----------
    values : (R, C) ndarray
        NaN is drawn grey.
    low, high : float
        Values of the coldest and the hottest colour.
    width_px : int
        Width of the map without its bar.
    title, unit : str
        Words above, and beside the bar's ends.

    Returns
    -------
    (Y, X, 3) ndarray of uint8

    Examples
    --------
    >>> heat_map(np.array([[0.0, 1.0]]), low=0, high=1, width_px=100).shape[2]
    3
    """
    columns = values.shape[1]
    side = max(1, width_px // columns)
    fields = np.repeat(np.repeat(_coloured(values, low, high), side, 0), side, 1)
    height = max(fields.shape[0], 180)
    bar = np.full((height, 90, 3), PAPER, np.uint8)
    ramp = np.linspace(high, low, height - 40)[:, None]
    bar[20 : height - 20, 10:26] = _coloured(ramp, low, high)
    bar = write_text(bar, (32, 14), f"{high:.3g} {unit}".strip(), 12)
    bar = write_text(bar, (32, height - 30), f"{low:.3g} {unit}".strip(), 12)
    body = np.full((height, fields.shape[1] + 90, 3), PAPER, np.uint8)
    body[: fields.shape[0], : fields.shape[1]] = fields
    body[:, fields.shape[1] :] = bar
    return caption(body, title) if title else body


def error_map(check: IndependentCheck, picture: Picture, frame: Raster) -> Picture:
    """Lay the remaining shift of each judged block over a picture of the fixed slide, flags outlined.

    Parameters
    ----------
    check : IndependentCheck
        The shifts.
    picture : (Y, X, 3) ndarray of uint8
        The fixed slide on `frame`.
    frame : Raster
        Where the picture lies.

    Returns
    -------
    (Y, X, 3) ndarray of uint8
    """
    from PIL import Image, ImageDraw

    high = _top(check)
    grey = (0.55 * picture.mean(-1, keepdims=True)).astype(np.uint8)
    image = Image.fromarray(np.repeat(grey, 3, -1))
    glass = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(glass)
    # Blocks overlap by half: each is drawn over the half that is nearest to it.
    half = np.full(2, check.block / 4) / np.asarray(frame.spacing)
    for r, c in np.argwhere(check.judged):
        y, x = frame.to_pixel([check.centres[r, c]])[0]
        colour = _coloured(np.array([[check.distances[r, c]]]), 0, high)[0, 0]
        draw.rectangle((x - half[1], y - half[0], x + half[1], y + half[0]), fill=(*map(int, colour), 150))
    for flag in check.flags:
        (y0, x0), (y1, x1) = frame.to_pixel([flag.low, flag.high])
        draw.rectangle((x0, y0, x1, y1), outline=(255, 60, 60, 255), width=3)
    image = Image.alpha_composite(image.convert("RGBA"), glass).convert("RGB")
    bar = heat_map(np.full((1, 1), np.nan), low=0, high=high, width_px=1, unit=_unit(check.unit))
    body = np.asarray(image, np.uint8)
    out = np.full((max(body.shape[0], bar.shape[0]), body.shape[1] + bar.shape[1], 3), PAPER, np.uint8)
    out[: body.shape[0], : body.shape[1]] = body
    out[: bar.shape[0], body.shape[1] :] = bar
    return out


def quiver(check: IndependentCheck, picture: Picture, frame: Raster) -> Picture:
    """Draw the remaining shift of each judged block as an arrow over a picture of the fixed slide.

    Parameters
    ----------
    check : IndependentCheck
        The shifts.
    picture : (Y, X, 3) ndarray of uint8
        The fixed slide on `frame`.
    frame : Raster
        Where the picture lies.

    Returns
    -------
    (Y, X, 3) ndarray of uint8
        The caption says how much longer than life the arrows are.
    """
    from PIL import Image, ImageDraw

    if not check.judged.any():
        return caption(picture, "No block could be judged")
    shifts = check.shifts[check.judged]
    longest = float(np.percentile(np.linalg.norm(shifts, axis=-1), 95))
    factor = 0.45 * check.block / max(longest, 1e-9)
    factor = float(f"{max(1.0, factor):.1g}")
    image = Image.fromarray((0.6 * picture + 80).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    starts = frame.to_pixel(check.centres[check.judged])
    ends = frame.to_pixel(check.centres[check.judged] + factor * shifts)
    for start, end in zip(starts, ends, strict=True):
        _arrow(draw, start, end)
    return caption(np.asarray(image, np.uint8), f"Remaining shift, arrows {factor:g} times as long")


def deformed_grid(fixed_to_moving: Transform, size: tuple[float, float], *, side_px: int = 420) -> Picture:
    """Draw how the transform bends a square grid, its affine part taken away.

    Parameters
    ----------
    fixed_to_moving : Transform
        In world units.
    size : (float, float)
        Height and width of the fixed slide in world units.
    side_px : int
        Longer side of the picture.

    Returns
    -------
    (Y, X, 3) ndarray of uint8

    Examples
    --------
    >>> from napari_histreg.transforms import Similarity
    >>> deformed_grid(Similarity.of(angle_deg=30), (100, 50), side_px=200).shape
    (200, 100, 3)
    """
    from PIL import Image, ImageDraw

    from napari_histreg.transforms import approximate_affine

    scale = side_px / max(size)
    height, width = (max(20, round(length * scale)) for length in size)
    image = Image.new("RGB", (width, height), (PAPER, PAPER, PAPER))
    draw = ImageDraw.Draw(image)
    line = [np.linspace(0.03, 0.97, 120) * length for length in size]
    steps = [np.linspace(0.03, 0.97, 17) * length for length in size]
    grid = np.stack(np.meshgrid(*steps, indexing="ij"), -1).reshape(-1, 2)
    back = approximate_affine(fixed_to_moving, grid).inverse()
    tracks = [np.stack([np.full_like(line[1], y), line[1]], -1) for y in steps[0]]
    tracks += [np.stack([line[0], np.full_like(line[0], x)], -1) for x in steps[1]]
    for track in tracks:
        bent = back(fixed_to_moving(track)) * scale
        draw.line([(float(x), float(y)) for y, x in bent], fill=(120, 190, 255), width=1)
    return np.asarray(image, np.uint8)


def residual_plot(errors: FloatArray, names: tuple[str, ...], unit: str, *, width_px: int = 520) -> Picture:
    """Draw the error of each landmark as a bar, the largest first, with the median as a line.

    Parameters
    ----------
    errors : (N,) ndarray
        Errors.
    names : tuple of str
        One for each.
    unit : str
        Of the errors.
    width_px : int
        Width of the picture.

    Returns
    -------
    (Y, X, 3) ndarray of uint8
        At most the 40 largest.

    Examples
    --------
    >>> residual_plot(np.array([1.0, 3.0]), ("a", "b"), "um").shape[1]
    520
    """
    from PIL import Image, ImageDraw

    order = np.argsort(errors)[::-1][:40]
    row, left = 15, 110
    image = Image.new("RGB", (width_px, row * len(order) + 12), (PAPER, PAPER, PAPER))
    draw = ImageDraw.Draw(image)
    longest = max(float(errors.max(initial=0)), 1e-12)
    scale = (width_px - left - 80) / longest
    for k, index in enumerate(order):
        y = 6 + k * row
        draw.rectangle((left, y + 2, left + float(errors[index]) * scale, y + row - 4), fill=(90, 170, 240))
    x = left + float(np.median(errors)) * scale
    draw.line((x, 2, x, row * len(order) + 8), fill=(255, 210, 0), width=2)
    picture = np.asarray(image, np.uint8)
    for k, index in enumerate(order):
        y = 5 + k * row
        picture = write_text(picture, (6, y), names[index][:14], 11)
        end = left + float(errors[index]) * scale + 6
        picture = write_text(picture, (end, y), f"{errors[index]:.3g}", 11)
    return caption(picture, f"Landmark errors, {_unit(unit)}; line: median {np.median(errors):.3g}")


def elbow_plot(spread: FloatArray, count: int, *, size_px: tuple[int, int] = (280, 420)) -> Picture:
    """Draw how the spread within groups falls with their number, and the number that was chosen.

    Parameters
    ----------
    spread : (K,) ndarray
        Sum of squared distances to the groups' centres for 1 to K groups.
    count : int
        The number of groups that was chosen, 1 to K.
    size_px : (int, int)
        Height and width of the plot.

    Returns
    -------
    (Y, X, 3) ndarray of uint8

    Examples
    --------
    >>> elbow_plot(np.array([9.0, 2.0, 1.5, 1.2]), 2).shape[1]
    420
    """
    from PIL import Image, ImageDraw

    height, width = size_px
    image = Image.new("RGB", (width, height), (PAPER, PAPER, PAPER))
    draw = ImageDraw.Draw(image)
    left, right, top, bottom = 46, width - 22, 16, height - 34
    across = np.linspace(left, right, len(spread)) if len(spread) > 1 else np.array([(left + right) / 2])
    highest = max(float(spread.max(initial=0)), 1e-12)
    down = bottom - np.asarray(spread) / highest * (bottom - top)
    draw.line((left, top, left, bottom, right, bottom), fill=(120, 130, 140), width=1)
    points = [(float(x), float(y)) for x, y in zip(across, down, strict=True)]
    draw.line(points, fill=(90, 170, 240), width=2)
    for k, (x, y) in enumerate(points, 1):
        radius, colour = (6, (255, 210, 0)) if k == count else (3, (90, 170, 240))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    picture = np.asarray(image, np.uint8)
    for k, (x, _) in enumerate(points, 1):
        picture = write_text(picture, (x - 3, bottom + 6), str(k), 11)
    picture = write_text(picture, (6, top - 4), f"{highest:.3g}", 11)
    picture = write_text(picture, (6, bottom - 8), "0", 11)
    return caption(picture, f"Spread within groups by their number; {count} chosen")


def _coloured(values: NDArray[np.floating[Any]], low: float, high: float) -> Picture:
    share = np.clip((np.asarray(values, float) - low) / max(high - low, 1e-12), 0, 1)
    place = np.nan_to_num(share) * (len(COLD_TO_HOT) - 1)
    first = np.minimum(place.astype(int), len(COLD_TO_HOT) - 2)
    part = (place - first)[..., None]
    mixed = COLD_TO_HOT[first] * (1 - part) + COLD_TO_HOT[first + 1] * part
    return np.where(np.isnan(share)[..., None], BLANK, np.round(mixed)).astype(np.uint8)


def _arrow(draw: Any, start: FloatArray, end: FloatArray) -> None:
    along = end - start
    length = float(np.hypot(*along))
    colour = (200, 0, 0)
    if length < 1:
        draw.ellipse((start[1] - 1, start[0] - 1, start[1] + 1, start[0] + 1), fill=colour)
        return
    draw.line((start[1], start[0], end[1], end[0]), fill=colour, width=2)
    unit = along / length
    across = np.array([-unit[1], unit[0]])
    head = min(6.0, 0.5 * length)
    tips = [end - head * unit + 0.6 * head * across, end - head * unit - 0.6 * head * across]
    draw.polygon([(end[1], end[0]), *((tip[1], tip[0]) for tip in tips)], fill=colour)


def _top(check: IndependentCheck) -> float:
    """Return a round value near the largest shifts, at least a thousandth of the diagonal."""
    values = check.distances[check.judged]
    highest = float(np.percentile(values, 95)) if values.size else 0.0
    return max(highest, 1e-3 * check.diagonal)


def _unit(unit: str) -> str:
    return "µm" if unit == "um" else unit
