"""``histreg evaluate``: how far landmarks are off."""

import json
from pathlib import Path
from typing import Annotated

import typer

from napari_histreg.cli.options import AsJson

__all__ = ["evaluate"]


def evaluate(
    registration: Annotated[
        Path,
        typer.Argument(
            metavar="REGISTRATION.json|FOLDER",
            help="Made by histreg register; or a folder with the results of many pairs.",
        ),
    ],
    landmarks: Annotated[
        Path | None,
        typer.Argument(
            metavar="LANDMARKS",
            help="Pairs that show the same places. For many pairs: a folder of landmark files called like "
            "the pairs or like the slides, an ANHIR cover table, or an ACROBAT table.",
        ),
    ] = None,
    moving_landmarks: Annotated[
        Path | None,
        typer.Option("--moving-landmarks", help="The moving side, where each side has its own file."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="CSV", help="Write a table with a row for each pair."),
    ] = None,
    labels: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            "--labels",
            metavar="FIXED MOVING",
            help="Masks of both slides, such as vessels, instead: their overlap before and after.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the target error (TRE) of a registration, or of a folder of them, on landmarks."""
    if labels is not None:
        _evaluate_labels(registration, labels, as_json)
        return
    if landmarks is None:
        raise typer.BadParameter("Give LANDMARKS, or --labels FIXED MOVING.", param_hint="LANDMARKS")
    if output is not None:
        from napari_histreg.files import check_outputs

        record = registration / "registration.json" if registration.is_dir() else registration
        check_outputs(output, inputs=(record, record.with_name("landmarks.csv"), landmarks, moving_landmarks))
    if registration.is_dir() and not (registration / "registration.json").is_file():
        _evaluate_many(registration, landmarks, moving_landmarks, output, as_json)
    else:
        _evaluate_one(registration, landmarks, moving_landmarks, output, as_json)


def _evaluate_labels(registration: Path, labels: tuple[Path, Path], as_json: bool) -> None:
    from napari_histreg.registration.folder import read_folder
    from napari_histreg.registration.label_evaluation import evaluate_labels
    from napari_histreg.slides import open_slide

    record = read_folder(registration)
    with open_slide(labels[0]) as fixed, open_slide(labels[1]) as moving:
        found = evaluate_labels(record, fixed, moving)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1))
        return
    if record.verdict == "refused":
        typer.echo("This registration was refused; what follows is the overlap of its best guess.", err=True)
    typer.echo(f"Dice overlap of the labels: {found.dice_before:.3f} before, {found.dice_after:.3f} after.")


def _evaluate_one(
    registration: Path, landmarks: Path, moving_landmarks: Path | None, output: Path | None, as_json: bool
) -> None:
    from napari_histreg.landmarks import read_landmarks
    from napari_histreg.quality.target_error import target_error
    from napari_histreg.registration.evaluation import Score, write_scores
    from napari_histreg.registration.folder import read_folder

    record = read_folder(registration)
    pairs = read_landmarks(
        landmarks,
        moving_path=moving_landmarks,
        fixed_pixel_size=record.fixed.world_pixel_size,
        moving_pixel_size=record.moving.world_pixel_size,
    )
    found = target_error(
        pairs, record.fixed_to_moving, shape=record.fixed.shape, pixel_size_um=record.fixed.pixel_size_um
    )
    if record.landmarks is not None and record.landmarks.holds(pairs):
        typer.echo(
            "The alignment was made from these landmarks: what follows says how well it fits them, not how "
            "far it is off elsewhere.",
            err=True,
        )
    if output is not None:
        name = f"{record.moving.name} to {record.fixed.name}"
        write_scores([Score(name, record.verdict, record.confidence, found)], output)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1))
        return
    if record.verdict == "refused":
        typer.echo("This registration was refused; what follows is the error of its best guess.", err=True)
    typer.echo(found.table())


def _evaluate_many(
    folder: Path, landmarks: Path, moving_landmarks: Path | None, output: Path | None, as_json: bool
) -> None:
    from napari_histreg.cli.progress_bar import progress_bar
    from napari_histreg.landmarks.cohort import open_landmark_source
    from napari_histreg.registration.evaluation import evaluate_folder, write_scores

    source = open_landmark_source(landmarks, moving_path=moving_landmarks)
    with progress_bar("Evaluating") as progress:
        found = evaluate_folder(folder, source, progress=progress)
    if output is not None:
        write_scores(found.scores, output)
    values = found.to_dict()
    if as_json:
        typer.echo(json.dumps(values, indent=1))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for heading in ("pair", "verdict", "pairs"):
        table.add_column(heading, overflow="fold")
    for heading in ("median px", "median µm", "median %", "max %", "closer %"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in values["pairs"]:
        shares = (row["median_rtre"], row["max_rtre"], row["robustness"])
        table.add_row(
            escape(row["name"]),
            row["verdict"] or "unreadable",
            str(row["landmarks"] or "–"),
            _shown(row["median_px"]),
            _shown(row["median_um"]),
            *(_shown(None if share is None else 100 * share) for share in shares),
        )
    Console().print(table)
    for row in values["pairs"]:
        if row["problem"]:
            typer.echo(f"{row['name']}: {row['problem']}", err=True)
    verdicts = ", ".join(f"{count} {word}" for word, count in values["verdicts"].items())
    typer.echo(f"\n{len(values['pairs'])} pairs: {verdicts}.")
    if values["summary"] is None:
        return
    summary = {name: 100 * (value or 0.0) for name, value in values["summary"].items()}
    typer.echo(
        f"Over the {len(found.usable)} accepted or doubtful ones with landmarks, in % of the diagonal: mean "
        f"of the medians {summary['average_median_rtre']:.3f}, median of the medians "
        f"{summary['median_median_rtre']:.3f}, mean of the largest {summary['average_max_rtre']:.3f}; "
        f"{summary['average_robustness']:.0f} % of the landmarks came closer."
    )


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
