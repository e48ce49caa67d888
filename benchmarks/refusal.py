"""What it costs to refuse: processor time for two unrelated slides over that for two that belong together.

    python benchmarks/refusal.py [--size 20000] [--pairs 3]
    bash tools/display.sh python benchmarks/refusal.py --window

Phantoms of whole slides. A pair that belongs together is accepted after the first searches; an unrelated one
is refused only when all of them have found nothing. Processor seconds are those of all threads; their ratio
says how long a user waits for a refusal, counted in alignments. With --window, two unrelated slides are
opened in napari, *Run* is pressed, and all that the process takes until the refusal is shown is counted.
"""

import argparse
import sys
import time

from napari_histreg import Slide, phantom_pair, register


def aligned(fixed: Slide, moving: Slide) -> tuple[float, str]:
    """Return the processor seconds of an automatic alignment, and its verdict."""
    start = time.process_time()
    verdict = register(fixed, moving, must_find=False, sharpen=False).verdict
    return time.process_time() - start, verdict


def refused_in_window(size: int) -> int:
    """Press Run on two unrelated slides; return how many refusals are missing."""
    import napari
    from beats import Beats, work

    from napari_histreg.plugin.layers.slides import add_slide
    from napari_histreg.plugin.widgets.align_widget import AlignWidget

    viewer = napari.Viewer()
    viewer.window.resize(1300, 900)
    for slide in (phantom_pair(size).fixed, phantom_pair(size, seed=100).moving):
        add_slide(viewer, slide)
    widget = AlignWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Align slides")
    automatic = widget.automatic
    widget.tabs.setCurrentWidget(automatic)
    work(2.0)
    beats, start, cpu = Beats(), time.perf_counter(), time.process_time()
    automatic.run_button.click()
    while automatic.model.state != "idle":
        work(0.05)
    work(0.5)
    said = automatic.headline.text()
    print(
        f"in the window: {time.perf_counter() - start:.1f} s, {time.process_time() - cpu:.2f} s of processor "
        f"time, {beats}: {said}"
    )
    refused = automatic.model.result is not None and automatic.model.result.verdict == "refused"
    viewer.close()
    return int(not refused)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--window", action="store_true", help="time one refusal in the window instead")
    arguments = parser.parse_args()
    if arguments.window:
        return refused_in_window(arguments.size)
    # What is imported on first use is not counted.
    small = phantom_pair(512)
    aligned(small.fixed, small.moving)
    sums, wrong = {"together": 0.0, "unrelated": 0.0}, 0
    for seed in range(arguments.pairs):
        pair, other = (phantom_pair(arguments.size, seed=seed + add) for add in (0, 100))
        for kind, moving, expected in (
            ("together", pair.moving, "accepted"),
            ("unrelated", other.moving, "refused"),
        ):
            seconds, verdict = aligned(pair.fixed, moving)
            sums[kind] += seconds
            wrong += verdict != expected
            print(f"{kind:<10} {seed}  {verdict:<9} {seconds:6.2f} s of processor time", flush=True)
    ratio = sums["unrelated"] / sums["together"]
    mean = sums["unrelated"] / arguments.pairs
    print(
        f"a refusal takes {mean:.2f} s, {ratio:.1f} times as much as an acceptance; wrong verdicts: {wrong}"
    )
    return wrong


if __name__ == "__main__":
    sys.exit(main())
