"""What every dense method does round its solver: planes on one frame, levels, and a field without folds."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import NotConverged
from napari_histreg.geometry import Frame
from napari_histreg.matching.block_correlation import Plane
from napari_histreg.matching.density import local_density
from napari_histreg.matching.picture import Picture
from napari_histreg.methods.method import Finding
from napari_histreg.methods.starts import likely_start, prealign, working_spacing
from napari_histreg.progress import Progress, portion
from napari_histreg.transforms import Transform
from napari_histreg.transforms.displacement import DisplacementField

__all__ = ["DenseField", "DensePair", "Solver", "conclude", "lay_out", "solve", "warped"]

DenseField = NDArray[np.float32]
Solver = Callable[[Plane, Plane, DenseField, Progress], DenseField]
"""From two planes and the displacement so far, (Y, X, 2) in pixels, to a better one."""

STRUCTURE = 0.02  # of the longest side: round a pixel this far, structure is looked for
SAMPLES = 128  # of the resulting field along the longest side, at most
COARSEST_PX = 48
LEAST_JACOBIAN = 0.05
WIDEST = 1 / 8  # of the longest side: a field that folds at this smoothing is no field


@dataclass(frozen=True, eq=False)
class DensePair:
    """Two signals on one frame, made to look alike.

    Parameters
    ----------
    start : Transform
        Fixed to moving, by which the moving one was laid onto the fixed one.
    frame : Frame
        Of the planes, in the fixed slide.
    fixed, moving : (Y, X) ndarray of float32
        Local densities: mean about 0, standard deviation about 1, 0 where masked; the moving one turned
        over where dense goes with empty.
    weight : (Y, X) ndarray of float32
        How much structure both show, 0 on glass and where masked, to 1 in tissue.
    pictures : (Picture, Picture)
        The signals themselves on this frame, for who describes them in another way.
    """

    start: Transform
    frame: Frame
    fixed: Plane
    moving: Plane
    weight: Plane
    pictures: tuple[Picture, Picture]


def lay_out(fixed: Picture, moving: Picture, initial: Transform | None, max_side_px: int) -> DensePair:
    """Lay the moving signal onto the fixed one and bring both to one local contrast.

    Parameters
    ----------
    fixed, moving : Picture
        The signals.
    initial : Transform, optional
        Fixed to moving; the likeliest plain start by default.
    max_side_px : int
        Larger images are reduced to this side.

    Returns
    -------
    DensePair

    Raises
    ------
    NotConverged
        The start lays nothing of one over the other.
    """
    start = likely_start(fixed, moving) if initial is None else initial
    spacing = max(working_spacing(fixed, moving, start), fixed.extent / max_side_px)
    pair = prealign(fixed, moving, start, spacing, margin=0.0)
    mask = pair.fixed.mask & pair.moving.mask
    if mask.mean() < 0.05 or min(mask.shape) < 16:
        raise NotConverged(
            f"The start lays only {100 * mask.mean():.0f} % of the fixed image onto the moving one. "
            "Align the images first and give that as the start (initial)."
        )
    valid = mask.astype(np.float32)
    # On glass, local contrast is noise made large: nothing there may pull.
    weight = np.sqrt(_structure(pair.fixed, valid) * _structure(pair.moving, valid))
    planes = [local_density(p.channels[0], valid) * weight for p in (pair.fixed, pair.moving)]
    sign = np.float32(1 if float((planes[0] * planes[1]).sum()) >= 0 else -1)
    pictures = pair.fixed, pair.moving
    return DensePair(start, pair.fixed.frame, planes[0], planes[1] * sign, weight, pictures)


def _structure(picture: Picture, valid: Plane) -> Plane:
    """Return how much a picture varies round each pixel, 1 where as much as in its tissue."""
    plane = picture.channels[0]
    wide = max(3.0, STRUCTURE * max(plane.shape))
    detail = cv2.GaussianBlur(plane, (0, 0), 1.0) - cv2.GaussianBlur(plane, (0, 0), wide)
    energy = np.sqrt(np.maximum(cv2.GaussianBlur(detail * detail * valid, (0, 0), wide), 0))
    tissue = max(float(np.percentile(energy[valid > 0], 90)), 1e-9)
    return np.asarray(np.clip(energy / np.float32(0.5 * tissue), 0, 1) * valid)


def solve(pair: DensePair, solver: Solver, levels: int, progress: Progress) -> DenseField:
    """Run a solver from coarse to fine, each level from what the last one found.

    Parameters
    ----------
    pair : DensePair
        The planes.
    solver : callable
        Improves a displacement on one level.
    levels : int
        How many sizes, each half of the next.
    progress : Progress
        Told before and within each level.

    Returns
    -------
    (Y, X, 2) ndarray of float32
        Displacement (y, x) in pixels of the pair's frame.
    """
    shape = pair.fixed.shape
    field = np.zeros((*shape, 2), np.float32)
    sizes = coarse_to_fine(shape, levels)
    for k, size in enumerate(sizes):
        part = portion(progress, k / len(sizes), (k + 1) / len(sizes))
        planes = [reduced(plane, size) for plane in (pair.fixed, pair.moving)]
        part(0.0, f"bending at {size[1]} x {size[0]} px")
        field = solver(planes[0], planes[1], _resized(field, size), part)
    return _resized(field, shape)


def coarse_to_fine(shape: tuple[int, ...], levels: int) -> list[tuple[int, int]]:
    """Give the sizes (rows, columns) at which a bend is looked for, each half of the next.

    Examples
    --------
    >>> coarse_to_fine((300, 512), 3)
    [(75, 128), (150, 256), (300, 512)]
    """
    deepest = max(1, 1 + int(np.log2(max(max(shape) / COARSEST_PX, 1))))
    factors = [2.0**k for k in reversed(range(min(levels, deepest)))]
    return [(max(16, round(shape[0] / factor)), max(16, round(shape[1] / factor))) for factor in factors]


def reduced(plane: Plane, size: tuple[int, int]) -> Plane:
    """Return a plane at another size (rows, columns), averaged where that is smaller."""
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=cv2.INTER_AREA))


def warped(plane: Plane, field: DenseField) -> Plane:
    """Return a plane as a displacement shows it."""
    y, x = np.indices(plane.shape, np.float32)
    return np.asarray(
        cv2.remap(
            plane, x + field[..., 1], y + field[..., 0], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
    )


def conclude(pair: DensePair, field: DenseField, what: str) -> Finding:
    """Make a transform of a dense displacement, without folds.

    Where the displacement folds it is smoothed until it does not, and a note says so.

    Parameters
    ----------
    pair : DensePair
        The planes.
    field : (Y, X, 2) ndarray
        Displacement in pixels of the pair's frame.
    what : str
        Name of the method for the sentences.

    Returns
    -------
    Finding

    Raises
    ------
    NotConverged
        The displacement folds however much it is smoothed.
    """
    residual, sigma = _unfolded(pair, field, what)
    notes: tuple[str, ...] = ()
    if sigma > 0:
        notes = (f"The displacement folded the tissue and was smoothed over {sigma:.0f} px to undo it.",)
    after = _correlation(pair.fixed, warped(pair.moving, field))
    figures = {
        "correlation": after,
        "correlation_at_start": _correlation(pair.fixed, pair.moving),
        "smallest_jacobian": residual.folding().minimum,
        "largest_displacement": float(np.linalg.norm(residual.values, axis=-1).max()),
    }
    return Finding(residual, pair.start, after, f"correlation {after:.3f}", notes, figures)


def _unfolded(pair: DensePair, field: DenseField, what: str) -> tuple[DisplacementField, float]:
    """Return the field on its grid and how widely it had to be smoothed, in pixels."""
    longest = max(pair.frame.shape)
    step = max(1, int(np.ceil(longest / SAMPLES)))
    # What the grid cannot show must not alias into it.
    least = 0.5 * step
    extra = 0.0
    while extra <= WIDEST * longest:
        residual = _sampled(pair, _filled(field, pair.weight, max(least, extra)), step)
        if residual.folding().minimum > LEAST_JACOBIAN:
            return residual, extra
        extra = 2.0 if extra == 0 else 1.5 * extra
    raise NotConverged(
        f"{what} found a displacement that folds the tissue, however much it is smoothed. "
        "Give a start (initial) closer to the truth or make it stiffer."
    )


def _sampled(pair: DensePair, field: DenseField, step: int) -> DisplacementField:
    """Take every `step`-th sample, spread evenly from edge to edge."""
    shape = field.shape[:2]
    counts = [max(2, round((n - 1) / step) + 1) for n in shape]
    rows, columns = (np.linspace(0, n - 1, c).astype(np.float32) for n, c in zip(shape, counts, strict=True))
    x, y = np.meshgrid(columns, rows)
    values = np.stack([cv2.remap(field[..., k], x, y, cv2.INTER_LINEAR) for k in range(2)], -1)
    spacing = np.array(pair.frame.spacing)
    apart = [(n - 1) / (c - 1) for n, c in zip(shape, counts, strict=True)]
    return DisplacementField(
        values * spacing,
        origin=pair.frame.origin,
        spacing=(float(apart[0] * spacing[0]), float(apart[1] * spacing[1])),
    )


def _filled(field: DenseField, weight: Plane, sigma: float) -> DenseField:
    """Smooth a field, and carry it on smoothly where the pictures show nothing."""
    longest = max(weight.shape)
    out = _averaged(field, weight, longest / 3)
    # From wide to narrow: each step takes over where it finds enough structure.
    for width in np.geomspace(longest / 6, sigma, 5):
        near = np.clip(cv2.GaussianBlur(weight, (0, 0), float(width)) / 0.5, 0, 1)[..., None]
        out = near * _averaged(field, weight, float(width)) + (1 - near) * out
    return np.asarray(out, np.float32)


def _averaged(field: DenseField, weight: Plane, sigma: float) -> DenseField:
    total = cv2.GaussianBlur(field * weight[..., None], (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    share = cv2.GaussianBlur(weight, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(total / np.maximum(share, np.float32(1e-6))[..., None])


def _resized(field: DenseField, shape: tuple[int, int]) -> DenseField:
    """Bring a displacement to another number of pixels, its lengths with it."""
    if field.shape[:2] == tuple(shape):
        return field
    ratio = np.array(shape, np.float32) / np.array(field.shape[:2], np.float32)
    larger = cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(larger * ratio)


def _correlation(first: Plane, second: Plane) -> float:
    a, b = first.ravel(), second.ravel()
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))
