"""Long figures of cohorts: a night with poisoned cases, throughput of two processes, overhead of a thousand.

    python benchmarks/cohort.py night FOLDER      # FOLDER of development images: 24 pairs and 6 poisoned ones
    python benchmarks/cohort.py throughput [--rows 24] [--size 600] [--cluster]
    python benchmarks/cohort.py overhead [--rows 1000]

Throughput needs a machine that does nothing else; it says the load at its start. Overhead is the time of
a case that is not the worker's own work on it.
"""

import argparse
import contextlib
import csv
import os
import signal
import statistics
import tempfile
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import psutil
from PIL import Image

from napari_histreg import phantom_pair, write_slide
from napari_histreg.cohorts import CohortResult, RunSettings, read_cases, run_cohort
from napari_histreg.cohorts.events import Event, in_words
from napari_histreg.records.document import read_registration

LIMIT_PX = 5.0
MEMORY_BYTES = 0.6e9


def write_table(folder: Path, rows: list[dict[str, str]]) -> Path:
    names = dict.fromkeys(name for row in rows for name in row)
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(names))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "cases.csv"


def phantoms(folder: Path, count: int, size: int, **columns: str) -> Path:
    rows = []
    for k in range(count):
        pair = phantom_pair(size, angle_deg=15.0 * k, seed=k)
        for side, slide in (("fixed", pair.fixed), ("moving", pair.moving)):
            write_slide(slide, folder / f"{side}{k}.ome.tif")
        rows.append(
            {"case": f"P{k}", "fixed": f"fixed{k}.ome.tif", "moving": f"moving{k}.ome.tif", **columns}
        )
    return write_table(folder, rows)


