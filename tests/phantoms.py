"""Synthetic tissue in two stains, seen through transforms that are known."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_histreg.geometry import FloatArray
from napari_histreg.raster import Raster
from napari_histreg.transforms import Affine, Similarity, Transform

Plane = NDArray[np.float32]

OVERSAMPLING = 2


@dataclass(frozen=True, eq=False)
class Tissue:
    """A piece of tissue: nuclei on textured stroma, in its own world units.

    Rendered at two points a unit, so that a view with pixels of one unit interpolates a smooth function.
    """

    size: float
    nuclei: Plane
    other_nuclei: Plane
    stroma: Plane
    other_stroma: Plane

    @classmethod
    def random(
        cls, size: float = 400.0, *, seed: int = 0, nuclei: int = 500, island: float | None = None
    ) -> "Tissue":
        """Grow a piece of about `size` x `size` units, or an irregular island `island` units across."""
        rng = np.random.default_rng(seed)
        n = int(size * OVERSAMPLING)
        outline = _outline(n, rng)
        if island is not None:
            outline &= _island(n, island * OVERSAMPLING, rng)
        blobs, other_blobs = np.zeros((n, n), np.float32), np.zeros((n, n), np.float32)
        for y, x in rng.integers(0, n, (nuclei, 2)):
            if not outline[y, x]:
                continue
            patch = _nucleus(rng)
            # A stain of the next section or another dye shows some nuclei fainter and a few not at all.
            _add(blobs, patch, y, x, rng.uniform(0.5, 1.0))
            _add(other_blobs, patch, y, x, rng.uniform(0.2, 1.0) if rng.random() > 0.1 else 0.0)
        textures = [_texture(n, rng, sigma) * outline for sigma in (6.0, 9.0)]
        return cls(size, blobs, other_blobs, textures[0], textures[1])

    @property
    def centre(self) -> tuple[float, float]:
        """World coordinates of the middle."""
        return (self.size - 1) / 2, (self.size - 1) / 2

    def view(
        self,
        view_to_tissue: Transform | None = None,
        *,
        shape: tuple[int, int] = (256, 256),
        spacing: float = 1.0,
        origin: tuple[float, float] = (0.0, 0.0),
        stain: str = "nuclear",
        noise: float = 0.02,
        seed: int = 0,
    ) -> Raster:
        """See the tissue through a transform.

        Parameters
        ----------
        view_to_tissue : Transform, optional
            From world units of the view to those of the tissue.
        stain : str
            "nuclear": nuclei bright on faint stroma; "other": the same nuclei in another dye;
            "inverted": the other dye dark on bright, as in grey brightfield.
        """
        y = np.arange(shape[0]) * spacing + origin[0]
        x = np.arange(shape[1]) * spacing + origin[1]
        points = np.stack(np.meshgrid(y, x, indexing="ij"), -1).reshape(-1, 2)
        at = points if view_to_tissue is None else view_to_tissue(points)
        if stain == "nuclear":
            plane = self.nuclei + 0.15 * self.stroma
        else:
            plane = self.other_nuclei + 0.3 * self.other_stroma
        seen = ndimage.map_coordinates(plane, at.T * OVERSAMPLING, order=3, mode="constant")
        pixels = seen.reshape(shape) + np.random.default_rng(seed).normal(0, noise, shape)
        if stain == "inverted":
            pixels = 1.2 - pixels
        return Raster(pixels.astype(np.float32), (spacing, spacing), origin)


@dataclass(frozen=True, eq=False)
class Pair:
    """Two views of one tissue and the transform between them."""

    fixed: Raster
    moving: Raster
    fixed_to_moving: Transform

    def errors(self, found: Transform, *, margin: float = 0.1) -> FloatArray:
        """Give the errors in fixed world units on a grid over the fixed view, `margin` of it left out."""
        h, w = self.fixed.shape
        y = np.linspace(margin * h, (1 - margin) * h, 9)
        x = np.linspace(margin * w, (1 - margin) * w, 9)
        grid = self.fixed.to_world(np.stack(np.meshgrid(y, x, indexing="ij"), -1).reshape(-1, 2))
        back = found.inverse()(self.fixed_to_moving(grid))
        return np.asarray(np.linalg.norm(back - grid, axis=1))


def pair(
    *,
    angle_deg: float = 0.0,
    scale: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
    mirrored: bool = False,
    stretch: float = 1.0,
    island: bool = False,
    stains: tuple[str, str] = ("nuclear", "other"),
    shape: tuple[int, int] = (256, 256),
    moving_shape: tuple[int, int] | None = None,
    spacings: tuple[float, float] = (1.0, 1.0),
    seed: int = 0,
) -> Pair:
    """Make two views of one tissue about its middle; the transform is exact by construction.

    Parameters
    ----------
    angle_deg, scale, shift, mirrored
        Of fixed to moving, about the middle of the views, in world units.
    stretch : float
        Of the moving view's rows over its columns.
    island : bool
        Whether the tissue lies whole in the views, with glass round it.
    spacings : (float, float)
        Pixel sizes of the two views; both keep their number of pixels.
    """
    count = int(0.013 * 1.6**2 * shape[0] * shape[1])
    tissue = _grown(1.6 * max(shape), seed, count, 0.7 * min(shape) if island else None)
    moving_shape = moving_shape or shape
    middle_fixed = (np.array(shape) - 1) / 2 * spacings[0]
    middle_moving = (np.array(moving_shape) - 1) / 2 * spacings[1]
    # The tissue's own unit is a pixel of the fixed view: nuclei are as many pixels wide at any spacing.
    fixed_to_tissue = Similarity.of(
        scale=1 / spacings[0], translation=np.array(tissue.centre) - middle_fixed / spacings[0]
    )
    turned = Similarity.of(
        scale=scale, angle_deg=angle_deg, mirrored=mirrored, centre=middle_fixed,
        translation=middle_moving - middle_fixed + np.array(shift),
    )  # fmt: skip
    stretched = np.diag([stretch, 1.0, 1.0])
    stretched[0, 2] = middle_moving[0] * (1 - stretch)
    fixed_to_moving = turned if stretch == 1 else turned.then(Affine(stretched))
    fixed = tissue.view(fixed_to_tissue, shape=shape, spacing=spacings[0], stain=stains[0], seed=seed + 1)
    moving = tissue.view(
        fixed_to_moving.inverse().then(fixed_to_tissue),
        shape=moving_shape,
        spacing=spacings[1],
        stain=stains[1],
        seed=seed + 2,
    )
    return Pair(fixed, moving, fixed_to_moving)


@lru_cache(maxsize=4)
def _grown(size: float, seed: int, nuclei: int, island: float | None) -> Tissue:
    return Tissue.random(size, seed=seed, nuclei=nuclei, island=island)


def _outline(n: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw where there is tissue: nearly everywhere, with holes."""
    field = ndimage.gaussian_filter(rng.standard_normal((n, n)), n / 14, mode="wrap")
    return np.asarray(field > np.quantile(field, 0.1))


