"""What every fusion rule is: its parameters, how far around it looks, and tiles in, tile out."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

__all__ = ["Plane", "Rule", "weighted_mean"]

Plane = NDArray[np.float32]


class Rule(BaseModel):
    """A way to merge planes that show the same place; a subclass per way.

    A rule sees only planes (Y, X) of numbers from 0 to 1 with their weights (Y, X): 0 where a slide
    does not reach, 1 where it does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]

    @property
    def step(self) -> int:
        """Tiles must begin at multiples of this many pixels for their results to fit together."""
        return 1

    @property
    def margin(self) -> int:
        """How many pixels around a tile its result depends on."""
        return 0

    def fitted(self, planes: Sequence[Plane], weights: Sequence[Plane]) -> Self:
        """Return the rule with what it has to learn from overviews of the slides; most learn nothing."""
        return self

    def __call__(self, planes: Sequence[Plane], weights: Sequence[Plane]) -> Plane:
        """Merge planes of one shape."""
        raise TypeError(f"{type(self).__name__} does not say how to merge planes.")


def weighted_mean(planes: Sequence[Plane], weights: Sequence[Plane]) -> Plane:
    """Return the mean of planes where they are valid; 0 where none is."""
    total = sum(weights, np.zeros_like(planes[0]))
    mean = sum((p * w for p, w in zip(planes, weights, strict=True)), np.zeros_like(planes[0]))
    return np.asarray(mean / np.maximum(total, np.float32(1e-6)))
