"""The same pairs by other programs: median error at landmarks that none of them sees.

    python benchmarks/peers.py [--python TOOL=/path/to/bin/python …] [--tools sift,ecc,…]
                               [--data FOLDER] [--results FILE.jsonl] [--again TOOL,…]
                               [--pictures FOLDER] [--page FILE.md]

Each program gets what a user would give it first: two PNG files of at most 1024 px, in colour where the slide
is coloured, of fluorescence the nuclear channel; with its defaults or the settings of its own documentation,
named below the table. Each runs in a process of its own, and those that cannot live in one environment with
this package in one of their own (`--python palom=…`). Only what ran stands in the table, with the versions
that the programs themselves say. With `--results` each result is kept as it comes: the same line again, or
one with other programs or pairs, runs what is not there yet, and the tables are made of all that is there.
"""

import argparse
import json
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from peer_pairs import Pair, all_pairs
from peer_programs import SETTINGS
from peer_results import Results, said, tables

LIMIT_CPU_S, LIMIT_S = 300, 1200
"""Of each run: processor time, which a busy machine does not change, and a last resort on the clock."""
BEGIN, END = "<!-- measured by benchmarks/peers.py -->", "<!-- end of what was measured -->"


def one(tool: str, folder: str) -> None:
    """Run one program on one pair, in this process; print its version first and what came out last."""
    import peer_programs

    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_CPU_S, LIMIT_CPU_S + 10))
    files = (Path(folder) / "fixed.png", Path(folder) / "moving.png")
    try:
        # Said before the run, so that it is known of one that is killed, too.
        about = {"version": peer_programs.version_of(tool), "python": platform.python_version()}
        print("\n" + json.dumps(about), flush=True)
        matrix, note = getattr(peer_programs, tool)(*files)
        answer = {"matrix": np.asarray(matrix, float).tolist(), "note": note}
    except Exception as error:  # noqa: BLE001  # whatever ends another program is its result
        # Where in a library's sources an error arose says nothing here.
        words = re.sub(r"OpenCV\S* \S+ error: \(.*?\) ", "", " ".join(str(error).split()))
        answer = {"failed": (words.split(". ")[0].rstrip(".") or type(error).__name__)[:120]}
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    answer["cpu_s"] = sum(usage.ru_utime + usage.ru_stime for usage in used)
    print("\n" + json.dumps(answer), flush=True)


def measured(tool: str, python: str, folder: Path, pair: Pair) -> dict:
    """Run a program in a process of its own, and measure it."""
    command = [python, __file__, "--one", tool, str(folder)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        return {**printed(error.stdout), "failed": f"not done after {LIMIT_S} s"}
    answer = printed(run.stdout)
    if run.returncode < 0:
        answer["failed"] = f"ended by signal {-run.returncode} (limit: {LIMIT_CPU_S} s of processor)"
    elif "matrix" not in answer and "failed" not in answer:
        answer["failed"] = " ".join(run.stderr.strip().splitlines()[-1:])[:120]
    elif "matrix" in answer:
        matrix = np.array(answer["matrix"])
        off = pair.moving_points @ matrix[:, :2].T + matrix[:, 2] - pair.fixed_points
        answer["error_px"] = float(np.median(np.linalg.norm(off, axis=1)))
    return answer


def printed(stdout: str | bytes | None) -> dict:
    """Return what `one` printed; programs print other lines between."""
    text = stdout.decode(errors="replace") if isinstance(stdout, bytes) else stdout or ""
    answer: dict = {}
    for line in text.splitlines():
        if line.startswith(('{"version": ', '{"matrix": ', '{"failed": ')):
            answer |= json.loads(line)
    return answer


def overlay(pair: Pair, matrix: list | None) -> np.ndarray:
    """Return both pictures on each other, the fixed one magenta, the moving one green, nuclei bright."""
    planes = []
    for picture in (pair.fixed, pair.moving):
        plane = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        planes.append(255 - plane if np.median(plane) > 127 else plane)
    fixed, moving = planes
    landed = cv2.warpAffine(moving, np.array(matrix or np.eye(3)[:2].tolist()), fixed.shape[::-1])
    return np.dstack([fixed, landed, fixed])


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--one", nargs=2, metavar=("TOOL", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--python", action="append", default=[], metavar="TOOL=PYTHON")
    parser.add_argument("--tools", default="auto,sift,ecc,simpleitk,elastix")
    parser.add_argument("--data", type=Path, help="folder of the development images")
    parser.add_argument("--pairs", default="", help="only pairs whose name holds this")
    parser.add_argument("--results", type=Path, help="keep each result in this file, and go on from it")
    parser.add_argument("--again", default="", help="programs to run again, though the file has them")
    parser.add_argument("--pictures", type=Path, help="write an overlay of each result")
    parser.add_argument("--page", type=Path, help="put the tables into a page, where it has room for them")
    return parser


def programs(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace
) -> tuple[dict[str, str], list[str]]:
    """Return the Python of those that have their own, and which programs to run."""
    own = dict(item.split("=", 1) for item in arguments.python)
    tools = list(dict.fromkeys([*arguments.tools.split(","), *own]))
    unknown = sorted(set(tools) - set(SETTINGS))
    if unknown:
        parser.error(f"no such program: {', '.join(unknown)}; there are {', '.join(SETTINGS)}")
    absent = [python for python in own.values() if shutil.which(python) is None]
    if absent:
        parser.error(f"no such Python: {', '.join(absent)}")
    return own, tools


def main() -> None:
    parser = options()
    arguments = parser.parse_args()
    if arguments.one:
        one(*arguments.one)
        return
    own, tools = programs(parser, arguments)
    results = Results(arguments.results)
    results.forget(arguments.again.split(","))
    with tempfile.TemporaryDirectory() as scratch:
        for number, pair in enumerate(all_pairs(Path(scratch), arguments.data), start=1):
            left = [tool for tool in tools if not results.has(pair, tool)]
            if arguments.pairs not in pair.name or not left:
                continue
            folder = Path(scratch) / str(number)
            folder.mkdir()
            for side, picture in (("fixed", pair.fixed), ("moving", pair.moving)):
                cv2.imwrite(str(folder / f"{side}.png"), picture[..., ::-1] if picture.ndim == 3 else picture)
            (folder / "told.json").write_text(json.dumps({"mirrored": pair.is_mirrored}), encoding="utf-8")
            for tool in left:
                answer = measured(tool, own.get(tool, sys.executable), folder, pair)
                if "version" not in answer:
                    print(f"{tool} is not there, and stays out of the tables: {answer['failed']}", flush=True)
                    continue
                row = results.add(pair, number, tool, answer)
                note = f"{row.get('note', '')}   {row.get('cpu_s') or 0:.1f} CPU s"
                print(f"{pair.name[:46]:46} {tool:10} {said(row)}   {note}", flush=True)
                if arguments.pictures:
                    arguments.pictures.mkdir(parents=True, exist_ok=True)
                    picture = overlay(pair, row.get("matrix"))
                    cv2.imwrite(str(arguments.pictures / f"{number}-{tool}.png"), picture)
    text = tables(results)
    print(text)
    if arguments.page:
        page = arguments.page.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        after = rest.partition(END)[2]
        arguments.page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
