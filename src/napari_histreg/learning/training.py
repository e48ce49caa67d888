"""Training: epoch by epoch, with checkpoints from which it goes on to the same result."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile
from napari_histreg.learning import losses
from napari_histreg.learning.networks import check_weights, displacement, drawn_weights
from napari_histreg.learning.recipe import Recipe
from napari_histreg.learning.splits import Split
from napari_histreg.learning.tensors import read_tensors, write_tensors
from napari_histreg.learning.tiles import Tile, draw_tile
from napari_histreg.learning.torch_layers import TorchLayers, torch
from napari_histreg.learning.training_set import TrainingSet
from napari_histreg.learning.trial import TRIAL_SEED, trial_tiles
from napari_histreg.progress import Progress, silent

__all__ = ["CHECKPOINT", "COLUMNS", "Course", "train_network"]

CHECKPOINT = "checkpoint.safetensors"
COLUMNS = ("epoch", "training_loss", "validation_loss", "validation_error_px")
CLIP = 5.0
LAST_RATE = 0.05
Arrays = dict[str, NDArray[Any]]


@dataclass
class Course:
    """How far a training has come.

    Parameters
    ----------
    weights, best : dict of str to ndarray
        Now, and where the validation loss was least.
    moments : dict of str to ndarray
        Of Adam: ``first/NAME``, ``second/NAME``.
    steps : int
        Taken so far.
    history : list of tuple of float
        A row of `COLUMNS` for each epoch.
    """

    weights: Arrays
    best: Arrays
    moments: Arrays = field(default_factory=dict)
    steps: int = 0
    history: list[tuple[float, ...]] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """Epoch with the least validation loss; -1 before the first."""
        return int(np.argmin([row[2] for row in self.history])) if self.history else -1

    def write(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        arrays = {f"now/{k}": v for k, v in self.weights.items()} | {
            f"best/{k}": v for k, v in self.best.items()
        }
        arrays |= self.moments
        arrays["steps"] = np.array([self.steps], np.int64)
        arrays["history"] = np.array(self.history, np.float64).reshape(-1, len(COLUMNS))
        write_tensors(path, arrays)

    @classmethod
    def begun(cls, recipe: Recipe, path: Path) -> "Course":
        """Go on from a checkpoint, or begin.

        Raises
        ------
        DamagedFile
            The checkpoint is of another network or damaged.
        """
        drawn = drawn_weights(recipe.architecture, recipe.seed)
        if not path.exists():
            return cls(drawn, dict(drawn))
        found = read_tensors(path)
        now, best = _part(found, "now/"), _part(found, "best/")
        for weights in (now, best):
            check_weights(recipe.architecture, weights, str(path))
        moments = {k: v for k, v in found.items() if k.startswith(("first/", "second/"))}
        history = found.get("history", np.zeros(0))
        if "steps" not in found or history.shape[1:] != (len(COLUMNS),):
            raise DamagedFile(f"{path} holds no checkpoint of a training. Remove it to begin again.")
        rows = [tuple(float(v) for v in row) for row in history]
        return cls(now, best, moments, int(found["steps"][0]), rows)


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Arrays:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def train_network(
    examples: TrainingSet, split: Split, recipe: Recipe, folder: Path, *, progress: Progress = silent
) -> Course:
    """Train a network; goes on from a checkpoint in the folder.

    Each epoch draws its tiles from its own seed: a run that was stopped goes on as if it had not been.

    Parameters
    ----------
    examples : TrainingSet
    split : Split
        Which pairs are trained on, and which decide when to stop.
    recipe : Recipe
    folder : path
        Takes the checkpoint.
    progress : Progress, optional
        Told after each epoch; may raise `Cancelled`, which leaves the last checkpoint.

    Returns
    -------
    Course

    Raises
    ------
    MissingDependency
        PyTorch is not installed.
    DamagedFile
        The checkpoint is of another network or damaged.
    """
    engine = _Engine(recipe, Course.begun(recipe, folder / CHECKPOINT))
    course = engine.course
    rng = np.random.default_rng([recipe.seed, TRIAL_SEED])
    shown = trial_tiles(examples, split.validation, recipe, rng)
    began = time.monotonic()
    while len(course.history) < recipe.epochs:
        epoch = len(course.history)
        if epoch - course.best_epoch > recipe.patience and course.history:
            break
        if recipe.minutes is not None and time.monotonic() - began > 60 * recipe.minutes and course.history:
            break
        engine.rate(epoch)
        trained = engine.epoch(examples, split, np.random.default_rng([recipe.seed, 1, epoch]))
        loss, error = engine.validated(shown)
        course.history.append((float(epoch), trained, loss, error))
        course.weights, course.moments = engine.arrays()
        if course.best_epoch == epoch:
            course.best = course.weights
        course.write(folder / CHECKPOINT)
        progress(
            len(course.history) / recipe.epochs, f"epoch {epoch + 1}: loss {loss:.4f}, {error:.2f} px off"
        )
    return course


class _Engine:
    """The network as tensors, with Adam."""

    def __init__(self, recipe: Recipe, course: Course) -> None:
        self.recipe, self.course = recipe, course
        self._torch = torch()
        self._torch.set_num_threads(recipe.threads)
        self._device = self._torch.device(recipe.device)
        made = {k: self._torch.tensor(v, device=self._device) for k, v in course.weights.items()}
        self._weights = {k: tensor.requires_grad_() for k, tensor in made.items()}
        self._layers = TorchLayers(self._weights)
        self._adam = self._torch.optim.Adam(self._weights.values(), lr=recipe.rate)
        if course.moments:
            for name, tensor in self._weights.items():
                self._adam.state[tensor] = {
                    "step": self._torch.tensor(float(course.steps)),
                    "exp_avg": self._torch.tensor(course.moments[f"first/{name}"], device=self._device),
                    "exp_avg_sq": self._torch.tensor(course.moments[f"second/{name}"], device=self._device),
                }

    def rate(self, epoch: int) -> None:
        """Let the rate die away like a cosine."""
        fall = 0.5 + 0.5 * np.cos(np.pi * epoch / self.recipe.epochs)
        for group in self._adam.param_groups:
            group["lr"] = self.recipe.rate * (LAST_RATE + (1 - LAST_RATE) * fall)

    def epoch(self, examples: TrainingSet, split: Split, rng: np.random.Generator) -> float:
        """Go once through the pairs in random order; returns the mean loss."""
        recipe = self.recipe
        order = rng.permutation(np.repeat(split.training, recipe.tiles_per_pair))
        values = []
        for first in range(0, len(order), recipe.batch):
            tiles = [
                draw_tile(examples, int(k), recipe.side, recipe.largest_px, recipe.own, rng)
                for k in order[first : first + recipe.batch]
            ]
            with self._mixed():
                loss = self._loss(tiles)[0]
            self._adam.zero_grad()
            loss.backward()
            self._torch.nn.utils.clip_grad_norm_(self._weights.values(), CLIP)
            self._adam.step()
            self.course.steps += 1
            values.append(float(loss.detach()))
        return float(np.mean(values))

    def validated(self, tiles: list[Tile]) -> tuple[float, float]:
        """Return mean loss and median error in pixels on tiles that are not trained on."""
        values, errors = [], []
        with self._torch.no_grad():
            for first in range(0, len(tiles), self.recipe.batch):
                some = tiles[first : first + self.recipe.batch]
                loss, found = self._loss(some)
                values += [float(loss)] * len(some)
                off = found.cpu().numpy() - np.stack([np.moveaxis(t.field, -1, 0) for t in some])
                errors += [float(np.median(np.linalg.norm(one, axis=0))) for one in off]
        return float(np.mean(values)), float(np.median(errors))

    def arrays(self) -> tuple[Arrays, Arrays]:
        """Return weights and Adam's moments as arrays of their own."""
        weights = {k: t.detach().cpu().numpy().copy() for k, t in self._weights.items()}
        moments = {}
        for name, tensor in self._weights.items():
            for ours, theirs in (("first", "exp_avg"), ("second", "exp_avg_sq")):
                moments[f"{ours}/{name}"] = self._adam.state[tensor][theirs].cpu().numpy().copy()
        return weights, moments

    def _loss(self, tiles: list[Tile]) -> tuple[Any, Any]:
        recipe, layers = self.recipe, self._layers
        fixed, moving = (
            self._torch.tensor(np.stack([getattr(t, side) for t in tiles])[:, None], device=self._device)
            for side in ("fixed", "moving")
        )
        found = displacement(recipe.architecture, layers, fixed, moving)
        likeness = losses.SIMILARITIES[recipe.similarity]
        total = likeness(fixed, layers.warped(moving, found), recipe.window_px)
        rough = losses.bending if recipe.smoothness == "bending" else losses.roughness
        total = total + recipe.roughness * rough(found) + recipe.fold * losses.folds(found)
        if recipe.inverse > 0:
            back = displacement(recipe.architecture, layers, moving, fixed)
            total = total + recipe.inverse * losses.inverse_consistency(layers, found, back)
        return total, found

    def _mixed(self) -> Any:
        """Compute in half precision where a GPU gains by it."""
        on = self._device.type == "cuda"
        return self._torch.autocast(self._device.type, dtype=self._torch.bfloat16, enabled=on)
