"""What point pairs must be like for a fit, and what is said where they are not."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import DegenerateFit
from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.transform import as_points

__all__ = ["FLAT", "MINIMUM_PAIRS", "MODELS", "checked_pairs", "refuse_coincident", "refuse_lines"]

MODELS = ("translation", "rigid", "similarity", "affine", "projective")
"""Names that `fit_transform` takes, from the stiffest to the most flexible."""

MINIMUM_PAIRS: Mapping[str, int] = MappingProxyType(
    {"translation": 1, "rigid": 2, "similarity": 2, "affine": 3, "projective": 4}
)
"""How many point pairs determine each model."""

# Points closer together than this share of their distance from the origin are one point, and a cloud
# flatter than this share of its length is a line. Clicks are good to a pixel in 100 000 at best.
FLAT = 1e-7


def checked_pairs(
    model: str, fixed: ArrayLike, moving: ArrayLike, weights: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return points and weights (summing to 1) of the pairs that count, or say what is wrong with them."""
    f, m = as_points(fixed), as_points(moving)
    if len(f) != len(m):
        raise ValueError(f"There are {len(f)} fixed and {len(m)} moving points; they must come in pairs.")
    w = np.ones(len(f)) if weights is None else np.asarray(weights, float)
    if w.shape != (len(f),) or not np.isfinite(w).all() or (w < 0).any():
        raise ValueError(f"The weights must be {len(f)} finite numbers of 0 or more, one for each pair.")
    f, m, w = f[w > 0], m[w > 0], w[w > 0]
    finite = np.isfinite(f).all(1) & np.isfinite(m).all(1)
    if not finite.all():
        raise DegenerateFit(
            f"{int((~finite).sum())} of {len(f)} point pairs have a coordinate that is not a finite number. "
            "Leave them out or place them."
        )
    needed = MINIMUM_PAIRS[model]
    if len(f) < needed:
        pairs = "1 point pair" if needed == 1 else f"{needed} point pairs"
        raise DegenerateFit(f"A fit of the model {model} needs at least {pairs}; there are {len(f)}.")
    return f, m, w / w.sum()


def _is_one_place(points: FloatArray, weights: FloatArray) -> bool:
    """Tell whether all points coincide, for what a slide's coordinates can resolve."""
    centred = points - weights @ points
    return bool(np.abs(centred).max() <= 1e-9 * max(float(np.abs(points).max()), 1e-300))


def refuse_coincident(model: str, f: FloatArray, m: FloatArray, w: FloatArray) -> None:
    """Raise DegenerateFit where all points of a side lie at one place."""
    for side, points in (("fixed", f), ("moving", m)):
        if _is_one_place(points, w):
            raise DegenerateFit(
                f"The {len(points)} {side} points all lie at one place, so they determine no {model} "
                "transform. Spread them over the tissue."
            )


def refuse_lines(model: str, f: FloatArray, m: FloatArray, w: FloatArray) -> None:
    """Raise DegenerateFit where the points of a side lie at one place or on one line."""
    refuse_coincident(model, f, m, w)
    for side, points in (("fixed", f), ("moving", m)):
        values = np.linalg.svd(points - w @ points, compute_uv=False)
        if not values[1] > FLAT * values[0]:
            raise DegenerateFit(
                f"The {len(points)} {side} points lie on one line, so they determine no {model} "
                "transform. Add a pair beside the line, or use a similarity."
            )