def _island(n: int, across: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw a longish blob about the middle."""
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    angle = np.arctan2(y, x)
    radius = np.ones_like(angle)
    for k, size in ((1, 0.12), (2, 0.25), (3, 0.12), (4, 0.06), (5, 0.05)):
        radius += size * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    return np.asarray(np.hypot(y, x) < radius / radius.max() * across / 2 * 1.15)


def _texture(n: int, rng: np.random.Generator, sigma: float) -> Plane:
    field = ndimage.gaussian_filter(rng.standard_normal((n, n)).astype(np.float32), sigma, mode="wrap")
    low, high = np.quantile(field, [0.02, 0.98])
    return np.clip((field - low) / (high - low), 0, 1).astype(np.float32)


def _nucleus(rng: np.random.Generator) -> Plane:
    """Draw an ellipse with a soft edge, 3 to 6 units across."""
    long, short = rng.uniform(2.0, 3.4) * OVERSAMPLING, rng.uniform(1.4, 2.2) * OVERSAMPLING
    angle = rng.uniform(0, np.pi)
    reach = int(4 * OVERSAMPLING)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    u, v = np.cos(angle) * y + np.sin(angle) * x, -np.sin(angle) * y + np.cos(angle) * x
    distance = np.sqrt((u / long) ** 2 + (v / short) ** 2)
    return (1 / (1 + np.exp((distance - 1) * 6))).astype(np.float32)


def _add(plane: Plane, patch: Plane, y: int, x: int, strength: float) -> None:
    """Lay a patch onto a plane, the brighter of both where it meets another."""
    reach = patch.shape[0] // 2
    y0, x0 = max(y - reach, 0), max(x - reach, 0)
    y1, x1 = min(y + reach + 1, plane.shape[0]), min(x + reach + 1, plane.shape[1])
    part = patch[y0 - y + reach : y1 - y + reach, x0 - x + reach : x1 - x + reach]
    plane[y0:y1, x0:x1] = np.maximum(plane[y0:y1, x0:x1], strength * part)
