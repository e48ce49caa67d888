"""The same pairs by other programs: median error at landmarks that none of them sees.

    python benchmarks/peers.py [--python TOOL=/path/to/bin/python …] [--tools sift,ecc,…]
                               [--data FOLDER] [--pictures FOLDER] [--page FILE.md]

Each program gets what a user would give it first: two PNG files of at most 1024 px, in colour where the slide
is coloured, of fluorescence the nuclear channel; with its defaults or the settings of its own documentation,
named below the table. Each runs in a process of its own, and those that cannot live in one environment with
this package in one of their own (`--python palom=…`). Only what ran stands in the table, with versions.
"""

import argparse
import json
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from peer_pairs import Pair, all_pairs
from peer_programs import SETTINGS

LIMIT_CPU_S, LIMIT_S = 300, 1200
"""Of each run: processor time, which a busy machine does not change, and a last resort on the clock."""
RIGHT_SHARE = 0.02
"""Of the diagonal: a median error up to this is right."""
BEGIN, END = "<!-- measured by benchmarks/peers.py -->", "<!-- end of what was measured -->"


def one(tool: str, folder: str) -> None:
    """Run one program on one pair, in this process, and print what came out as the last line."""
    import peer_programs

    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_CPU_S, LIMIT_CPU_S + 10))
    files = (Path(folder) / "fixed.png", Path(folder) / "moving.png")
    try:
        matrix, note, version = getattr(peer_programs, tool)(*files)
        answer = {"matrix": np.asarray(matrix, float).tolist(), "note": note, "version": version}
    except Exception as error:  # noqa: BLE001  # whatever ends another program is its result
        # Where in a library's sources an error arose says nothing here.
        said = re.sub(r"OpenCV\S* \S+ error: \(.*?\) ", "", " ".join(str(error).split()))
        answer = {"failed": (said or type(error).__name__)[:120]}
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    answer["cpu_s"] = sum(usage.ru_utime + usage.ru_stime for usage in used)
    print("\n" + json.dumps(answer))
    sys.stdout.flush()


def measured(tool: str, python: str, folder: Path, pair: Pair) -> dict:
    """Run a program in a process of its own, and measure it."""
    command = [python, __file__, "--one", tool, str(folder)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        answer = json.loads(run.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {LIMIT_S} s"}
    except (IndexError, json.JSONDecodeError):
        if run.returncode < 0:
            return {"failed": f"ended by signal {-run.returncode} (limit: {LIMIT_CPU_S} s of processor)"}
        return {"failed": " ".join(run.stderr.strip().splitlines()[-1:])[:120]}
    if "matrix" in answer:
        matrix = np.array(answer["matrix"])
        off = pair.moving_points @ matrix[:, :2].T + matrix[:, 2] - pair.fixed_points
        answer["error_px"] = float(np.median(np.linalg.norm(off, axis=1)))
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--one", nargs=2, metavar=("TOOL", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--python", action="append", default=[], metavar="TOOL=PYTHON")
    parser.add_argument("--tools", default="auto,sift,ecc,simpleitk,elastix")
    parser.add_argument("--data", type=Path, help="folder of the development images")
    parser.add_argument("--pairs", default="", help="only pairs whose name holds this")
    parser.add_argument("--pictures", type=Path, help="write an overlay of each result")
    parser.add_argument("--page", type=Path, help="put the tables into a page, where it has room for them")
    arguments = parser.parse_args()
    if arguments.one:
        one(*arguments.one)
        return
    own = dict(item.split("=", 1) for item in arguments.python)
    tools = list(dict.fromkeys([*arguments.tools.split(","), *own]))
    rows: list[tuple[Pair, dict[str, dict]]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for pair in all_pairs(Path(scratch), arguments.data):
            if arguments.pairs not in pair.name:
                continue
            folder = Path(scratch) / str(len(rows))
            folder.mkdir()
            for side, picture in (("fixed", pair.fixed), ("moving", pair.moving)):
                cv2.imwrite(str(folder / f"{side}.png"), picture[..., ::-1] if picture.ndim == 3 else picture)
            (folder / "told.json").write_text(json.dumps({"mirrored": pair.is_mirrored}), encoding="utf-8")
            answers = {tool: measured(tool, own.get(tool, sys.executable), folder, pair) for tool in tools}
            rows.append((pair, answers))
            for tool, answer in answers.items():
                note = f"{answer.get('note', '')}   {answer.get('cpu_s') or 0:.1f} CPU s"
                print(f"{pair.name[:46]:46} {tool:10} {said(answer, pair)}   {note}", flush=True)
                if arguments.pictures:
                    arguments.pictures.mkdir(parents=True, exist_ok=True)
                    picture = overlay(pair, answer.get("matrix"))
                    cv2.imwrite(str(arguments.pictures / f"{len(rows)}-{tool}.png"), picture)
    text = tables(rows, tools)
    print(text)
    if arguments.page:
        page = arguments.page.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        after = rest.partition(END)[2]
        arguments.page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def said(answer: dict, pair: Pair) -> str:
    """Say what came out in a cell of the table; what is right is set in bold."""
    if "error_px" not in answer:
        return f"failed: {answer['failed']}"
    error = answer["error_px"]
    shown = f"{error:.2f}" if error < 10 else f"{error:.0f}"
    return f"**{shown}**" if error <= RIGHT_SHARE * pair.diagonal else shown


def tables(rows: list[tuple[Pair, dict[str, dict]]], tools: list[str]) -> str:
    """Return the tables as Markdown: errors, processor seconds, versions and settings."""
    failures: list[str] = []
    head = f"| pair | {' | '.join(f'`{tool}`' for tool in tools)} |\n| --- |{' ---: |' * len(tools)}"
    lines = [
        f"Measured on {time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {platform.machine()}."
    ]
    for is_made, title in ((True, "Pairs that `benchmarks/peers.py` makes"), (False, "Real pairs")):
        chosen = [row for row in rows if row[0].is_made == is_made]
        if chosen:
            lines += ["", f"{title}; median error in pixels of the fixed picture:", "", head]
        for pair, answers in chosen:
            cells = []
            for tool in tools:
                text = said(answers[tool], pair)
                if text.startswith("failed: "):
                    failures.append(f"- `{tool}`, {pair.name}: {text.removeprefix('failed: ')}")
                    text = "refused" if text.endswith("refused") else "failed"
                cells.append(text)
            lines.append(f"| {pair.name} | {' | '.join(cells)} |")
    right = {tool: sum(said(row[tool], pair).startswith("**") for pair, row in rows) for tool in tools}
    counted = " | ".join(f"{right[tool]} of {len(rows)}" for tool in tools)
    spent = [[row[tool]["cpu_s"] for _, row in rows if row[tool].get("cpu_s")] for tool in tools]
    seconds = " | ".join(f"{np.median(one):.2g}" if one else "" for one in spent)
    lines += ["", "All pairs together:", "", head.replace("| pair |", "| |", 1)]
    lines += [f"| right (within 2 % of the diagonal) | {counted} |"]
    lines += [f"| processor seconds of a run, median, with the start of the program | {seconds} |", ""]
    for tool in tools:
        versions = {row[tool]["version"] for _, row in rows if "version" in row[tool]}
        lines.append(
            f"- `{tool}` is {', '.join(sorted(versions)) or 'of unknown version'}: {SETTINGS[tool]}."
        )
    if failures:
        lines += ["", "What is said where nothing came out:", "", *failures]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
