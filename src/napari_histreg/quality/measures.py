"""The figures of quality under the field's names, each explained in half a line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["FUSION", "LIKENESS", "OVERLAP", "Measure", "MeasureRow", "measure_rows"]


@dataclass(frozen=True)
class Measure:
    """A figure that people know by a name.

    Parameters
    ----------
    key : str
        What it is called in the records.
    name : str
        What the field calls it.
    meaning : str
        Half a line.
    """

    key: str
    name: str
    meaning: str


@dataclass(frozen=True)
class MeasureRow:
    """A measure with what it gave.

    Parameters
    ----------
    name, meaning : str
        As in `Measure`.
    figures : tuple of float or None
        For each of what was measured.
    """

    name: str
    meaning: str
    figures: tuple[float | None, ...]


LIKENESS = (
    Measure(
        "ncc", "NCC", "normalised cross-correlation: 1 where both rise and fall together, 0 if unrelated"
    ),
    Measure("ssim", "SSIM", "structural similarity of small windows: 1 where they are the same"),
    Measure(
        "nmi", "NMI", "normalised mutual information: 1 if unrelated, 2 if one tells the other; across stains"
    ),
    Measure("mi", "MI", "mutual information in bits: what one slide tells of the other"),
    Measure("l1", "MAE", "mean absolute difference: 0 where equal"),
    Measure("rmse", "RMSE", "root mean square difference: 0 where equal, large differences weigh more"),
    Measure(
        "entropy_fixed", "EN, fixed", "entropy in bits: how rich the fixed signal is, whatever the alignment"
    ),
    Measure("entropy_moving", "EN, moving", "the same of the moving signal"),
)
OVERLAP = (
    Measure("dice", "Dice", "overlap of the tissue masks, by their mean area: 1 where they are the same"),
    Measure("iou", "IoU", "overlap of the tissue masks, by their union: 1 where they are the same"),
)
FUSION = (
    Measure("entropy", "EN", "entropy in bits: how rich the fused picture is"),
    Measure(
        "ssim_first", "SSIM, fixed", "structural similarity to the fixed slide: 1 where all of it is kept"
    ),
    Measure(
        "ssim_second",
        "SSIM, moving",
        "the same to the moving slide; below 0 where its contrast is turned round",
    ),
    Measure("mi_first", "MI, fixed", "mutual information with the fixed slide, in bits"),
    Measure("mi_second", "MI, moving", "the same with the moving slide"),
    Measure("spatial_frequency", "SF", "spatial frequency: how much neighbouring pixels differ"),
    Measure("edge_preservation", "Q^AB/F", "share of both slides' edges that is kept: 0 none, 0.97 all"),
)


def measure_rows(measures: Iterable[Measure], *found: Mapping[str, float | None]) -> tuple[MeasureRow, ...]:
    """Return the rows of a table.

    Parameters
    ----------
    measures : iterable of Measure
        The rows.
    *found : mapping
        The figures by key, a column each.

    Examples
    --------
    >>> [(row.name, row.figures) for row in measure_rows(OVERLAP, {"dice": 0.5, "iou": 0.33})]
    [('Dice', (0.5,)), ('IoU', (0.33,))]
    """
    return tuple(
        MeasureRow(measure.name, measure.meaning, tuple(column[measure.key] for column in found))
        for measure in measures
    )
