"""How well the jitter of tomographic series is found, and what it costs.

    python benchmarks/projections.py [--development DIR] [--large] [--only WORDS]

Phantoms with a known truth; where the folder of development images lies beside the checkout (or is
named), a real series of 91 projections to which known jitter is added. Errors are root mean squares in
pixels without what no series can tell (a constant along y; a constant, cosine and sine along x).
``--large`` adds 720 projections of 1024 x 1024, of which only the frame that is read is ever there. TomoPy
is on no package index that pip asks; a plain chain of correlations stands for what one would do without
this room.
"""

import argparse
import resource
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

from napari_histreg.projections import align_projections, open_projections
from napari_histreg.projections.gauge import rms_without_gauge
from napari_histreg.projections.preview import reconstructed, sinogram
from napari_histreg.projections.registry import PROJECTION_METHODS
from napari_histreg.projections.rounds import run_round
from napari_histreg.projections.work import WorkStack
from napari_histreg.samples import PhantomProjections, phantom_projections

ROOT = Path(__file__).resolve().parents[1]


def said(name, found, shifts, seconds):
    y, x = rms_without_gauge(found.shifts_px, shifts, np.radians(found.angles_deg), found.used)
    out = f", left out {sorted(found.left_out)}" if found.left_out else ""
    print(
        f"{name:44s} y {y:6.3f}  x {x:6.3f} px  {found.verdict:9s}"
        f" said {found.error_px[0]:.3f} {found.error_px[1]:.3f}"
        f"  axis {found.axis_px and round(found.axis_px, 2)}  {seconds:6.1f} CPU s{out}",
        flush=True,
    )
    return y, x


def aligned(frames, angles, **options):
    start = time.process_time()
    found = align_projections(frames, angles, must_find=False, **options)
    return found, time.process_time() - start


def phantom(name, scan: PhantomProjections, **options):
    found, seconds = aligned(scan.frames, scan.angles_deg, **options)
    return said(name, found, scan.shifts_px, seconds)


def methods() -> None:
    print("\n180 projections of 128 x 128, jitter ±6 px, 3 % noise, seed 0")
    scan = phantom_projections()
    errors = {spec.name: phantom(spec.name, scan, method=spec.name) for spec in PROJECTION_METHODS}
    ratios = [errors["joint"][k] / errors["correlation"][k] for k in (0, 1)]
    print(f"joint against the chain of correlations: {ratios[0]:.2f} (y), {ratios[1]:.2f} (x) of its error")


def phantoms() -> None:
    print("\nJoint, 180 projections of 128 x 128, 3 % noise, three bodies and jitters each")
    cases = {
        "jitter ±6 px": {},
        "jitter ±15 px": {"jitter_px": 15},
        "120 of 180 degrees": {"range_deg": 120, "count": 120},
        "10 % noise": {"noise": 0.1},
        "axis 8 px off, leaning by 1.5 degrees": {"axis_offset_px": 8, "tilt_deg": 1.5},
        "body leaves the field at all sides": {"body": 0.6, "jitter_px": 6},
    }
    for name, options in cases.items():
        for seed in range(3):
            phantom(f"{name}, seed {seed}", phantom_projections(seed=seed, **options))


def bad_frames() -> None:
    print("\nThree bad frames: 30 black, 77 shifted by 40 px, 140 another body")
    scan, other = phantom_projections(), phantom_projections(seed=5)
    frames = scan.frames.copy()
    frames[30] = 0
    frames[77] = ndimage.shift(scan.frames[77], (0, 40), order=1)
    frames[140] = other.frames[100]
    before, _ = aligned(scan.frames, scan.angles_deg)
    after, seconds = aligned(frames, scan.angles_deg)
    said("joint", after, scan.shifts_px, seconds)
    radians = np.radians(scan.angles_deg)
    change = rms_without_gauge(after.shifts_px, before.shifts_px, radians, after.used)
    print(f"the others against the series without bad frames: y {change[0]:.3f}, x {change[1]:.3f} px")


