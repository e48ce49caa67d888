"""What benchmarks/peers.py measured: JSON lines, one for each program and pair, and the tables of them."""

import hashlib
import json
import platform
import time
from pathlib import Path

import numpy as np
from peer_pairs import Pair
from peer_programs import SETTINGS

RIGHT_SHARE = 0.02
"""Of the diagonal: a median error up to this is right."""


class Results:
    """Results of runs, kept in a file as they come, so that a run that was stopped goes on where it was.

    Parameters
    ----------
    path : Path or None
        Without it nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: dict[tuple[str, str], dict] = {}
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    row = json.loads(line)
                except json.JSONDecodeError:  # the run was killed while it wrote its last line
                    continue
                self.rows[row["pair"], row["tool"]] = row

    def has(self, pair: Pair, tool: str) -> bool:
        """Tell whether this program was given these pictures."""
        row = self.rows.get((pair.name, tool))
        return row is not None and row["pictures"] == digest(pair)

    def add(self, pair: Pair, number: int, tool: str, answer: dict) -> dict:
        """Keep what came out, with all that the tables say of it."""
        row = {
            "pair": pair.name,
            "number": number,
            "is_made": pair.is_made,
            "diagonal_px": pair.diagonal,
            "pictures": digest(pair),
            "tool": tool,
            "settings": SETTINGS[tool],
            "date": time.strftime("%Y-%m-%d"),
            "machine": platform.machine(),
            **answer,
        }
        self.rows[pair.name, tool] = row
        if self.path is not None:
            old = self.path.read_bytes() if self.path.exists() else b""
            with self.path.open("ab") as file:
                begins = b"" if old.endswith(b"\n") or not old else b"\n"
                file.write(begins + json.dumps(row).encode() + b"\n")
        return row

    def forget(self, tools: list[str]) -> None:
        """Have these programs run again."""
        self.rows = {key: row for key, row in self.rows.items() if key[1] not in tools}


def digest(pair: Pair) -> str:
    """Return what tells pictures and landmarks of a pair from others."""
    arrays = (pair.fixed, pair.moving, pair.fixed_points.round(3), pair.moving_points.round(3))
    return hashlib.sha256(b"".join(np.ascontiguousarray(one).tobytes() for one in arrays)).hexdigest()[:16]


def said(row: dict) -> str:
    """Say what came out in a cell of the table; what is right is set in bold."""
    if "error_px" not in row:
        return f"failed: {row['failed']}"
    error = row["error_px"]
    shown = f"{error:.2f}" if error < 10 else f"{error:.0f}"
    return f"**{shown}**" if error <= RIGHT_SHARE * row["diagonal_px"] else shown


def tables(results: Results) -> str:
    """Return the tables as Markdown: errors, processor seconds, versions and settings."""
    rows = results.rows
    tools = [tool for tool in SETTINGS if any(key[1] == tool for key in rows)]
    pairs = {row["pair"]: row["is_made"] for row in sorted(rows.values(), key=lambda row: row["number"])}
    head = f"| pair | {' | '.join(f'`{tool}`' for tool in tools)} |\n| --- |{' ---: |' * len(tools)}"
    lines, failures = [_when_and_where(rows)], []
    for is_made, title in ((True, "Pairs that `benchmarks/peers.py` makes"), (False, "Real pairs")):
        chosen = [name for name in pairs if pairs[name] == is_made]
        if chosen:
            lines += ["", f"{title}; median error in pixels of the fixed picture:", "", head]
        for name in chosen:
            cells = [_cell(rows.get((name, tool))) for tool in tools]
            failures += [
                f"- `{tool}`, {name}: {rows[name, tool]['failed']}"
                for tool in tools
                if "failed" in rows.get((name, tool), {})
            ]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    of = {tool: [row for key, row in rows.items() if key[1] == tool] for tool in tools}
    right = (f"{sum(said(row).startswith('**') for row in of[tool])} of {len(of[tool])}" for tool in tools)
    spent = ([row["cpu_s"] for row in of[tool] if row.get("cpu_s")] for tool in tools)
    seconds = (f"{np.median(one):.2g}" if one else "" for one in spent)
    lines += ["", "All pairs together:", "", head.replace("| pair |", "| |", 1)]
    lines += [f"| right (within 2 % of the diagonal) | {' | '.join(right)} |"]
    lines += [
        f"| processor seconds of a run, median, with the start of the program | {' | '.join(seconds)} |",
        "",
    ]
    lines += [f"- `{tool}` is {_versions(of[tool])}: {of[tool][-1]['settings']}." for tool in tools]
    if failures:
        lines += ["", "What is said where nothing came out:", "", *failures]
    return "\n".join(lines) + "\n"


def _cell(row: dict | None) -> str:
    if row is None:
        return "not run"
    if "failed" in row:
        return "refused" if row["failed"].endswith("refused") else "failed"
    return said(row)


def _when_and_where(rows: dict) -> str:
    days = sorted({row["date"] for row in rows.values()})
    when = f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"
    pythons = sorted({row["python"] for row in rows.values()})
    machines = sorted({row["machine"] for row in rows.values()})
    return f"Measured {when}, Python {', '.join(pythons)}, {', '.join(machines)}."


def _versions(rows: list[dict]) -> str:
    return ", ".join(sorted({row["version"] for row in rows}))
