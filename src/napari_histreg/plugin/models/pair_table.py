"""The table of pairs as it is shown: numbers, errors, doubts and colours."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from napari_histreg.plugin.models.session import Session

__all__ = [
    "OFF_COLOUR",
    "UNKNOWN_COLOUR",
    "Order",
    "PairRow",
    "error_colour",
    "error_text",
    "pair_rows",
]

Order = Literal["number", "worst first"]

UNKNOWN_COLOUR = "#f2f2f2"
"""Of pairs whose error cannot be told yet."""
OFF_COLOUR = "#808080"
"""Of pairs that are switched off."""
SCALE = ("#4c9be8", "#8fc7c9", "#ffe08a", "#f79256", "#d7263d")
"""From small errors to large ones; told apart by colour-blind eyes too."""
LARGE_FACTOR = 3.0
"""An error so many times the median is drawn as the largest."""
LEAST_LARGE_PX = 3.0
"""Errors below so many pixels are never drawn as large: nobody clicks more exactly."""


@dataclass(frozen=True)
class PairRow:
    """One row of the table.

    Parameters
    ----------
    pair_id : int
        The pair's stable id.
    number : int
        Its number, in the order in which the pairs were made, from 1.
    name : str
    enabled : bool
        Whether it counts.
    placed : bool
        Whether both its points are there.
    residual, leave_one_out : float
        In the fixed slide's world units; NaN where unknown.
    residual_px, leave_one_out_px : float
        In level-0 pixels of the fixed slide.
    colour : str
        "#rrggbb" by residual.
    doubt : str
        Why it is likely wrong; empty where it is not.
    """

    pair_id: int
    number: int
    name: str
    enabled: bool
    placed: bool
    residual: float
    leave_one_out: float
    residual_px: float
    leave_one_out_px: float
    colour: str
    doubt: str


def pair_rows(session: Session, order: Order = "number") -> list[PairRow]:
    """Return the rows of the table.

    Parameters
    ----------
    session : Session
    order : {"number", "worst first"}
        The worst is the one that is farthest off where the others predict it, or else by its residual.

    Returns
    -------
    list of PairRow
    """
    state = session.state
    landmarks, pair_fit = state.landmarks, state.pair_fit
    pixel = np.ones(2) if session.fixed is None else np.asarray(session.fixed.slide.world_pixel_size)
    residual = np.linalg.norm(pair_fit.residual_vectors, axis=1)
    left_out = np.linalg.norm(pair_fit.leave_one_out_vectors, axis=1)
    residual_px = np.linalg.norm(pair_fit.residual_vectors / pixel, axis=1)
    left_out_px = np.linalg.norm(pair_fit.leave_one_out_vectors / pixel, axis=1)
    doubts = {} if state.fit is None else {outlier.index: outlier.reason for outlier in state.fit.outliers}
    large = _large(residual_px[landmarks.usable])
    # Pairs that determine the model exactly have no residual, which tells nothing.
    checked = bool(np.isfinite(left_out[landmarks.usable]).any())
    rows = [
        PairRow(
            pair_id=state.pair_ids[k],
            number=k + 1,
            name=landmarks.names[k],
            enabled=bool(landmarks.enabled[k]),
            placed=bool(landmarks.placed[k]),
            residual=float(residual[k]),
            leave_one_out=float(left_out[k]),
            residual_px=float(residual_px[k]),
            leave_one_out_px=float(left_out_px[k]),
            colour=error_colour(float(residual_px[k]) if checked else math.nan, large)
            if landmarks.enabled[k]
            else OFF_COLOUR,
            doubt=doubts.get(k, ""),
        )
        for k in range(len(landmarks))
    ]
    if order == "worst first":
        rows.sort(key=lambda row: -_badness(row))
    return rows


def error_colour(error: float, large: float) -> str:
    """Return the colour of an error, as "#rrggbb"; errors of `large` and more have the last one.

    Examples
    --------
    >>> error_colour(0.0, 9.0), error_colour(30.0, 9.0), error_colour(float("nan"), 9.0)
    ('#4c9be8', '#d7263d', '#f2f2f2')
    """
    if not math.isfinite(error):
        return UNKNOWN_COLOUR
    place = min(error / large, 1.0) * (len(SCALE) - 1)
    low = min(int(place), len(SCALE) - 2)
    parts = [
        round(a + (b - a) * (place - low))
        for a, b in zip(_channels(SCALE[low]), _channels(SCALE[low + 1]), strict=True)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


def error_text(error: float) -> str:
    """Write an error with three digits at most; a dash where it is unknown.

    Examples
    --------
    >>> error_text(0.0312), error_text(3.14159), error_text(271.8), error_text(float("nan"))
    ('0.03', '3.1', '272', '–')
    """
    if not math.isfinite(error):
        return "–"
    digits = 0 if error >= 100 else 1 if error >= 1 else 2
    return f"{error:.{digits}f}"


def _large(errors_px: np.ndarray) -> float:
    finite = errors_px[np.isfinite(errors_px)]
    median = float(np.median(finite)) if len(finite) else 0.0
    return max(LARGE_FACTOR * median, LEAST_LARGE_PX)


def _badness(row: PairRow) -> float:
    if not row.placed:
        return -1.0
    known = [error for error in (row.leave_one_out, row.residual) if math.isfinite(error)]
    return known[0] if known else 0.0


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
