"""Groups whose truth is known: slides that are only records, and links made from where they lie."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.groups.group import Link
from napari_histreg.landmarks import Landmarks
from napari_histreg.records.record import Outcome, SlideRecord
from napari_histreg.transforms import Affine, Rigid, Similarity

SIZE = 1000.0


@dataclass(frozen=True, eq=False)
class Truth:
    """Where slides lie in a common frame."""

    slides: tuple[SlideRecord, ...]
    to_frame: tuple[Affine, ...]

    @classmethod
    def random(cls, count: int, *, seed: int = 0, stretch: float = 0.02, turn: float = 180.0) -> "Truth":
        """Lay slides of 1000 x 1000 µm anyhow; the last one face down."""
        rng = np.random.default_rng(seed)
        places = []
        for k in range(count):
            pose = Similarity.of(
                scale=float(np.exp(rng.normal(0, stretch))),
                angle_deg=float(rng.uniform(-turn, turn)),
                mirrored=k == count - 1,
                translation=rng.uniform(-80, 80, 2),
                centre=(SIZE / 2, SIZE / 2),
            )
            bent = np.eye(3)
            bent[:2, :2] += rng.normal(0, stretch / 2, (2, 2))
            places.append(Affine(bent @ pose.matrix))
        return cls(tuple(record(k) for k in range(count)), tuple(places))

    def between(self, i: int, j: int) -> Affine:
        """Map slide i to slide j."""
        return Affine(np.linalg.inv(self.to_frame[j].matrix) @ self.to_frame[i].matrix)

    def link(
        self,
        i: int,
        j: int,
        rng: np.random.Generator | None = None,
        *,
        noise: float = 0.0,
        verdict: str = "accepted",
        confidence: float = 0.98,
        wrong: Affine | None = None,
    ) -> Link:
        """Align a pair as well as `noise` µm allow, at blocks spread over it; or wrongly."""
        line = np.linspace(100, 900, 5)
        points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
        matrix = self.between(i, j).matrix if wrong is None else wrong.matrix
        if rng is not None and noise:
            centre = np.array([SIZE, SIZE]) / 2
            jitter = np.eye(3)
            jitter[:2, :2] += rng.normal(0, noise / SIZE, (2, 2))
            jitter[:2, 2] = centre - jitter[:2, :2] @ centre + rng.normal(0, noise, 2)
            matrix = matrix @ jitter
        found = Affine(matrix)
        blocks = Landmarks.of(points, found(points), confidence=np.full(len(points), 0.5))
        outcome = Outcome(found, verdict, confidence, ("made for a test",), blocks)
        return Link(i, j, outcome, "refused" if verdict == "refused" else "used")

    def links(self, pairs: Iterable[tuple[int, int]], *, noise: float = 0.0, seed: int = 0) -> list[Link]:
        """Align pairs."""
        rng = np.random.default_rng(seed)
        return [self.link(i, j, rng, noise=noise) for i, j in pairs]

    def errors(self, frame_to: dict[int, Affine], template: int) -> dict[int, float]:
        """Measure how far each slide lies from the truth, seen from the template: median, µm."""
        line = np.linspace(100, 900, 9)
        points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
        found = {}
        for k, transform in frame_to.items():
            back = self.between(k, template)(transform(frame_to[template].inverse()(points)))
            found[k] = float(np.median(np.linalg.norm(back - points, axis=1)))
        return found


def record(k: int, *, pixel_size: float | None = 1.0, name: str | None = None) -> SlideRecord:
    """Remember a slide of 1000 x 1000 pixels that does not exist."""
    size = None if pixel_size is None else (pixel_size, pixel_size)
    return SlideRecord(name or f"s{k}.tif", None, (1000, 1000), size, ("grey",), f"sha256:{k:032x}")


def rigid_stack(count: int, *, seed: int = 0) -> Truth:
    """Lay sections as they come from a microtome: turned by up to 10 degrees and shifted."""
    rng = np.random.default_rng(seed)
    places = [
        Affine(
            Rigid.of(
                angle_deg=float(rng.uniform(-10, 10)),
                translation=rng.uniform(-100, 100, 2),
                centre=(SIZE / 2, SIZE / 2),
            ).matrix
        )
        for _ in range(count)
    ]
    return Truth(tuple(record(k) for k in range(count)), tuple(places))


def placed(members: Iterable) -> dict[int, Affine]:
    """List the transforms of the slides that have a place."""
    return {k: m.frame_to_slide for k, m in enumerate(members) if m.frame_to_slide is not None}


def corner_motion(first: Affine, second: Affine) -> float:
    """Measure how far two transforms differ at most over a slide's corners."""
    corners: FloatArray = np.array([[0, 0], [0, SIZE], [SIZE, 0], [SIZE, SIZE]], float)
    return float(np.linalg.norm(first(corners) - second(corners), axis=1).max())
