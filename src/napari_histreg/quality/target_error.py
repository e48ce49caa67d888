"""How far landmarks are apart after an alignment: TRE, rTRE and robustness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import LandmarkError
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks import Landmarks, fit_landmarks
from napari_histreg.transforms import Transform

__all__ = ["TargetError", "left_out_error", "summarise_target_errors", "target_error"]


@dataclass(frozen=True, eq=False)
class TargetError:
    """Distances between landmarks after an alignment, in the fixed slide's frame.

    Parameters
    ----------
    names : tuple of str
        Of the pairs that count.
    errors_px : (N,) ndarray of float64
        Distance for each pair in level-0 pixels of the fixed slide.
    diagonal_px : float
        Diagonal of the fixed slide in its level-0 pixels; relative errors are shares of it.
    errors_um : (N,) ndarray of float64 or None
        The same in µm; None where the pixel size is unknown.
    initial_px : (N,) ndarray of float64 or None
        Distances before the alignment, where an initial placement was given.
    """

    names: tuple[str, ...]
    errors_px: FloatArray
    diagonal_px: float
    errors_um: FloatArray | None = None
    initial_px: FloatArray | None = None

    @property
    def relative(self) -> FloatArray:
        """The (N,) errors as shares of the fixed image's diagonal (rTRE)."""
        return np.asarray(self.errors_px / self.diagonal_px)

    @property
    def median_px(self) -> float:
        """Median error in px."""
        return float(np.median(self.errors_px))

    @property
    def max_px(self) -> float:
        """Largest error in px."""
        return float(self.errors_px.max())

    @property
    def median_um(self) -> float | None:
        """Median error in µm; None where the pixel size is unknown."""
        return None if self.errors_um is None else float(np.median(self.errors_um))

    @property
    def median_relative(self) -> float:
        """Median error as a share of the diagonal."""
        return float(np.median(self.relative))

    @property
    def robustness(self) -> float | None:
        """Share of the pairs that came closer, as ANHIR defines it [1]_; None without an initial placement.

        References
        ----------
        .. [1] J. Borovec et al., IEEE TMI 39(10), 3042-3052, 2020. doi:10.1109/TMI.2020.2986331
        """
        return None if self.initial_px is None else float(np.mean(self.errors_px < self.initial_px))

    def to_dict(self) -> dict[str, Any]:
        """Return count, median, mean, p90 and max in each unit, and every pair's error, as JSON values."""
        found: dict[str, Any] = {"count": len(self.names), "px": _figures(self.errors_px)}
        found["um"] = None if self.errors_um is None else _figures(self.errors_um)
        found["relative"] = _figures(self.relative)
        found["robustness"] = self.robustness
        found["diagonal_px"] = self.diagonal_px
        found["landmarks"] = [
            {
                "name": name,
                "px": float(self.errors_px[k]),
                "um": None if self.errors_um is None else float(self.errors_um[k]),
            }
            for k, name in enumerate(self.names)
        ]
        return found

    def table(self) -> str:
        """Return the figures as a small table of text."""
        units: list[tuple[str, FloatArray, float]] = [("px", self.errors_px, 1.0)]
        if self.errors_um is not None:
            units.append(("µm", self.errors_um, 1.0))
        units.append(("% of diagonal", self.relative, 100.0))
        lines = [f"{len(self.names)} landmarks{'':<8}" + "".join(f"{unit:>15}" for unit, _, _ in units)]
        figures = [_figures(values * factor) for _, values, factor in units]
        for name in figures[0]:
            lines.append(f"{name:<20}" + "".join(f"{column[name]:>15.3f}" for column in figures))
        if self.robustness is not None:
            lines.append(f"closer than before: {100 * self.robustness:.0f} %")
        return "\n".join(lines)


