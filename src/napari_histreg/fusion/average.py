"""Merging pixel by pixel: the mean, the maximum, or the first principal component."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from napari_histreg.fusion.rule import Plane, Rule, weighted_mean

__all__ = ["Average", "Maximum", "PrincipalComponent"]


class Average(Rule):
    """The mean of the slides at each pixel.

    Examples
    --------
    >>> one = np.ones((1, 2), np.float32)
    >>> Average()([one, 0 * one], [one, one]).tolist()
    [[0.5, 0.5]]
    """

    name: ClassVar[str] = "average"

    def __call__(self, planes: Sequence[Plane], weights: Sequence[Plane]) -> Plane:
        """Merge planes of one shape."""
        return weighted_mean(planes, weights)


class Maximum(Rule):
    """The largest value at each pixel."""

    name: ClassVar[str] = "maximum"

    def __call__(self, planes: Sequence[Plane], weights: Sequence[Plane]) -> Plane:
        """Merge planes of one shape."""
        return np.asarray(np.max([p * w for p, w in zip(planes, weights, strict=True)], axis=0))


class PrincipalComponent(Rule):
    """Weigh each slide by its part in the first principal component of both [1]_.

    Parameters
    ----------
    shares : tuple of float
        Weights of the slides; learnt from the overviews, equal where the slides vary independently.

    References
    ----------
    .. [1] V. P. S. Naidu, J. R. Raol, Defence Science Journal 58(3), 338-352, 2008.
           doi:10.14429/dsj.58.1653
    """

    name: ClassVar[str] = "pca"

    shares: tuple[float, ...] = Field((), title="Shares", description="Weights; learnt from the slides")

    def fitted(self, planes: Sequence[Plane], weights: Sequence[Plane]) -> Self:
        """Learn the weights from overviews."""
        if self.shares:
            return self
        both = np.all([w > 0.5 for w in weights], axis=0)
        if both.sum() < 3:
            return self.model_copy(update={"shares": (1 / len(planes),) * len(planes)})
        covariance = np.cov(np.stack([p[both] for p in planes]).astype(float))
        vector = np.abs(np.linalg.eigh(covariance)[1][:, -1])
        return self.model_copy(update={"shares": tuple(float(v) for v in vector / vector.sum())})

    def __call__(self, planes: Sequence[Plane], weights: Sequence[Plane]) -> Plane:
        """Merge planes of one shape."""
        shares = self.shares or (1 / len(planes),) * len(planes)
        weighed = [w * np.float32(s) for w, s in zip(weights, shares, strict=True)]
        return weighted_mean(planes, weighed)
