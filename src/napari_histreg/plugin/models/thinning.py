"""Few of many pairs: those that a person can look through."""

import numpy as np

from napari_histreg.landmarks import Landmarks

__all__ = ["MOST_PAIRS", "thin"]

MOST_PAIRS = 30
"""So many pairs a person can look through; a method may have found thousands."""


def thin(landmarks: Landmarks, count: int) -> Landmarks:
    """Keep at most `count` pairs, spread as widely as can be, the surest first.

    Each next pair is the one farthest from those kept, its distance weighed by its confidence.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.arange(10.0)[:, None] * [0, 1]
    >>> sorted(thin(Landmarks.of(line, line), 3).fixed[:, 1].tolist())
    [0.0, 4.0, 9.0]
    """
    if len(landmarks) <= count:
        return landmarks
    confidence = np.ones(len(landmarks)) if landmarks.confidence is None else landmarks.confidence
    weight = 0.05 + np.nan_to_num(confidence, nan=0.0)
    centre = landmarks.fixed.mean(0)
    chosen = [int(np.argmax(np.linalg.norm(landmarks.fixed - centre, axis=1) * weight))]
    distance = np.full(len(landmarks), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, np.linalg.norm(landmarks.fixed - landmarks.fixed[chosen[-1]], axis=1))
        chosen.append(int(np.argmax(distance * weight)))
    return landmarks.subset(sorted(set(chosen)))
