"""A trial: what a model does to pairs that it was not trained on, under displacements that are known."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from napari_histreg.learning.deformations import jacobian, shown
from napari_histreg.learning.model_folder import Model
from napari_histreg.learning.recipe import Recipe
from napari_histreg.learning.tiles import Tile, draw_tile
from napari_histreg.learning.training_set import Plane, TrainingSet

__all__ = ["TRIAL_SEED", "TrialRow", "summary", "trial_tiles", "try_model"]

TRIAL_SEED = 2
TILES = 8  # of each pair
LEAST_WEIGHT = 0.3


@dataclass(frozen=True)
class TrialRow:
    """What a model did to one tile.

    Parameters
    ----------
    name : str
        Of the pair.
    before_px, after_px : float
        Median distance from the truth where there is tissue, without and with the model.
    ncc_before, ncc_after : float
        Correlation of both planes.
    ssim_before, ssim_after : float
        Structural similarity of both planes.
    folded : float
        Share of places whose Jacobian determinant is not positive.
    seconds : float
        Of processor time.
    """

    name: str
    before_px: float
    after_px: float
    ncc_before: float
    ncc_after: float
    ssim_before: float
    ssim_after: float
    folded: float
    seconds: float


def trial_tiles(
    examples: TrainingSet, numbers: Sequence[int], recipe: Recipe, rng: np.random.Generator
) -> list[Tile]:
    """Draw tiles of pairs, both planes from their own slides."""
    return [
        draw_tile(examples, k, recipe.side, recipe.largest_px, 0.0, rng)
        for k in numbers
        for _ in range(TILES)
    ]


def try_model(model: Model, examples: TrainingSet, numbers: Sequence[int], seed: int = 0) -> list[TrialRow]:
    """Apply a model to tiles of some pairs, which are the same whatever the model.

    Parameters
    ----------
    model : Model
    examples : TrainingSet
    numbers : sequence of int
        Pairs that it was not trained on.
    seed : int
        Of the tiles.
    """
    recipe = model.description.recipe
    tiles = trial_tiles(examples, numbers, recipe, np.random.default_rng([seed, TRIAL_SEED]))
    names = [examples[k].name for k in numbers for _ in range(TILES)]
    return [_row(model, name, tile) for name, tile in zip(names, tiles, strict=True)]


def _row(model: Model, name: str, tile: Tile) -> TrialRow:
    began = time.process_time()
    field = model.displacement(tile.fixed, tile.moving)
    seconds = time.process_time() - began
    after = shown(tile.moving, field)
    tissue = tile.weight > LEAST_WEIGHT
    tissue = tissue if tissue.any() else np.ones_like(tissue)
    return TrialRow(
        name,
        float(np.median(np.linalg.norm(tile.field, axis=-1)[tissue])),
        float(np.median(np.linalg.norm(field - tile.field, axis=-1)[tissue])),
        _ncc(tile.fixed, tile.moving),
        _ncc(tile.fixed, after),
        _ssim(tile.fixed, tile.moving),
        _ssim(tile.fixed, after),
        float((jacobian(field) <= 0).mean()),
        seconds,
    )


def summary(rows: Sequence[TrialRow]) -> dict[str, float]:
    """Return medians of a trial, and the mean share of folds, by names for people."""
    middle = {
        title: float(np.median([getattr(row, name) for row in rows]))
        for name, title in (
            ("before_px", "error before, px"),
            ("after_px", "error after, px"),
            ("ncc_before", "NCC before"),
            ("ncc_after", "NCC after"),
            ("ssim_before", "SSIM before"),
            ("ssim_after", "SSIM after"),
            ("seconds", "seconds"),
        )
    }
    return middle | {
        "folded, %": 100 * float(np.mean([row.folded for row in rows])),
        "tiles": float(len(rows)),
    }


def _ncc(first: Plane, second: Plane) -> float:
    a, b = (p - p.mean() for p in (first, second))
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-12))


def _ssim(first: Plane, second: Plane) -> float:
    from skimage.metrics import structural_similarity

    span = float(max(first.max(), second.max()) - min(first.min(), second.min()))
    a, b = (cv2.GaussianBlur(p, (0, 0), 0.5) for p in (first, second))
    return float(structural_similarity(a, b, data_range=max(span, 1e-6)))
