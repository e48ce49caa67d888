"""Which of several slides the others should be aligned to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, Frame
from napari_histreg.preprocess import Recipe, prepare, working_spacing
from napari_histreg.progress import Progress, silent
from napari_histreg.quality.similarity import measure_similarity
from napari_histreg.slides import Slide
from napari_histreg.transforms import Translation, resample

__all__ = ["Groups", "TemplateChoice", "choose_template", "group_slides"]

SIDE = 192
Measure = Literal["rmse", "ncc", "mi"]
Plane = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TemplateChoice:
    """Which slide lies nearest to all others.

    Parameters
    ----------
    index : int
        The template's place in the list given.
    order : tuple of int
        All slides, the nearest to the others first.
    distances : (N, N) ndarray
        Distance of each pair; 0 on the diagonal.
    overviews : (N, Y, X) ndarray of float32
        The slides as they were compared, 0 to 1.
    """

    index: int
    order: tuple[int, ...]
    distances: FloatArray
    overviews: NDArray[np.float32]

    def mean(self, count: int) -> Plane:
        """Return the mean of the `count` overviews nearest to the others, as a template by itself.

        Raises
        ------
        ValueError
            There are not so many.
        """
        if not 1 <= count <= len(self.order):
            raise ValueError(f"The mean can be taken of 1 to {len(self.order)} slides, not {count}.")
        return np.asarray(self.overviews[list(self.order[:count])].mean(axis=0))


@dataclass(frozen=True, eq=False)
class Groups:
    """Slides that look alike.

    Parameters
    ----------
    count : int
        Number of groups, at the elbow of `spread`.
    labels : (N,) ndarray of int
        Group of each slide, 0 to `count` - 1.
    spread : (K,) ndarray
        Sum of squared distances to the groups' centres for 1 to K groups: the elbow plot.
    """

    count: int
    labels: NDArray[np.intp]
    spread: FloatArray


def choose_template(
    slides: Sequence[Slide],
    *,
    measure: Measure = "ncc",
    signal: Literal["nuclear", "other", "density", "grey"] = "density",
    progress: Progress = silent,
) -> TemplateChoice:
    """Choose the slide with the least summed distance to the others.

    Overviews are laid centre on centre at one scale; the slides need not be aligned, but should lie much the
    same way, as serial sections do.

    Parameters
    ----------
    slides : sequence of Slide
        Two or more.
    measure : {"ncc", "rmse", "mi"}
        Distance: 1 - correlation, root mean square difference, or 2 - normalised mutual information, which
        needs no likeness of stains.
    signal : {"density", "nuclear", "other", "grey"}
        What is compared.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    TemplateChoice

    Raises
    ------
    ValueError
        Fewer than two slides, or an unknown measure.
    NoTissue
        One of the slides is blank.

    Examples
    --------
    >>> from napari_histreg.samples import phantom_pair
    >>> pairs = [phantom_pair(512, seed=seed) for seed in (0, 0, 1)]
    >>> choose_template([pair.fixed for pair in pairs]).index in (0, 1)
    True
    """
    if len(slides) < 2:
        raise ValueError(f"A template is chosen among two slides or more, not {len(slides)}.")
    if measure not in ("rmse", "ncc", "mi"):
        raise ValueError(f'The measure is "ncc", "rmse" or "mi", not {measure!r}.')
    overviews = _overviews(slides, signal, progress)
    count = len(slides)
    distances = np.zeros((count, count))
    for i in range(count):
        progress(0.7 + 0.3 * i / count, f"comparing {slides[i].name}")
        for j in range(i + 1, count):
            distances[i, j] = distances[j, i] = _distance(overviews[i], overviews[j], measure)
    order = tuple(int(k) for k in np.argsort(distances.sum(axis=1), kind="stable"))
    progress(1.0, f"{slides[order[0]].name} is nearest to the others")
    return TemplateChoice(order[0], order, distances, overviews)


def group_slides(choice: TemplateChoice, *, most: int = 8, rng: int = 0) -> Groups:
    """Group slides that look alike by k-means, as many groups as the elbow asks for [1]_.

    Parameters
    ----------
    choice : TemplateChoice
        The compared slides.
    most : int
        Most groups considered.
    rng : int
        Seed; the same seed gives the same groups.

    Returns
    -------
    Groups

    References
    ----------
    .. [1] V. Satopaa et al., "Finding a kneedle in a haystack", ICDCS Workshops 2011, 166-171.
           doi:10.1109/ICDCSW.2011.20
    """
    from scipy.cluster.vq import kmeans2

    points = choice.overviews.reshape(len(choice.overviews), -1).astype(float)
    spreads, labels = [], []
    for count in range(1, min(most, len(points)) + 1):
        # Several starts: k-means ends in the nearest valley.
        tries = [
            kmeans2(points, count, minit="++", rng=np.random.default_rng([rng, count, k])) for k in range(8)
        ]
        costs = [float(((points - centres[found]) ** 2).sum()) for centres, found in tries]
        best = int(np.argmin(costs))
        spreads.append(costs[best])
        labels.append(tries[best][1])
    spread = np.minimum.accumulate(spreads)
    elbow = _elbow(spread)
    return Groups(elbow + 1, np.asarray(labels[elbow], np.intp), spread)


def _elbow(spread: FloatArray) -> int:
    """Return the place furthest below the line from the first to the last value."""
    if len(spread) < 3 or spread[0] <= spread[-1]:
        return 0
    x = np.linspace(0, 1, len(spread))
    y = (spread - spread[-1]) / (spread[0] - spread[-1])
    return int(np.argmax(1 - x - y))


def _overviews(slides: Sequence[Slide], signal: Any, progress: Progress) -> NDArray[np.float32]:
    """Prepare all slides at one spacing and lay them centre on centre on one square."""
    sizes = {slide.unit for slide in slides}
    spacing = max(working_spacing(slide, SIDE) for slide in slides) if sizes == {"um"} else None
    planes = []
    for number, slide in enumerate(slides):
        progress(0.7 * number / len(slides), f"looking at {slide.name}")
        raster = prepare(slide, Recipe(signal=signal, max_size_px=SIDE, spacing=spacing))
        frame = Frame.square((SIDE, SIDE), max(raster.spacing), (0.0, 0.0))
        onto = Translation.of(raster.frame.centre - frame.centre)
        planes.append(resample(raster, onto, frame).pixels)
    return np.nan_to_num(np.stack(planes))


def _distance(first: Plane, second: Plane, measure: Measure) -> float:
    likeness = measure_similarity(first, second)
    if measure == "rmse":
        return likeness.rmse
    return 1 - likeness.ncc if measure == "ncc" else 2 - likeness.nmi