def turned(picture: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Turn, scale and shift a picture; returns it and the (2, 3) matrix from its pixels (x, y)."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-180, 180), rng.uniform(0.8, 1.2))
    matrix[:, 2] += rng.uniform(-20, 20, 2)
    edge = [int(value) for value in np.median(picture[:8].reshape(-1, *picture.shape[2:]), axis=0).ravel()]
    return cv2.warpAffine(picture, matrix, (width, height), borderValue=edge, flags=cv2.INTER_CUBIC), matrix


def night(data: Path) -> None:
    rng = np.random.default_rng(0)
    stained = data / "restained"
    # The grids of the two brightfield stains lie 6.5 px apart (the same DAPI is there on both), so only what
    # shares a grid has its truth by construction.
    kinds = [("ihc", "dapi"), ("hematoxylin", "dapi_on_hematoxylin")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, truth = [], {}
        for k in range(24):
            fixed, moving = kinds[k % 2]
            picture, truth[f"K{k}"] = turned(np.asarray(Image.open(stained / f"Lung1_{moving}.png")), rng)
            Image.fromarray(picture).save(folder / f"K{k}.png")
            rows.append(
                {"case": f"K{k}", "fixed": str(stained / f"Lung1_{fixed}.png"), "moving": f"K{k}.png"}
            )
        rows[3:3] = poisoned(data, folder, rows[0])
        table = write_table(folder, rows)

        def watch(event: Event) -> None:
            print(f"  {in_words(event)[:150]}", flush=True)
            if event.kind == "begun" and event.case == "killed":
                with contextlib.suppress(ProcessLookupError):
                    os.kill(event.pid, signal.SIGKILL)

        settings = RunSettings(workers=2, memory_bytes=MEMORY_BYTES)
        result = run_cohort(read_cases(table), folder / "results", settings, listeners=[watch])
        judge(result, truth)
        again = run_cohort(read_cases(table), folder / "results", settings)
        print(f"run again: {again.ran} cases run")


def poisoned(data: Path, folder: Path, sound: dict[str, str]) -> list[dict[str, str]]:
    whole = Path(sound["fixed"]).read_bytes()
    (folder / "truncated.png").write_bytes(whole[: len(whole) // 3])
    Image.fromarray(np.zeros((9500, 9500, 3), np.uint8)).save(folder / "huge.png", compress_level=1)
    return [
        {**sound, "case": "missing", "moving": "nothing.png"},
        {**sound, "case": "truncated", "moving": "truncated.png"},
        {**sound, "case": "foreign", "moving": str(data / "serial" / "lesion1_HE.jpg")},
        {**sound, "case": "wrong_size", "fixed_pixel_size": "0.25", "moving_pixel_size": "4"},
        {**sound, "case": "killed"},
        {**sound, "case": "eater", "moving": "huge.png"},
    ]


def judge(result: CohortResult, truth: dict[str, np.ndarray]) -> None:
    right = 0
    line = np.linspace(100, 400, 7)
    points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    for note in result.notes:
        if note.name not in truth:
            print(f"{note.name:10s} {note.state:9s} {note.peak_memory_mb:6.0f} MB  {note.reason[:400]}")
            continue
        record = read_registration(result.folder / note.name)
        error = np.inf
        if record.has_transform:
            there = points @ truth[note.name][:, :2].T + truth[note.name][:, 2]
            error = float(
                np.median(np.linalg.norm(record.fixed_to_moving(points[:, ::-1])[:, ::-1] - there, axis=1))
            )
        good = error < LIMIT_PX and note.state in ("accepted", "doubtful")
        right += good
        if not good:
            print(f"{note.name:10s} {note.state:9s} median error {error:.2f} px  {note.reason[:90]}")
    print(
        f"{right} of {len(truth)} right; {result.count('failed')} failed, {result.count('refused')} refused"
    )


def throughput(rows: int, size: int, *, cluster: bool) -> None:
    print(f"load at the start: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = phantoms(folder, rows, size)
        took = {}
        for workers in (1, 2):
            took[workers] = timed(table, folder / f"by{workers}", RunSettings(workers=workers))
            print(f"{workers} workers: {took[workers]:.1f} s for {rows} cases", flush=True)
        print(f"two processes: {took[1] / took[2]:.2f} times the throughput of one")
        if cluster:
            from distributed import LocalCluster

            with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as dask:
                there = timed(table, folder / "dask", RunSettings(scheduler=dask.scheduler_address))
            print(f"LocalCluster of two: {there:.1f} s, {took[1] / there:.2f} times")
        others = ["by2", "dask"] if cluster else ["by2"]
        for other in others:
            same = sum(
                (folder / "by1" / f"P{k}" / file).read_bytes()
                == (folder / other / f"P{k}" / file).read_bytes()
                for k in range(rows)
                for file in ("matrix.csv", "overlay.png")
                if (folder / "by1" / f"P{k}" / file).exists()
            )
            print(f"{other}: {same} files equal those of one worker to the last byte")


def timed(table: Path, results: Path, settings: RunSettings) -> float:
    """Return the seconds from the first case begun to the last one done."""
    begun: list[float] = []

    def watch(event: Event) -> None:
        if event.kind == "begun" and not begun:
            begun.append(perf_counter())

    run_cohort(read_cases(table), results, settings, listeners=[watch])
    return perf_counter() - begun[0]


def overhead(rows: int) -> None:
    print(f"load at the start: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # By hand, since it is the quickest way to align: what is left is the overhead.
        table = phantoms(folder, 8, 200, landmarks="pairs.csv")
        corners = ((20.0, 20.0), (20.0, 170.0), (170.0, 20.0), (160.0, 150.0))
        (folder / "pairs.csv").write_text(
            "name,enabled,fixed_x_px,fixed_y_px,moving_x_px,moving_y_px\n"
            + "".join(f"{k},true,{x},{y},{x + 3},{y - 2}\n" for k, (x, y) in enumerate(corners))
        )
        header, *lines = table.read_text().splitlines()
        many = [f"C{k}," + lines[k % len(lines)].split(",", 1)[1] for k in range(rows)]
        table.write_text("\n".join([header, *many]) + "\n")
        memory: list[float] = []
        own: list[float] = []
        times: list[float] = []
        process = psutil.Process()

        def watch(event: Event) -> None:
            if event.kind == "done":
                own.append(event.seconds)
                times.append(perf_counter())
                memory.append(process.memory_info().rss / 2**20)

        cases = read_cases(table)
        cpu = process.cpu_times()
        result = run_cohort(
            cases, folder / "results", RunSettings(workers=1, report=False), listeners=[watch]
        )
        spent = process.cpu_times()
        between = [b - a - s for a, b, s in zip(times, times[1:], own[1:], strict=False)]
        start = perf_counter()
        again = run_cohort(cases, folder / "results", RunSettings(workers=1, report=False))
        cpu_ms = 1000 * (spent.user + spent.system - cpu.user - cpu.system) / rows
        middle, mean = (1000 * of(between) for of in (statistics.median, statistics.fmean))
        print(f"{rows} cases: overhead {middle:.1f} ms a case (median), {mean:.1f} ms (mean)")
        print(f"work {statistics.fmean(own):.3f} s a case; parent {cpu_ms:.1f} ms of CPU a case")
        print(
            f"parent's memory: {memory[0]:.0f} MB, half-way {memory[len(memory) // 2]:.0f}, {memory[-1]:.0f}"
        )
        print(f"again: {again.ran} run, decided and written in {perf_counter() - start:.1f} s")
        print(f"page {(result.folder / 'cohort.html').stat().st_size / 1e6:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("night").add_argument("folder", type=Path)
    fast = verbs.add_parser("throughput")
    fast.add_argument("--rows", type=int, default=24)
    fast.add_argument("--size", type=int, default=600)
    fast.add_argument("--cluster", action="store_true")
    verbs.add_parser("overhead").add_argument("--rows", type=int, default=1000)
    chosen = parser.parse_args()
    if chosen.verb == "night":
        night(chosen.folder)
    elif chosen.verb == "throughput":
        throughput(chosen.rows, chosen.size, cluster=chosen.cluster)
    else:
        overhead(chosen.rows)


if __name__ == "__main__":
    main()
