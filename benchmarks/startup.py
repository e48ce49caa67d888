"""How long the command line takes to start, as a ratio to importing numpy in the same run."""

import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import tifffile

ROUNDS = 7


def seconds(command: list[str]) -> float:
    start = perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return perf_counter() - start


def main() -> None:
    histreg = str(Path(sys.executable).with_name("histreg"))
    with tempfile.TemporaryDirectory() as folder:
        slide = Path(folder) / "slide.ome.tif"
        tifffile.imwrite(slide, np.zeros((3, 512, 512), np.uint16), metadata={"axes": "CYX"})
        commands = {
            "import numpy": [sys.executable, "-c", "import numpy"],
            "histreg --help": [histreg, "--help"],
            "histreg info": [histreg, "info", str(slide)],
        }
        # Interleaved, so that a busy moment of the machine falls on all alike; the fastest round counts.
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(seconds(command))
    known = min(times["import numpy"])
    for name, values in times.items():
        print(
            f"{name:16s} {min(values) / known:5.2f} x the time of importing numpy "
            f"({1000 * min(values):.0f} ms)"
        )


if __name__ == "__main__":
    main()
