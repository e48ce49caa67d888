"""What it costs to refuse: processor time for two unrelated slides over that for two that belong together.

    python benchmarks/refusal.py [--size 20000] [--pairs 3]

Phantoms of whole slides. A pair that belongs together is accepted after the first searches; an unrelated one
is refused only when all of them have found nothing. Processor seconds are those of all threads; their ratio
says how long a user waits for a refusal, counted in alignments.
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


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--pairs", type=int, default=3)
    arguments = parser.parse_args()
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
