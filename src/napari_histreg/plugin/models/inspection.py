"""Inspection: how the two slides are compared, and the numbers before and after."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from psygnal import Signal

from napari_histreg.errors import TransformError
from napari_histreg.geometry import FloatArray
from napari_histreg.plugin.models.session import Session
from napari_histreg.progress import Progress, portion
from napari_histreg.registration.automatic.verdict import Verdict, judge_transform
from napari_histreg.transforms import Transform
from napari_histreg.units import unit_sign

__all__ = ["Inspection", "Mode", "NumberRow", "square_size"]

Mode = Literal["layers", "overlay", "fade", "curtain", "checkerboard", "blink"]


@dataclass(frozen=True)
class NumberRow:
    """One figure, before and after the alignment, as text."""

    label: str
    before: str
    after: str


class Inspection:
    """What the inspect widget thinks.

    Parameters
    ----------
    session : Session
    start : callable
        Returns where the moving slide lay as it was opened, fixed to moving in world units.

    Attributes
    ----------
    changed : psygnal Signal
        Anything that is shown has changed.
    """

    changed = Signal()

    def __init__(self, session: Session, start: Callable[[], Transform]) -> None:
        self.session = session
        self._start = start
        self.mode: Mode = "layers"
        self.fade = 0.5
        self.curtain = 0.5
        self.horizontal = False
        self.square_px = 120
        self.blink_ms = 500
        self.arrows = False
        self.exaggeration = 10.0
        self._measured: tuple[Transform, Verdict, Verdict] | None = None

    def set(self, **values: Any) -> None:
        """Change settings, such as ``mode="curtain"``."""
        for name, value in values.items():
            if not hasattr(self, name):
                raise ValueError(f"There is nothing called {name!r} to set.")
            setattr(self, name, value)
        self.changed.emit()

    @property
    def obstacle(self) -> str | None:
        """Why there is nothing to compare; None where there is."""
        return None if self.session.is_ready else "Choose a fixed and a moving slide first."

    @property
    def arrows_obstacle(self) -> str | None:
        """Why there are no arrows to show; None where there are."""
        if self.obstacle is not None:
            return self.obstacle
        return None if self.session.state.usable_count else "There are no landmarks. Click pairs first."

    def residual_arrows(self) -> FloatArray:
        """Return (N, 2, 2) arrows in the fixed slide's world: where each pair's moving point lies, and how
        far it is from its partner, drawn `exaggeration` times as long.
        """
        pairs = self.session.landmarks.active()
        if not len(pairs):
            return np.empty((0, 2, 2))
        try:
            seen = self.session.fixed_to_moving.inverse()(pairs.moving)
        except TransformError:
            return np.empty((0, 2, 2))
        arrows = np.stack([seen, (pairs.fixed - seen) * self.exaggeration], 1)
        return np.asarray(arrows[np.isfinite(arrows).all((1, 2))])

    def begin_measuring(self) -> Callable[[Progress], tuple[Transform, Verdict, Verdict]]:
        """Return the call that measures the alignment, to be made in a thread.

        Raises
        ------
        ValueError
            There is nothing to measure.
        """
        fixed, moving = self.session.fixed, self.session.moving
        if fixed is None or moving is None or self.obstacle is not None:
            raise ValueError(self.obstacle or "Choose a fixed and a moving slide first.")
        transform, start = self.session.fixed_to_moving, self._start()

        def call(progress: Progress) -> tuple[Transform, Verdict, Verdict]:
            before = judge_transform(fixed.slide, moving.slide, start, progress=portion(progress, 0, 0.5))
            after = judge_transform(fixed.slide, moving.slide, transform, progress=portion(progress, 0.5, 1))
            return transform, before, after

        return call

    def take_measures(self, measured: tuple[Transform, Verdict, Verdict]) -> None:
        """Take what the call returned."""
        self._measured = measured
        self.changed.emit()

    @property
    def is_current(self) -> bool:
        """Whether what was measured is the alignment that is shown."""
        return self._measured is not None and self._measured[0] is self.session.fixed_to_moving

    def numbers(self) -> list[NumberRow]:
        """Return the figures there are: of the landmarks, and of the images once they were measured."""
        rows = []
        if self.obstacle is None and self.session.state.usable_count:
            before, after = self._landmark_error(self._start()), self._left_out_error()
            unit = unit_sign(self.session.unit)
            rows.append(NumberRow(f"Landmarks, left out, median ({unit})", _length(before), _length(after)))
        if self._measured is not None and self.is_current:
            rows += _image_rows(*self._measured[1:])
        return rows

    def _left_out_error(self) -> float:
        """Return how far the pairs are off where the others predict them: pairs fit themselves too well."""
        state = self.session.state
        vectors = state.pair_fit.leave_one_out_vectors[state.landmarks.usable]
        errors = np.linalg.norm(vectors[np.isfinite(vectors).all(1)], axis=1)
        return float(np.median(errors)) if len(errors) else float("nan")

    def _landmark_error(self, fixed_to_moving: Transform) -> float:
        pairs = self.session.landmarks.active()
        try:
            seen = fixed_to_moving.inverse()(pairs.moving)
        except TransformError:
            return float("nan")
        return float(np.median(np.linalg.norm(seen - pairs.fixed, axis=1)))


def square_size(square_px: float, zoom: float) -> float:
    """Return the side of checkerboard squares in canvas units: about `square_px` on screen.

    It changes in steps of two with the zoom, so that squares stay where they are while one zooms a little.

    Examples
    --------
    >>> square_size(100, 1.0), square_size(100, 1.2), square_size(100, 4.0)
    (128.0, 64.0, 32.0)
    """
    return float(2.0 ** np.round(np.log2(square_px / zoom)))


def _image_rows(before: Verdict, after: Verdict) -> list[NumberRow]:
    rows = [NumberRow("Confidence", *(_share(v.confidence) for v in (before, after)))]
    labels = {
        "blocks_agreeing": "Blocks that agree",
        "margin": "Better than next pose",
        "overlap": "Shared area",
    }
    for key, label in labels.items():
        texts = [_figure(key, verdict) for verdict in (before, after)]
        if any(text != "–" for text in texts):
            rows.append(NumberRow(label, *texts))
    return rows


def _figure(key: str, verdict: Verdict) -> str:
    value = verdict.measures.get(key)
    if value is None or not np.isfinite(value):
        return "–"
    if key == "overlap":
        return _share(value)
    if key == "blocks_agreeing":
        return f"{value:.0f} of {verdict.measures.get('blocks_tested', float('nan')):.0f}"
    return f"{max(value, 0.0):.1f} ×"


def _length(value: float) -> str:
    """Write a length without digits that mean nothing: a thousandth is far below any pixel."""
    return "–" if not np.isfinite(value) else f"{round(value, 3):.4g}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
