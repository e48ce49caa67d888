"""Learned: affine by the automatic recipe, bent by a trained network, kept where blocks prefer it."""

import os
from typing import ClassVar

import numpy as np
from pydantic import Field, field_validator

from napari_histreg.errors import RegistrationError
from napari_histreg.learning.judging import Preference, prefer
from napari_histreg.learning.model_folder import Model, read_model
from napari_histreg.learning.training_set import laid_out, lights_of
from napari_histreg.methods.nonrigid.dense import conclude
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.records.record import Outcome, StepLog
from napari_histreg.registration.automatic.automatic import Automatic
from napari_histreg.registration.automatic.overview import look_at
from napari_histreg.registration.request import Aligner, Request
from napari_histreg.slides import Slide
from napari_histreg.transforms import Affine, Transform
from napari_histreg.transforms.deformation import Deformation
from napari_histreg.transforms.matrix import MatrixTransform

__all__ = ["Learned"]

NETWORK, CLASSICAL = "network", "classical"


class Learned(Aligner):
    """Bend by a model that was trained on slides like these.

    The automatic recipe finds the affine alignment and its own bend; the network bends from the same affine
    alignment. Blocks compare both with the affine one: the network was never fitted to these slides, the
    classical bend was, so that a network that wins does so against an advantage.

    Parameters
    ----------
    model : str
        Folder that a training wrote.
    passes : int
        How often the network is applied.
    compare : bool
        Whether the classical bend is tried too, and kept where it is better.
    """

    name: ClassVar[str] = "learned"

    model: str = Field(
        "",
        title="Model",
        description="Folder that a training wrote",
        json_schema_extra={"format": "directory-path"},
    )

    @field_validator("model", mode="before")
    @classmethod
    def _as_text(cls, model: object) -> object:
        return os.fspath(model) if isinstance(model, os.PathLike) else model

    passes: int = Field(1, ge=1, le=5, title="Passes", description="How often the network is applied")
    compare: bool = Field(
        True, title="Compare", description="Try the classical bend too, and keep the better one"
    )

    def align(
        self, fixed: Slide, moving: Slide, request: Request, *, log: StepLog, progress: Progress = silent
    ) -> Outcome:
        """Align two slides; see `Aligner.align`.

        Raises
        ------
        ValueError
            No model is named.
        DamagedFile
            The model cannot be read.
        """
        if not self.model:
            raise ValueError(
                "The method learned needs a model: name the folder that a training wrote (model)."
            )
        model = read_model(self.model)
        classical = Automatic(nonrigid=self.compare).align(
            fixed, moving, request, log=log, progress=portion(progress, 0.0, 0.8)
        )
        if classical.fixed_to_moving is None or classical.verdict == "refused":
            return classical
        start = _affine_of(classical.fixed_to_moving)
        progress(0.8, f"bending by {model.name}")
        try:
            with log.step(
                NETWORK, model=model.name, **model.description.recipe.model_dump(mode="json")
            ) as found:
                bent, figures, notes = self._bent(model, fixed, moving, start, request)
                found.update(figures)
        except RegistrationError as error:
            return _with(classical, classical.fixed_to_moving, (f"{error} The classical alignment stays.",))
        progress(0.9, "asking blocks")
        candidates = {NETWORK: bent}
        if isinstance(classical.fixed_to_moving, Deformation):
            candidates[CLASSICAL] = classical.fixed_to_moving
        with log.step("blocks") as found:
            pictures = (look_at(fixed).picture, look_at(moving).picture)
            preferences = prefer(*pictures, start.matrix, candidates)
            for name, one in preferences.items():
                found[f"{name} gain"], found[f"{name} certainty"] = (
                    round(one.gain, 4),
                    round(one.certainty, 2),
                )
        progress(1.0, classical.verdict)
        if _network_wins(preferences):
            return _with(classical, bent, (_sentence(model, preferences, "kept"), *notes))
        return _with(classical, classical.fixed_to_moving, (_sentence(model, preferences, "left out"),))

    def _bent(
        self, model: Model, fixed: Slide, moving: Slide, start: MatrixTransform, request: Request
    ) -> tuple[Transform, dict[str, float], tuple[str, ...]]:
        """Apply the network on the planes that it was trained on."""
        recipe = model.description.recipe
        pair = laid_out(fixed, moving, start, request, recipe.max_side_px)
        spacing = float(pair.frame.spacing[0]) if fixed.pixel_size_um is not None else None
        model.description.scope.check(lights_of(fixed, moving), spacing, model.name)
        field = model.displacement(pair.fixed, pair.moving, passes=self.passes)
        found = conclude(pair, field, f"The model {model.name}")
        return found.fixed_to_moving, dict(found.figures), found.notes


def _affine_of(transform: Transform) -> MatrixTransform:
    """Return the affine part of an automatic alignment."""
    if isinstance(transform, Deformation):
        return transform.base or Affine(np.eye(3))
    if isinstance(transform, MatrixTransform):
        return transform
    raise TypeError(f"An automatic alignment is no {transform.kind}.")


def _network_wins(preferences: dict[str, Preference]) -> bool:
    network, classical = preferences.get(NETWORK), preferences.get(CLASSICAL)
    if network is None or not network.is_confirmed:
        return False
    return classical is None or network.gain >= classical.gain


def _sentence(model: Model, preferences: dict[str, Preference], what: str) -> str:
    said = " and ".join(f"the {name} bend by {100 * one.gain:.1f} %" for name, one in preferences.items())
    if not said:
        return f"The overlap is too small to judge the bend of {model.name}: it is {what}."
    return (
        f"The agreement of blocks rises over the affine alignment's by {said}: the bend of {model.name} "
        f"is {what}."
    )


def _with(outcome: Outcome, transform: Transform, reasons: tuple[str, ...]) -> Outcome:
    return Outcome(
        transform, outcome.verdict, outcome.confidence, (*outcome.reasons, *reasons), outcome.landmarks
    )
