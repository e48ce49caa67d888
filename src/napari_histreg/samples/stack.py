"""A stack of serial sections of tissue that does not exist, with the truth of where each lies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.slides.opening import open_slide
from napari_histreg.slides.slide import Slide
from napari_histreg.transforms import Rigid

__all__ = ["PhantomStack", "phantom_stack"]

PERSISTENCE = (24.0, 10.0, 3.0)
"""After how many sections the outline, the glands and the cells are others."""

GRAIN = (0.16, 0.03, 0.006)
"""Their sizes, as shares of the slide's side."""

DAMAGE = 0.05

Plane = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class PhantomStack:
    """Serial sections, and how they lie.

    Parameters
    ----------
    slides : tuple of Slide
        In order, RGB, as H&E.
    to_tissue : tuple of Rigid
        The truth: slide to tissue, µm.
    destroyed : tuple of int
        Sections that show nothing of the tissue's structure.
    """

    slides: tuple[Slide, ...]
    to_tissue: tuple[Rigid, ...]
    destroyed: tuple[int, ...]

    def between(self, first: int, second: int) -> Rigid:
        """Map one section to another, µm."""
        found = self.to_tissue[first].then(self.to_tissue[second].inverse())
        return Rigid(found.matrix)


def phantom_stack(
    count: int = 12,
    *,
    size_px: int = 640,
    pixel_size_um: float = 8.0,
    angle_deg: float = 10.0,
    shift_um: float = 500.0,
    destroyed: tuple[int, ...] = (),
    upside_down: tuple[int, ...] = (),
    seed: int = 0,
) -> PhantomStack:
    """Make serial sections whose tissue changes smoothly from one to the next.

    Each is turned and shifted at random, a twentieth of it is damaged, stain and light differ.

    Parameters
    ----------
    count : int
        Sections.
    size_px : int
        Side of each in pixels.
    pixel_size_um : float
        Size of a pixel.
    angle_deg, shift_um : float
        Largest turn, and largest shift along each axis.
    destroyed : tuple of int
        Sections that are wholly destroyed.
    upside_down : tuple of int
        Sections that lie face down.
    seed : int
        Another seed, another stack.

    Returns
    -------
    PhantomStack

    Examples
    --------
    >>> stack = phantom_stack(3, size_px=128)
    >>> len(stack.slides), stack.slides[0].shape, stack.between(0, 0).angle_deg
    (3, (128, 128), 0.0)
    """
    rng = np.random.default_rng(seed)
    grown = [_Field(size_px, grain, reach, rng) for grain, reach in zip(GRAIN, PERSISTENCE, strict=True)]
    middle = np.full(2, (size_px - 1) / 2 * pixel_size_um)
    slides, places = [], []
    for z in range(count):
        pose = Rigid.of(
            angle_deg=float(rng.uniform(-angle_deg, angle_deg)),
            translation=rng.uniform(-shift_um, shift_um, 2),
            centre=middle,
            mirrored=z in upside_down,
        )
        planes = [field.at(float(z)) for field in grown]
        if z in destroyed:
            # What lies on the glass is tissue still, but in another place at every spot.
            planes = [_Field(size_px, grain, 1.0, rng).at(0.0) for grain in (0.05, 0.02, 0.006)]
        pixels = _stained(planes, pose, pixel_size_um, rng)
        slides.append(open_slide(pixels, pixel_size_um=pixel_size_um, name=f"section {z + 1:03d}"))
        places.append(pose)
    return PhantomStack(tuple(slides), tuple(places), tuple(destroyed))


class _Field:
    """A random plane that goes over into another every so many sections."""

    def __init__(self, size: int, grain: float, persistence: float, rng: np.random.Generator) -> None:
        self._size, self._sigma, self._persistence = size, max(grain * size, 1.0), persistence
        self._seed = int(rng.integers(2**31))
        self._known: dict[int, Plane] = {}

    def at(self, z: float) -> Plane:
        """Return the plane at a section, mean 0 and variance 1."""
        place, part = divmod(z / self._persistence, 1.0)
        one, two = self._plane(int(place)), self._plane(int(place) + 1)
        # Squares of the weights add up to 1: the contrast stays.
        return np.asarray(np.cos(part * np.pi / 2) * one + np.sin(part * np.pi / 2) * two, np.float32)

    def _plane(self, k: int) -> Plane:
        from scipy.ndimage import gaussian_filter

        if k not in self._known:
            noise = np.random.default_rng((self._seed, k)).standard_normal((self._size,) * 2)
            plane = gaussian_filter(noise, self._sigma, mode="wrap")
            self._known = {j: p for j, p in self._known.items() if j >= k - 1}
            self._known[k] = np.asarray(plane / plane.std(), np.float32)
        return self._known[k]


def _stained(
    planes: list[Plane], pose: Rigid, pixel_size: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """See a section through its pose, stained, damaged and lit."""
    import cv2

    outline, glands, cells = planes
    size = outline.shape[0]
    y, x = np.mgrid[:size, :size] / (size - 1) * 2 - 1
    body = _soft(0.85 - (y**2 + x**2) * 1.6 + 0.12 * outline, 0.05)
    gland = _soft(glands - 0.6, 0.3) * body
    nuclei = _soft(cells - 0.9 - 0.5 * (gland < 0.3), 0.25) * body
    layers = np.stack([body, gland, nuclei], -1).astype(np.float32)
    # OpenCV wants where each pixel comes from, in pixels (x, y).
    back = pose.matrix.copy()
    back[:2, 2] /= pixel_size
    back = back[:2][::-1][:, [1, 0, 2]]
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    seen = np.clip(cv2.warpAffine(layers, back, (size, size), flags=flags), 0, 1)
    seen[_holes(size, rng)] = 0
    eosin = seen[..., 0] * (0.25 + 0.2 * seen[..., 1])
    blue = 0.8 * seen[..., 2] * rng.uniform(0.8, 1.2)
    density = blue[..., None] * (0.65, 0.70, 0.29) + eosin[..., None] * (0.07, 0.99, 0.11) * rng.uniform(
        0.8, 1.2
    )
    light = rng.uniform(232, 246) * 10**-density + rng.normal(0, 2.0, density.shape)
    return np.asarray(np.clip(np.round(light), 0, 255), np.uint8)


def _soft(values: FloatArray | Plane, width: float) -> FloatArray:
    """Turn a threshold at 0 into a soft step."""
    return np.asarray(1 / (1 + np.exp(-np.clip(values / width, -30, 30))))


def _holes(size: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Choose what is torn or covered: a twentieth of the slide in a few patches."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(rng.standard_normal((size, size)), 0.05 * size, mode="wrap")
    return np.asarray(noise > np.quantile(noise, 1 - DAMAGE))
