"""Small fields in whole slides: are they found, how well, and is a field of other tissue refused?

    python benchmarks/small_field.py [--slides 16 20] [--fields 0.5 0.8 1.5] [--count 8] [--foreign 50]

A field of fluorescence of so many mm, on tissue, at any turn, mirrored or not, swollen by up to 3 %, is to be
found in a brightfield phantom of so many mm whose pixel size is known. Foreign fields come from a phantom of
another seed. Each line gives the verdict, the error at points of the field, and processor time.
"""

import argparse
import resource
from dataclasses import dataclass
from time import process_time

import numpy as np

from napari_histreg import Slide, phantom_pair, register
from napari_histreg.geometry import FloatArray
from napari_histreg.samples.phantom import PhantomSource
from napari_histreg.slides.slide import Level
from napari_histreg.transforms import Similarity

SLIDE_PX_UM, FIELD_PX_UM = 0.5, 0.65
RIGHT_UM = 5.0


@dataclass(frozen=True, eq=False)
class Case:
    """A whole slide, a field, points of the field (µm) and where they lie in the whole slide, if anywhere."""

    slide: Slide
    field: Slide
    points: FloatArray
    truth: FloatArray | None


def make(slide_mm: float, field_mm: float, number: int, *, foreign: bool = False) -> Case:
    """Cut a field out of the tissue of a phantom, or of another phantom's."""
    rng = np.random.default_rng((number, round(10 * field_mm), round(slide_mm), foreign))
    pixels = round(1000 * slide_mm / SLIDE_PX_UM)
    pair = phantom_pair(pixels, pixel_size_um=SLIDE_PX_UM, seed=number)
    shown = phantom_pair(pixels, pixel_size_um=SLIDE_PX_UM, seed=number + 1000) if foreign else pair
    nuclei = shown.fixed.source.nuclei(2000)
    size = 1000 * field_mm
    # All of the field lies on the slide, and its middle on tissue.
    inside = ((nuclei > 0.75 * size) & (nuclei < 1000 * slide_mm - 0.75 * size)).all(1)
    middle = rng.choice(nuclei[inside])
    side = round(size / FIELD_PX_UM)
    centre = np.full(2, (side - 1) * FIELD_PX_UM / 2)
    to_tissue = Similarity.of(
        scale=float(rng.uniform(0.97, 1.03)),
        angle_deg=float(rng.uniform(0, 360)),
        mirrored=bool(number % 2),
        translation=middle - centre,
        centre=centre,
    )
    source = shown.moving.source
    levels = [Level((side, side), (1.0, 1.0))]
    while max(levels[-1].shape) > 512:
        factor = 2 ** len(levels)
        levels.append(Level((-(-side // factor),) * 2, (float(factor), float(factor))))
    field = Slide(
        name=f"field of {field_mm} mm",
        levels=tuple(levels),
        channels=shown.moving.channels,
        dtype=shown.moving.dtype,
        source=PhantomSource(source.tissue, FIELD_PX_UM, to_tissue, "fluorescence"),
        pixel_size_um=(FIELD_PX_UM, FIELD_PX_UM),
        is_rgb=False,
        background=0.0,
    )
    points = rng.uniform(0, size, (200, 2))
    return Case(pair.fixed, field, points, None if foreign else to_tissue(points))


def run(case: Case, *, swapped: bool) -> tuple[str, float | None, float]:
    """Align; returns the verdict, the median error in µm and processor seconds."""
    start = process_time()
    if swapped:
        found = register(case.field, case.slide, must_find=False)
        to_slide = found.fixed_to_moving
    else:
        found = register(case.slide, case.field, must_find=False)
        to_slide = None if found.fixed_to_moving is None else found.fixed_to_moving.inverse()
    error = None
    if case.truth is not None and to_slide is not None:
        error = float(np.median(np.linalg.norm(to_slide(case.points) - case.truth, axis=1)))
    return found.verdict, error, process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slides", type=float, nargs="*", default=[16, 20])
    parser.add_argument("--fields", type=float, nargs="*", default=[0.5, 0.8, 1.5])
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--foreign", type=int, default=50)
    given = parser.parse_args()
    numbers = range(given.first, given.first + given.count)
    for slide_mm in given.slides:
        for field_mm in given.fields:
            good = 0
            for number in numbers:
                # The field is the fixed slide as often as the moving one.
                swapped = number % 4 > 1
                verdict, error, busy = run(make(slide_mm, field_mm, number), swapped=swapped)
                right = verdict == "accepted" and error is not None and error < RIGHT_UM
                good += right
                miss = "none" if error is None else f"{error:8.2f} µm"
                print(
                    f"{field_mm} in {slide_mm:g} mm, {number}: {verdict:9s} {miss} {busy:5.0f} s", flush=True
                )
            print(f"{field_mm} mm in {slide_mm:g} mm: {good} of {given.count} accepted and right", flush=True)
    accepted = 0
    for number in range(given.first, given.first + given.foreign):
        field_mm = given.fields[number % len(given.fields)]
        slide_mm = given.slides[number // 2 % len(given.slides)]
        verdict, _, busy = run(make(slide_mm, field_mm, number, foreign=True), swapped=number % 4 > 1)
        accepted += verdict == "accepted"
        print(f"foreign {field_mm} in {slide_mm:g} mm, {number}: {verdict:9s} {busy:5.0f} s", flush=True)
    if given.foreign:
        print(f"foreign: {accepted} of {given.foreign} accepted")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"peak memory {memory / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