def sharpness(series, found, row: int) -> float:
    lines = sinogram(series, found, row)
    lines = lines - lines[:, :5].mean(1, keepdims=True)
    slice_ = reconstructed(lines, found.angles_deg[found.used], found.axis_px)
    inner = ndimage.gaussian_filter(slice_, 0.7)[30:-30, 30:-30]
    return float(np.percentile(np.hypot(*np.gradient(inner)), 99))


def real(development: Path) -> None:
    print("\nReal series of 91 projections with added jitter of ±5 px, against the same without it")
    folder = development / "data" / "tomo"
    series = open_projections(
        folder / "projections",
        folder / "angles.txt",
        dark=folder / "dark_00001.tiff",
        flat=folder / "flat_00001.tiff",
    )
    still = align_projections(series)
    rows = (70, 85, 110)
    sharp = [sharpness(series, still, row) for row in rows]
    frames = np.stack([series.frame(view) for view in range(91)]).astype(np.float64)
    radians = np.radians(series.angles_deg)
    for seed in range(3):
        jitter = np.random.default_rng(seed).uniform(-5, 5, (91, 2))
        shaken = np.stack(
            [ndimage.shift(f, s, order=3, mode="nearest") for f, s in zip(frames, jitter, strict=True)]
        )
        again = open_projections(
            shaken, series.angles_deg, dark=series.correction.dark, flat=series.correction.flat
        )
        start = time.process_time()
        found = align_projections(again, must_find=False)
        used = found.used & still.used
        y, x = rms_without_gauge(found.shifts_px - jitter, still.shifts_px, radians, used)
        # The heights of both differ by a constant that no series can tell.
        height = float(np.mean((found.shifts_px - jitter - still.shifts_px)[used, 0]))
        kept = [sharpness(again, found, round(row - height)) / s for row, s in zip(rows, sharp, strict=True)]
        print(
            f"seed {seed}: y {y:.3f}, x {x:.3f} px, {found.verdict}; edges of slices {rows}: "
            f"{', '.join(f'{100 * share:.1f} %' for share in kept)} as sharp; "
            f"{time.process_time() - start:.1f} CPU s",
            flush=True,
        )


class Enlarged:
    """Frames that are made when they are read, so that the memory measured is the program's."""

    def __init__(self, frames, times: int):
        self._frames, self._times = frames, times
        self.shape = (len(frames), *(n * times for n in frames.shape[1:]))
        self.dtype = np.dtype(np.float32)

    def __getitem__(self, view):
        import cv2

        return cv2.resize(self._frames[view], self.shape[:0:-1], interpolation=cv2.INTER_CUBIC)


def large() -> None:
    print("\nOne round of re-projection at 256 x 256, the size that 1024 x 1024 is worked at")
    scan = phantom_projections(720, (256, 256), jitter_px=6)
    for count in (180, 360, 720):
        step = 720 // count
        stack = WorkStack(scan.frames[::step], np.radians(scan.angles_deg[::step]), np.ones(count, bool))
        start = time.process_time()
        run_round(stack, scan.shifts_px[::step], scan.axis_px)
        seconds = time.process_time() - start
        print(
            f"{count} projections: {seconds:.1f} CPU s, {1000 * seconds / count:.0f} ms a projection",
            flush=True,
        )
    print("\n720 projections of 1024 x 1024, jitter ±24 px")
    frames = Enlarged(scan.frames, 4)
    found, seconds = aligned(frames, scan.angles_deg)
    said("joint", found, 4 * scan.shifts_px, seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    held = scan.frames.nbytes / 1e9
    print(f"most memory {peak:.2f} GB, of which {held:.2f} GB are the phantom itself")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--development", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--only", nargs="*", choices=["methods", "phantoms", "bad_frames", "real", "large"])
    chosen = parser.parse_args()
    wanted = chosen.only or [
        "methods",
        "phantoms",
        "bad_frames",
        "real",
        *(["large"] if chosen.large else []),
    ]
    for name, run in (("methods", methods), ("phantoms", phantoms), ("bad_frames", bad_frames)):
        if name in wanted:
            run()
    if "real" in wanted and (chosen.development / "data" / "tomo").is_dir():
        real(chosen.development)
    if "large" in wanted:
        large()


if __name__ == "__main__":
    main()
