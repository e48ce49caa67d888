"""Training, validation and test sets, cut between specimens and never through one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Split", "fold_splits", "split_by_specimen"]


@dataclass(frozen=True)
class Split:
    """Numbers of pairs.

    Parameters
    ----------
    training, validation, test : tuple of int
        No specimen is in two of them.
    """

    training: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...] = ()


def split_by_specimen(specimens: Sequence[str], held_back: float, seed: int) -> Split:
    """Hold specimens back for validation.

    Parameters
    ----------
    specimens : sequence of str
        Of each pair.
    held_back : float
        Share of the specimens, at least one of them.
    seed : int
        Of the draw.

    Raises
    ------
    ValueError
        There is but one specimen.

    Examples
    --------
    >>> split_by_specimen(["a", "a", "b", "c"], 0.3, 0)
    Split(training=(0, 1, 2), validation=(3,), test=())
    """
    names = _drawn(specimens, seed)
    if len(names) < 2:
        raise ValueError(
            "All pairs are of one specimen, so that nothing unseen is left to judge the training by. "
            "Name at least two in the column specimen."
        )
    count = min(max(1, round(held_back * len(names))), len(names) - 1)
    return Split(_of(specimens, names[count:]), _of(specimens, names[:count]))


def fold_splits(specimens: Sequence[str], folds: int, held_back: float, seed: int) -> tuple[Split, ...]:
    """Make each specimen part of exactly one test set.

    Raises
    ------
    ValueError
        There are fewer specimens than folds, or fewer than three.
    """
    names = _drawn(specimens, seed)
    if len(names) < max(folds, 3):
        raise ValueError(
            f"{folds} folds need at least {max(folds, 3)} specimens; the table has {len(names)}. "
            "Ask for fewer folds."
        )
    splits = []
    for k in range(folds):
        test = names[k::folds]
        rest = [name for name in names if name not in test]
        count = min(max(1, round(held_back * len(rest))), len(rest) - 1)
        splits.append(Split(_of(specimens, rest[count:]), _of(specimens, rest[:count]), _of(specimens, test)))
    return tuple(splits)


def _drawn(specimens: Sequence[str], seed: int) -> list[str]:
    names = sorted(set(specimens))
    return [names[k] for k in np.random.default_rng(seed).permutation(len(names))]


def _of(specimens: Sequence[str], names: Sequence[str]) -> tuple[int, ...]:
    return tuple(k for k, specimen in enumerate(specimens) if specimen in names)
