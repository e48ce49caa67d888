"""train: from a table of pairs to a model folder, with the figures of what was held back."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from napari_histreg.errors import NotEnoughMatches
from napari_histreg.files import read_json, written_whole
from napari_histreg.learning.curves import curves
from napari_histreg.learning.model_folder import Description, Model, Scope, write_model
from napari_histreg.learning.recipe import Recipe
from napari_histreg.learning.splits import Split, fold_splits, split_by_specimen
from napari_histreg.learning.torch_layers import torch
from napari_histreg.learning.training import CHECKPOINT, COLUMNS, Course, train_network
from napari_histreg.learning.training_set import TrainingSet, prepare_pairs, read_pairs
from napari_histreg.learning.trial import summary, try_model
from napari_histreg.progress import Progress, portion, silent

__all__ = ["CURVES", "FOLDS", "train"]

CURVES, PICTURE, FOLDS, RECIPE = "training.csv", "training.png", "folds.csv", "recipe.json"
LEAST_PAIRS = 2


def train(
    pairs: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    recipe: Recipe | None = None,
    *,
    folds: int = 0,
    progress: Progress = silent,
) -> Model:
    """Train a model on the pairs of a table; a run that was stopped goes on where it was.

    Parameters
    ----------
    pairs : path-like
        See `read_pairs`.
    folder : path-like
        Takes the model, its curves, and what is needed to go on.
    recipe : Recipe, optional
    folds : int
        Also train so many models, each tested on specimens that it has not seen; 0 for none.
    progress : Progress, optional
        Told after each epoch; may raise `Cancelled`.

    Returns
    -------
    Model

    Raises
    ------
    DamagedFile
        The table cannot be read.
    RegistrationError
        Too few pairs could be aligned.
    ValueError
        There are too few specimens, or what is in the folder was trained otherwise.
    MissingDependency
        PyTorch is not installed.
    """
    torch()
    recipe = recipe or Recipe()
    folder = Path(folder)
    rows = read_pairs(pairs)
    folder.mkdir(parents=True, exist_ok=True)
    _same_recipe(folder, recipe)
    prepared = portion(progress, 0.0, 0.1)
    examples = prepare_pairs(rows, folder / "prepared", recipe.max_side_px, progress=prepared)
    if len(examples) < LEAST_PAIRS:
        said = " ".join(f"{name}: {why}" for name, why in examples.skipped.items())
        raise NotEnoughMatches(
            f"{len(examples)} of {len(rows)} pairs could be aligned; two are needed. {said}"
        )
    runs = [split_by_specimen(examples.specimens, recipe.held_back, recipe.seed)]
    if folds:
        runs += fold_splits(examples.specimens, folds, recipe.held_back, recipe.seed)
    tables, models = [], []
    for k, split in enumerate(runs):
        where = folder if k == 0 else folder / f"fold-{k}"
        where.mkdir(exist_ok=True)
        part = portion(progress, 0.1 + 0.9 * k / len(runs), 0.1 + 0.9 * (k + 1) / len(runs))
        model, figures = _one(examples, split, recipe, where, part)
        models.append(model)
        tables.append({"fold": float(k)} | figures)
    if folds:
        _write_table(folder / FOLDS, list(tables[1]), [list(row.values()) for row in tables[1:]])
    return models[0]


def _one(
    examples: TrainingSet, split: Split, recipe: Recipe, folder: Path, progress: Progress
) -> tuple[Model, dict[str, float]]:
    """Train on one split, try it on what was held back, and write it down."""
    course = train_network(examples, split, recipe, folder, progress=progress)
    unseen = split.test or split.validation
    model = _model(examples, split, recipe, course, folder.name, {})
    figures = summary(try_model(model, examples, unseen, recipe.seed))
    model = _model(examples, split, recipe, course, folder.name, figures)
    _write_table(folder / CURVES, COLUMNS, course.history)
    with written_whole(folder / PICTURE) as temporary:
        curves(course.history).savefig(temporary, format="png")
    write_model(model, folder)
    return model, figures


def _model(
    examples: TrainingSet, split: Split, recipe: Recipe, course: Course, name: str, figures: dict[str, float]
) -> Model:
    trained = [examples[k] for k in split.training]
    spacings = [row.spacing_um for row in trained if row.spacing_um is not None]
    scope = Scope(
        lights=tuple(sorted({row.lights for row in trained})),
        spacing_um=(min(spacings), max(spacings)) if len(spacings) == len(trained) else None,
    )
    seen = tuple((row.name, *row.digests) for row in trained)
    return Model(
        Description(recipe=recipe, scope=scope, training_set=seen, figures=figures), course.best, name
    )


def _same_recipe(folder: Path, recipe: Recipe) -> None:
    """Write the recipe down; refuse a checkpoint that another one made."""
    path = folder / RECIPE
    # How long it may take, and where, does not change what comes out.
    free = {"minutes", "device", "threads"}
    if (folder / CHECKPOINT).exists() and path.exists():
        there = read_json(path, "the recipe of a training")
        wanted = recipe.model_dump(mode="json")
        other = [key for key, value in wanted.items() if key not in free and there.get(key) != value]
        if other:
            raise ValueError(
                f"{folder} holds a training with {other[0]} = {there.get(other[0])!r}, and now it is "
                f"{wanted[other[0]]!r}. Choose another folder, or the same values to go on."
            )
    with written_whole(path) as temporary:
        temporary.write_text(recipe.model_dump_json(indent=1), encoding="utf-8")


def _write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[float]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([[f"{value:.6g}" for value in row] for row in rows])
    with written_whole(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")