def target_error(
    landmarks: Landmarks,
    fixed_to_moving: Transform,
    *,
    shape: tuple[int, int],
    pixel_size_um: tuple[float, float] | None = None,
    initial: Transform | None = None,
) -> TargetError:
    """Measure the target error (TRE) on landmarks.

    The error of a pair is the distance between its fixed point and where the alignment takes its
    moving point, in the fixed slide. Landmarks that the transform was fitted to say little: use
    others, or `left_out_error`.

    Parameters
    ----------
    landmarks : Landmarks
        In world units; pairs that are switched off or not placed do not count.
    fixed_to_moving : Transform
        Fixed to moving, in world units.
    shape : (int, int)
        Height and width of the fixed slide's level 0.
    pixel_size_um : (float, float), optional
        Size (y, x) of the fixed slide's level-0 pixels; None where it is unknown.
    initial : Transform, optional
        The placement before the alignment, fixed to moving, for the robustness.

    Returns
    -------
    TargetError

    Raises
    ------
    LandmarkError
        No pair can be used.
    NotInvertible
        The transform has no inverse.

    Examples
    --------
    >>> from napari_histreg.transforms import Translation
    >>> pairs = Landmarks.of([[0, 0], [0, 10]], [[3, 4], [3, 15]])
    >>> found = target_error(pairs, Translation.of((3, 4)), shape=(30, 40), pixel_size_um=(0.5, 0.5))
    >>> found.errors_um.tolist(), found.errors_px.tolist(), found.diagonal_px
    ([0.0, 1.0], [0.0, 2.0], 50.0)
    """
    pairs = landmarks.active()
    if len(pairs) == 0:
        raise LandmarkError("None of the landmarks is placed on both slides and switched on.")
    size = np.asarray(pixel_size_um or (1.0, 1.0), float)
    vectors = _vectors(pairs, fixed_to_moving)
    before = None if initial is None else np.linalg.norm(_vectors(pairs, initial) / size, axis=1)
    return TargetError(
        names=pairs.names,
        errors_px=np.asarray(np.linalg.norm(vectors / size, axis=1)),
        diagonal_px=float(np.hypot(*shape)),
        errors_um=None if pixel_size_um is None else np.asarray(np.linalg.norm(vectors, axis=1)),
        initial_px=None if before is None else np.asarray(before),
    )


def left_out_error(
    landmarks: Landmarks,
    model: str = "auto",
    *,
    shape: tuple[int, int],
    pixel_size_um: tuple[float, float] | None = None,
) -> TargetError | None:
    """Measure how far each landmark lies from where a fit to all others puts it.

    This is what landmarks tell of a transform that was made from them: each is judged by a fit that has
    not seen it.

    Parameters
    ----------
    landmarks : Landmarks
        In world units; pairs that are switched off or not placed do not count.
    model : str
        One of `LANDMARK_MODELS`, or "auto".
    shape : (int, int)
        Height and width of the fixed slide's level 0.
    pixel_size_um : (float, float), optional
        Size (y, x) of the fixed slide's level-0 pixels; None where it is unknown.

    Returns
    -------
    TargetError or None
        None where there are too few pairs to leave one out.

    Raises
    ------
    DegenerateFit, NotInvertible
        The pairs do not determine the model.

    Examples
    --------
    >>> corners = [[0, 0], [0, 80], [60, 0], [60, 80]]
    >>> pairs = Landmarks.of(corners, [[y + 3, x] for y, x in corners])
    >>> found = left_out_error(pairs, "translation", shape=(60, 80))
    >>> bool(found.max_px < 1e-9)
    True
    """
    fit = fit_landmarks(landmarks, model)
    told = fit.used & np.isfinite(fit.leave_one_out)
    if not told.any():
        return None
    size = np.asarray(pixel_size_um or (1.0, 1.0), float)
    return TargetError(
        names=tuple(landmarks.names[k] for k in np.flatnonzero(told)),
        errors_px=fit.leave_one_out_px(size)[told],
        diagonal_px=float(np.hypot(*shape)),
        errors_um=None if pixel_size_um is None else fit.leave_one_out[told],
    )


def summarise_target_errors(errors: Sequence[TargetError]) -> Mapping[str, float]:
    """Bring the errors of many pairs of slides to the figures of the ANHIR challenge [1]_.

    Parameters
    ----------
    errors : sequence of TargetError
        One for each pair of slides.

    Returns
    -------
    mapping of str to float
        ``average_median_rtre`` and ``median_median_rtre`` over the pairs, ``average_max_rtre``,
        ``average_robustness`` (NaN where no initial placement was given) and ``pairs``.

    Raises
    ------
    ValueError
        There are no errors.

    References
    ----------
    .. [1] J. Borovec et al., IEEE TMI 39(10), 3042-3052, 2020. doi:10.1109/TMI.2020.2986331

    Examples
    --------
    >>> one = TargetError(("a",), np.array([5.0]), 100.0)
    >>> summarise_target_errors([one, one])["average_median_rtre"]
    0.05
    """
    if not errors:
        raise ValueError("There are no errors to summarise.")
    medians = np.array([error.median_relative for error in errors])
    robust = [error.robustness for error in errors if error.robustness is not None]
    return {
        "pairs": float(len(errors)),
        "average_median_rtre": float(medians.mean()),
        "median_median_rtre": float(np.median(medians)),
        "average_max_rtre": float(np.mean([error.relative.max() for error in errors])),
        "average_robustness": float(np.mean(robust)) if robust else float("nan"),
    }


def _vectors(pairs: Landmarks, fixed_to_moving: Transform) -> FloatArray:
    return np.asarray(fixed_to_moving.inverse()(pairs.moving) - pairs.fixed)


def _figures(values: ArrayLike) -> dict[str, float]:
    values = np.asarray(values, float)
    return {
        "median": float(np.median(values)),
        "mean": float(values.mean()),
        "p90": float(np.percentile(values, 90)),
        "max": float(values.max()),
    }
