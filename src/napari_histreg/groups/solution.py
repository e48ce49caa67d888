"""One solution for all: the slides' transforms that agree best with all links at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.groups.evidence import Evidence
from napari_histreg.transforms import Affine

__all__ = ["KINDS", "Solution", "generators", "link_errors", "solve_group"]

KINDS = ("rigid", "similarity", "affine")
"""Kinds of transform between slides, from the stiffest to the most flexible."""

CUT = 3.0
"""Width of the robust function in standard errors of a link."""

ZERO = 0.05
"""Links with less weight than this contradict the others and do not count at all."""

WIDENINGS = (8.0, 4.0, 2.0, 1.0)
ROUNDS = 30


@dataclass(frozen=True, eq=False)
class Solution:
    """Transforms of all slides, and what they leave of each link.

    Parameters
    ----------
    to_frame : mapping of int to (3, 3) ndarray
        Slide to frame, world units, (y, x, 1).
    errors : (L,) ndarray
        Of each link, root mean square, in units of the frame.
    weights : (L,) ndarray
        How much each link counted, 0 to 1.
    """

    to_frame: Mapping[int, FloatArray]
    errors: FloatArray
    weights: FloatArray


def solve_group(
    evidence: Sequence[Evidence],
    start: Mapping[int, FloatArray],
    anchor: int,
    *,
    kind: str = "affine",
    sigma: FloatArray,
    sure: Sequence[bool] | None = None,
    counted: FloatArray | None = None,
) -> Solution:
    """Solve for the transforms of all slides by robust least squares over all links.

    Gauss-Newton steps on the transforms, each a sparse linear system. Links are reweighted by Geman and
    McClure's function [1]_, whose width shrinks from wide to `CUT` standard errors, so that a wrong link
    loses its weight by what the others say rather than pulling them along.

    Parameters
    ----------
    evidence : sequence of Evidence
        One for each link, between slides that have a start.
    start : mapping of int to (3, 3) ndarray
        Slide to frame, near enough that right links nearly fit.
    anchor : int
        The slide that stays at its start.
    kind : {"rigid", "similarity", "affine"}
        By what kind of transform slides may move from their start.
    sigma : (L,) ndarray
        Standard error of each link, in units of the frame.
    sure : sequence of bool, optional
        Links that a person made: they keep their weight whatever others say.
    counted : (L,) ndarray, optional
        Fixed weights, in place of robust ones.

    Returns
    -------
    Solution

    References
    ----------
    .. [1] S. Geman and D. E. McClure, Statistical methods for tomographic image reconstruction,
       Bulletin of the International Statistical Institute 52, 1987.

    Examples
    --------
    >>> points = np.array([[0.0, 0], [0, 9], [9, 0], [9, 9]])
    >>> links = [Evidence(0, k, points, points + k, np.full(4, 0.25)) for k in (1, 2)]
    >>> found = solve_group(links, {k: np.eye(3) for k in range(3)}, 0, sigma=np.ones(2))
    >>> found.to_frame[2][:2, 2].round(6).tolist()
    [-2.0, -2.0]
    """
    matrices = {k: np.array(matrix, float) for k, matrix in start.items()}
    keep = np.zeros(len(evidence), bool) if sure is None else np.asarray(sure, bool)
    weights = np.ones(len(evidence)) if counted is None else np.asarray(counted, float)
    widenings = (1.0,) if counted is not None else WIDENINGS
    for widening in widenings:
        for _ in range(ROUNDS):
            if counted is None:
                errors = link_errors(evidence, matrices)
                weights = np.where(keep, 1.0, _geman_mcclure(errors / (CUT * widening * sigma)))
                if widening == widenings[-1]:
                    weights = np.where(weights < ZERO, 0.0, weights)
            if _step(evidence, matrices, anchor, kind, weights / sigma**2) < 1e-9:
                break
    return Solution(matrices, link_errors(evidence, matrices), weights)


def link_errors(evidence: Sequence[Evidence], to_frame: Mapping[int, FloatArray]) -> FloatArray:
    """Measure how far each link lies from given transforms: (L,) root mean squares, units of the frame."""
    errors = []
    for link in evidence:
        away = _away(link, to_frame)
        errors.append(np.sqrt(float(link.weights @ (away**2).sum(1))))
    return np.array(errors)


def _away(link: Evidence, to_frame: Mapping[int, FloatArray]) -> FloatArray:
    first = Affine(to_frame[link.fixed])(link.fixed_points)
    second = Affine(to_frame[link.moving])(link.moving_points)
    return np.asarray(second - first)


def _geman_mcclure(x: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + x**2) ** 2)


def generators(kind: str, points: FloatArray) -> FloatArray:
    """Give what each parameter of a small motion does to points (N, 2): (N, 2, K)."""
    y, x = points.T
    one, none = np.ones_like(y), np.zeros_like(y)
    columns = {
        "rigid": [(one, none), (none, one), (-x, y)],
        "similarity": [(one, none), (none, one), (-x, y), (y, x)],
        "affine": [(one, none), (none, one), (y, none), (x, none), (none, y), (none, x)],
    }[kind]
    return np.stack([np.stack(column, -1) for column in columns], -1)


def _motion(kind: str, values: FloatArray) -> FloatArray:
    """Turn the parameters of a motion into a (3, 3) matrix of that kind, exactly."""
    out = np.eye(3)
    out[:2, 2] = values[:2]
    if kind == "affine":
        out[:2, :2] += values[2:].reshape(2, 2)
        return out
    c, s = np.cos(values[2]), np.sin(values[2])
    scale = np.exp(values[3]) if kind == "similarity" else 1.0
    out[:2, :2] = scale * np.array([[c, -s], [s, c]])
    return out


def _step(
    evidence: Sequence[Evidence],
    matrices: dict[int, FloatArray],
    anchor: int,
    kind: str,
    weights: FloatArray,
) -> float:
    """Move all slides but the anchor by one step; returns the largest motion, relative to the extent."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import spsolve

    free = {k: place for place, k in enumerate(k for k in matrices if k != anchor)}
    if not free:
        return 0.0
    points = [Affine(matrices[link.fixed])(link.fixed_points) for link in evidence]
    everywhere = np.concatenate(points)
    middle = everywhere.mean(0)
    extent = max(float(np.ptp(everywhere, axis=0).max()) / 2, 1e-12)
    size = generators(kind, np.zeros((1, 2))).shape[2]
    rows, columns, values = [], [], []
    right = np.zeros(size * len(free))
    # Slides that no link holds stay where they are.
    hold = 1e-9 * (float(weights.max(initial=0.0)) or 1.0)
    for link, weight, here in zip(evidence, weights, points, strict=True):
        there = Affine(matrices[link.moving])(link.moving_points)
        sides = (
            (link.fixed, generators(kind, (here - middle) / extent)),
            (link.moving, -generators(kind, (there - middle) / extent)),
        )
        away = (there - here) / extent
        for k, design in sides:
            if k == anchor:
                continue
            own = np.arange(size) + size * free[k]
            right[own] += weight * np.einsum("n,nij,ni->j", link.weights, design, away)
            for other, beside in sides:
                if other == anchor:
                    continue
                block = weight * np.einsum("n,nij,nik->jk", link.weights, design, beside)
                theirs = np.arange(size) + size * free[other]
                rows.append(np.repeat(own, size))
                columns.append(np.tile(theirs, size))
                values.append(block.ravel())
    diagonal = np.arange(len(right))
    normal = coo_matrix(
        (
            np.concatenate([*values, np.full(len(right), hold)]),
            (np.concatenate([*rows, diagonal]), np.concatenate([*columns, diagonal])),
        ),
        shape=(len(right),) * 2,
    ).tocsc()
    found = spsolve(normal, right).reshape(-1, size)
    normalise = np.array(
        [[1 / extent, 0, -middle[0] / extent], [0, 1 / extent, -middle[1] / extent], [0, 0, 1]]
    )
    back = np.linalg.inv(normalise)
    for k, place in free.items():
        matrices[k] = back @ _motion(kind, found[place]) @ normalise @ matrices[k]
    return float(np.abs(found).max(initial=0.0))
