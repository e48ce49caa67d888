"""A trained model as a folder of ours: weights, what they are for, and how good they proved."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_histreg.errors import DamagedFile, RegistrationError
from napari_histreg.files import read_json, written_whole
from napari_histreg.learning.layers import ArrayLayers
from napari_histreg.learning.networks import MULTIPLE, Architecture, check_weights, displacement
from napari_histreg.learning.recipe import Recipe
from napari_histreg.learning.tensors import read_tensors, write_tensors

__all__ = ["CARD", "DESCRIPTION", "WEIGHTS", "Description", "Model", "Scope", "read_model", "write_model"]

WEIGHTS, DESCRIPTION, CARD = "weights.safetensors", "model.json", "card.md"
FORMAT = "napari-histreg model"
VERSION = 1
SPACING_PLAY = 1.5
"""Pixels this many times larger or smaller than any in training are another magnification."""

Plane = NDArray[np.float32]


class Scope(BaseModel):
    """What a model was trained for.

    Parameters
    ----------
    lights : tuple of (str, str)
        How fixed and moving slides were taken.
    spacing_um : (float, float) or None
        Smallest and largest spacing of the planes; None where pixel sizes were not known.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    lights: tuple[tuple[str, str], ...] = Field(max_length=16)
    spacing_um: tuple[float, float] | None = None

    def check(self, lights: tuple[str, str], spacing_um: float | None, name: str) -> None:
        """Refuse what the model has not learned.

        Raises
        ------
        RegistrationError
            The slides are of other stains or pixel sizes.
        """
        if lights not in self.lights:
            known = "; ".join(" with ".join(pair) for pair in self.lights)
            raise RegistrationError(
                f"The model {name} was trained on {known}, and these slides are {' with '.join(lights)}. "
                "Train one on such pairs."
            )
        if self.spacing_um is None or spacing_um is None:
            return
        low, high = self.spacing_um
        if not low / SPACING_PLAY <= spacing_um <= high * SPACING_PLAY:
            raise RegistrationError(
                f"The model {name} was trained at {low:.3g} to {high:.3g} µm per pixel, and these slides are "
                f"seen at {spacing_um:.3g} µm. Train one on such slides, or crop them to a field like theirs."
            )


class Description(BaseModel):
    """What stands beside the weights.

    Parameters
    ----------
    recipe : Recipe
        Of the training, with the network and the size of planes.
    scope : Scope
    training_set : tuple of (str, str, str)
        Name of each pair, and SHA-256 of its fixed and moving file.
    figures : dict of str to float
        What the model did on specimens that it was not trained on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: str = FORMAT
    version: int = VERSION
    recipe: Recipe
    scope: Scope
    training_set: tuple[tuple[str, str, str], ...] = Field(max_length=100_000)
    figures: dict[str, float] = Field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network, ready to be applied without a framework.

    Parameters
    ----------
    description : Description
    weights : dict of str to ndarray
    name : str
        For sentences.
    """

    description: Description
    weights: dict[str, Plane] = field(repr=False)
    name: str = "model"

    @property
    def architecture(self) -> Architecture:
        """The network."""
        return self.description.recipe.architecture

    def displacement(self, fixed: Plane, moving: Plane, *, passes: int = 1) -> Plane:
        """Return the displacement (Y, X, 2) in pixels between two planes on one frame.

        Parameters
        ----------
        fixed, moving : (Y, X) ndarray of float32
            As `laid_out` gives them.
        passes : int
            How often the network is applied, each time to what the last one left.
        """
        h, w = fixed.shape
        below, right = -h % MULTIPLE, -w % MULTIPLE
        a, b = (np.pad(p, ((0, below), (0, right)), mode="edge")[None, None] for p in (fixed, moving))
        layers = ArrayLayers(self.weights)
        total = displacement(self.architecture, layers, a, b)
        for _ in range(passes - 1):
            left = displacement(self.architecture, layers, a, layers.warped(b, total))
            total = left + layers.warped(total, left)
        return np.ascontiguousarray(np.moveaxis(total[0, :, :h, :w], 0, -1), np.float32)


def write_model(model: Model, folder: str | os.PathLike[str]) -> None:
    """Write a model's files; see `read_model`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / WEIGHTS, model.weights)
    with written_whole(folder / CARD) as temporary:
        temporary.write_text(card(model), encoding="utf-8")
    # Last: a folder with a description is whole.
    with written_whole(folder / DESCRIPTION) as temporary:
        temporary.write_text(model.description.model_dump_json(indent=1), encoding="utf-8")


def read_model(folder: str | os.PathLike[str]) -> Model:
    """Read a model folder; nothing in it is executed.

    Raises
    ------
    DamagedFile
        It is no such folder, or its files are damaged or contradict one another.
    ReadError
        A file may not be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DamagedFile(f"{folder} is no folder of a trained model. Name the folder that a training wrote.")
    path = folder / DESCRIPTION
    values = read_json(path, "the description of a model")
    if values.get("format") != FORMAT or values.get("version") != VERSION:
        raise DamagedFile(f"{path} describes no model of version {VERSION}. Train it with this program.")
    try:
        description = Description.model_validate_json(json.dumps(values))
    except ValidationError as error:
        first: Any = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DamagedFile(
            f"{path} cannot be used: {place}: {first['msg']}. Train the model again."
        ) from error
    weights = read_tensors(folder / WEIGHTS)
    check_weights(description.recipe.architecture, weights, str(folder / WEIGHTS))
    return Model(
        description, {name: array.astype(np.float32) for name, array in weights.items()}, folder.name
    )


def card(model: Model) -> str:
    """Return what people should know of a model, as Markdown."""
    description = model.description
    recipe, scope = description.recipe, description.scope
    spacing = "unknown" if scope.spacing_um is None else "{:.3g} to {:.3g} µm".format(*scope.spacing_um)
    lines = [
        f"# {model.name}",
        "",
        f"A {recipe.network} network ({sum(a.size for a in model.weights.values())} weights, cascade of "
        f"{recipe.cascade}), trained on {len(description.training_set)} pairs.",
        "",
        "| | |",
        "|---|---|",
        f"| Slides | {'; '.join(' with '.join(pair) for pair in scope.lights)} |",
        f"| Pixels of its planes | {spacing} |",
        *(f"| {name} | {value:.4g} |" for name, value in description.figures.items()),
        "",
        "The figures are of specimens that it was not trained on, under random displacements of up to "
        f"{recipe.largest_px:g} px. It bends only, from an affine alignment that is nearly right, and knows "
        "nothing of other stains or magnifications: such slides are refused.",
        "",
    ]
    return "\n".join(lines)
