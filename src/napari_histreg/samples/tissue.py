"""A piece of tissue that does not exist: lobes, glands, fibres and nuclei, known at every point."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, Region
from napari_histreg.samples.texture import FloatImage, View, fractal, hashed, smooth_field, unit_interval

__all__ = ["Layers", "Nuclei", "Tissue"]

CELL_UM = 9.0
"""Side of the cells of a grid, each of which holds at most one nucleus."""

SMALLEST_UM, LARGEST_UM = 2.0, 4.2
"""Radii of nuclei."""

POINTLIKE_UM = 4.0
"""Pixels larger than this see a nucleus as a point."""

MANY_CELLS = 6_000_000
"""Beyond so many cells in a region, nuclei are so much smaller than pixels that their mean is drawn."""

# Centre (y, x), half axes and turn of the lobes, in half widths of the slide; no symmetry, so that
# one orientation only fits.
LOBES = (
    (-0.12, -0.18, 0.52, 0.40, 20.0),
    (0.28, 0.22, 0.46, 0.30, -35.0),
    (-0.42, 0.38, 0.26, 0.22, 60.0),
    (0.52, -0.38, 0.20, 0.28, 10.0),
    (0.05, 0.62, 0.16, 0.20, 0.0),
)


@dataclass(frozen=True, eq=False)
class Layers:
    """What lies under the pixels of a region, each (H, W) float32.

    Parameters
    ----------
    body : ndarray
        Share of the pixel that is tissue, 0 to 1.
    gland : ndarray
        Share that is gland, 0 to 1; the rest of the tissue is stroma.
    fibre : ndarray
        Texture of the stroma, about 0 to 1.
    nuclei, strange : ndarray
        Nuclear coverage as one stain and as another one sees it: nuclei differ in brightness.
    """

    body: FloatImage
    gland: FloatImage
    fibre: FloatImage
    nuclei: FloatImage
    strange: FloatImage


@dataclass(frozen=True, eq=False)
class Nuclei:
    """Nuclei as tables, (N,) each: centres and half axes in tissue units (µm), turn in radians, weights."""

    y: FloatArray
    x: FloatArray
    long: FloatArray
    short: FloatArray
    angle: FloatArray
    weight: FloatArray
    strange: FloatArray


@dataclass(frozen=True)
class Tissue:
    """A square of tissue that can be looked at from any side at any resolution.

    Parameters
    ----------
    size_um : float
        Side of the square; the lobes lie inside the circle that fits in.
    seed : int
        Another seed, another tissue.
    """

    size_um: float
    seed: int

    def layers(self, view: View, region: Region) -> Layers:
        """Compute what lies under a region; at most about a million pixels at once."""
        body, gland = self._shapes(view, region)
        finest = [wave for wave in (32.0, 16.0, 8.0, 4.0, 2.0) if wave < self.size_um / 4]
        fibre = 0.5 + 0.9 * fractal(view, region, finest, self.seed + 3, roughness=0.8)
        nuclei, strange = self._coverage(view, region)
        return Layers(body, gland, np.clip(fibre, 0, 1.2), nuclei, strange)

    def nuclei_between(self, low: FloatArray, high: FloatArray) -> Nuclei:
        """Return all nuclei whose cell touches a rectangle of tissue (y, x)."""
        first = np.floor(np.asarray(low) / CELL_UM).astype(int)
        last = np.ceil(np.asarray(high) / CELL_UM).astype(int)
        cells = Region(first[0], first[1], int(last[0] - first[0]), int(last[1] - first[1]))
        view = View(np.eye(2) * CELL_UM, np.full(2, CELL_UM / 2))
        body, gland = self._shapes(view, cells)
        rows = np.arange(cells.y, cells.y + cells.height)[:, None]
        columns = np.arange(cells.x, cells.x + cells.width)[None, :]
        bits = hashed(rows, columns, self.seed + 11)
        there = unit_interval(bits, 0) < self._probability(body, gland)
        iy, ix = np.nonzero(there)
        bits = bits[there]
        more = hashed(iy + cells.y, ix + cells.x, self.seed + 12)
        size = SMALLEST_UM + (LARGEST_UM - SMALLEST_UM) * unit_interval(more, 0) ** 1.5
        aspect = 1 + 0.6 * unit_interval(more, 1)
        return Nuclei(
            y=(iy + cells.y + 0.5 + 0.5 * (unit_interval(bits, 1) - 0.5)) * CELL_UM,
            x=(ix + cells.x + 0.5 + 0.5 * (unit_interval(bits, 2) - 0.5)) * CELL_UM,
            long=size * np.sqrt(aspect),
            short=size / np.sqrt(aspect),
            angle=unit_interval(bits, 3) * np.pi,
            weight=0.6 + 0.4 * unit_interval(more, 2),
            strange=0.35 + 0.65 * unit_interval(more, 3),
        )

    def _probability(self, body: FloatImage, gland: FloatImage) -> FloatImage:
        return np.where(body > 0.5, 0.22 + 0.63 * gland, 0).astype(np.float32)

    def _shapes(self, view: View, region: Region) -> tuple[FloatImage, FloatImage]:
        """Return the shares of tissue and of gland."""
        half = self.size_um / 2
        outline = smooth_field(view, region, half / 4, self._lobes)
        waves = [half / 2**k for k in range(1, 12) if half / 2**k > 12]
        outline += np.float32(0.10) * fractal(view, region, waves, self.seed + 1, roughness=0.6)
        longest = max(min(500.0, half / 1.5), half / 5)
        waves = [longest / 2**k for k in range(12) if longest / 2**k > 12]
        compartments = fractal(view, region, waves, self.seed + 2, roughness=0.6)
        soft = max(view.spacing, 3.0)
        # The outline falls from 1 inside to 0 outside over about a tenth of the half width.
        body = np.clip(outline * np.float32(half * 0.4 / soft) + 0.5, 0, 1)
        steep = np.float32(min(longest, 500.0) / 6 / soft)
        lumen = np.clip((compartments - 0.42) * steep + 0.5, 0, 1)
        gland = np.clip((compartments - 0.08) * steep + 0.5, 0, 1)
        body = body * (1 - lumen)
        return body.astype(np.float32), (gland * body).astype(np.float32)

    def _lobes(self, y: FloatArray, x: FloatArray) -> FloatArray:
        """Return above 0 inside the lobes, below 0 outside, in half widths."""
        half = self.size_um / 2
        best = np.full(y.shape, -np.inf)
        # Every seed turns the lobes another way: two phantoms have no outline in common.
        angle = 2.399963 * self.seed
        v, w = y / half - 1, x / half - 1
        v, w = math.cos(angle) * v + math.sin(angle) * w, math.cos(angle) * w - math.sin(angle) * v
        for centre_y, centre_x, long, short, turn in LOBES:
            dy, dx = v - centre_y, w - centre_x
            cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
            radius = np.hypot((cos * dy + sin * dx) / long, (cos * dx - sin * dy) / short)
            best = np.maximum(best, (1 - radius) * min(long, short))
        return np.asarray(np.clip(best, -0.5, 0.5))

    def _coverage(self, view: View, region: Region) -> tuple[FloatImage, FloatImage]:
        """Return which share of each pixel is nucleus, in two stains."""
        margin = 1.5 * LARGEST_UM + view.spacing
        low, high = view.bounds(region, margin)
        if np.prod((high - low) / CELL_UM) > MANY_CELLS:
            body, gland = self._shapes(view, region)
            mean = self._probability(body, gland) * np.float32(9.3 * np.pi / CELL_UM**2)
            return mean * np.float32(0.8), mean * np.float32(0.675)
        nuclei = self.nuclei_between(low, high)
        at = view.pixels(np.stack([nuclei.y, nuclei.x], -1)) - (region.y, region.x)
        if view.spacing >= POINTLIKE_UM:
            return _points(at, nuclei, view.spacing, region.shape)
        return _ellipses(at, nuclei, view, region.shape)


def _points(
    at: FloatArray, nuclei: Nuclei, spacing: float, shape: tuple[int, int]
) -> tuple[FloatImage, FloatImage]:
    """Draw nuclei smaller than a pixel: the area of each is dealt out to its four neighbours."""
    area = np.pi * nuclei.long * nuclei.short / spacing**2
    base = np.floor(at).astype(int)
    part = at - base
    index, share = [], []
    for dy in (0, 1):
        for dx in (0, 1):
            y, x = base[:, 0] + dy, base[:, 1] + dx
            inside = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
            weight = area * np.abs(1 - dy - part[:, 0]) * np.abs(1 - dx - part[:, 1])
            index.append(np.where(inside, y * shape[1] + x, 0))
            share.append(np.where(inside, weight, 0))
    flat, shares = np.concatenate(index), np.stack(share)
    return (
        _added(flat, (shares * nuclei.weight).ravel(), shape),
        _added(flat, (shares * nuclei.strange).ravel(), shape),
    )


def _ellipses(
    at: FloatArray, nuclei: Nuclei, view: View, shape: tuple[int, int]
) -> tuple[FloatImage, FloatImage]:
    """Draw nuclei as ellipses whose rim is as soft as a pixel."""
    soft = max(view.spacing, 0.5)
    reach = math.ceil((LARGEST_UM * 1.27 + soft) / view.spacing)
    near = ((at > -reach - 1) & (at < np.asarray(shape) + reach)).all(1)
    at = at[near]
    offsets = np.arange(-reach, reach + 1)
    base = np.round(at).astype(int)
    dy = (base[:, :1] + offsets - at[:, :1]).astype(np.float32)[:, :, None]
    dx = (base[:, 1:] + offsets - at[:, 1:]).astype(np.float32)[:, None, :]
    # From pixel offsets to the axes of each nucleus.
    cos, sin = np.cos(nuclei.angle[near]), np.sin(nuclei.angle[near])
    (a, b), (c, d) = view.linear
    long, short = nuclei.long[near], nuclei.short[near]

    def column(values: FloatArray) -> NDArray[np.float32]:
        return values.astype(np.float32)[:, None, None]

    u = column((cos * a + sin * c) / long) * dy + column((cos * b + sin * d) / long) * dx
    v = column((cos * c - sin * a) / short) * dy + column((cos * d - sin * b) / short) * dx
    radius = np.sqrt(u * u + v * v)
    cover = np.clip((1 - radius) * column(np.sqrt(long * short) / soft) + np.float32(0.5), 0, 1)
    y = (base[:, :1] + offsets)[:, :, None]
    x = (base[:, 1:] + offsets)[:, None, :]
    keep = (cover > 0) & (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
    flat = (y * shape[1] + x)[keep]
    values = cover[keep]
    owner = np.nonzero(keep)[0]
    return (
        _added(flat, values * nuclei.weight[near][owner], shape),
        _added(flat, values * nuclei.strange[near][owner], shape),
    )


def _added(flat: NDArray[np.int64], values: FloatArray, shape: tuple[int, int]) -> FloatImage:
    total = np.bincount(flat, weights=values, minlength=shape[0] * shape[1])
    return total.reshape(shape).astype(np.float32)
