"""registration.json: the record as a file that describes itself.

The layout is a pydantic model, so that a file from outside is checked field by field, and its JSON
schema (`layout.json_schema`) can be handed to other programs.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.errors import DamagedFile
from napari_histreg.files import LIMITS, parse_json, read_json, read_text, written_whole
from napari_histreg.records.field_file import FIELD, with_samples, without_samples
from napari_histreg.records.layouts import checked_layout, usable_transforms
from napari_histreg.records.record import Outcome, Registration, Step
from napari_histreg.records.schema import (
    FORMAT,
    VERSION,
    MatrixPart,
    RegistrationDocument,
    SlidePart,
    StepPart,
    SuggestionPart,
)
from napari_histreg.transforms import transform_from_dict

__all__ = [
    "from_json",
    "plain_values",
    "read_notes",
    "read_registration",
    "step_of",
    "step_part",
    "to_json",
    "write_registration",
]


def to_json(
    registration: Registration, folder: Path | None = None, files: Mapping[str, str] | None = None
) -> str:
    """Return the registration as the text of registration.json.

    Parameters
    ----------
    registration : Registration
    folder : Path, optional
        Where the text will lie, so that it can say where the slides are from there.
    files : mapping, optional
        What belongs to it in that folder: name and SHA-256; where the field's samples are among it
        (see `field_file`), the text only names their file.

    Returns
    -------
    str
        JSON; numbers that are not finite become null.
    """
    transform = matrix = None
    if registration.has_transform:
        transform = plain_values(registration.fixed_to_moving.to_dict())
        if files is not None and FIELD in files:
            transform = without_samples(transform)
        forward = registration.matrix_px()
        matrix = MatrixPart(
            fixed_to_moving=forward.tolist(),
            moving_to_fixed=np.linalg.inv(forward).tolist(),
            is_exact=registration.is_affine,
        )
    refused = registration.verdict == "refused"
    suggestion = None
    if refused and transform is not None and matrix is not None:
        suggestion = SuggestionPart(fixed_to_moving=transform, matrix_px=matrix)
    document = RegistrationDocument(
        format="napari-histreg registration",
        version=1,
        fixed=SlidePart.of(registration.fixed, folder),
        moving=SlidePart.of(registration.moving, folder),
        method=registration.method,
        parameters=plain_values(registration.parameters),
        verdict=registration.verdict,
        confidence=registration.confidence,
        reasons=registration.reasons,
        fixed_to_moving=None if refused else transform,
        matrix_px=None if refused else matrix,
        suggestion=suggestion,
        steps=tuple(step_part(step) for step in registration.steps),
        seconds=round(registration.seconds, 3),
        software=dict(registration.versions),
        files=dict(files or {}),
    )
    return json.dumps(document.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_registration(registration: Registration, path: str | Path) -> None:
    """Write registration.json.

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    with written_whole(path) as temporary:
        temporary.write_text(to_json(registration, Path(path).parent), encoding="utf-8")


def read_registration(path: str | Path) -> Registration:
    """Read registration.json.

    Parameters
    ----------
    path : path-like
        The file, or the folder that `histreg register` wrote.

    Returns
    -------
    Registration
        Without the landmarks, which lie in a file of their own.

    Raises
    ------
    DamagedFile
        The file is missing or is no registration; the message names the field.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "registration.json"
    try:
        text = read_text(file, "a registration", limit=LIMITS.json_bytes, share=1 / 16)
    except DamagedFile as error:
        if _is_there(file):
            raise
        raise DamagedFile(
            f"{error} Registrations are made with: histreg register FIXED MOVING -o DIR"
        ) from None
    return from_json(text, str(file), file.parent)


def read_notes(path: str | Path) -> dict[str, str]:
    """Return which files a registration.json calls its own: name and SHA-256.

    Raises
    ------
    DamagedFile
        The file is missing or is no registration.
    """
    values = read_json(path, "a registration")
    if values.get("format") != FORMAT:
        raise DamagedFile(f'{path} is not a registration: its "format" is not "{FORMAT}".')
    notes = values.get("files")
    return {str(name): str(digest) for name, digest in notes.items()} if isinstance(notes, dict) else {}


def from_json(text: str, name: str = "The text", folder: Path | None = None) -> Registration:
    """Rebuild a registration from what `to_json` gave.

    Parameters
    ----------
    text : str
        JSON.
    name : str
        What to call it in errors.
    folder : Path, optional
        Where the text lies; slides are looked for from there first.

    Returns
    -------
    Registration
        Without the landmarks.

    Raises
    ------
    DamagedFile
        It is no registration; the message names the field.
    """
    return _from_values(parse_json(text, name), name, folder)


def _from_values(values: Any, name: str, folder: Path | None) -> Registration:
    document = checked_layout(
        values, name, RegistrationDocument, what="registration", file_format=FORMAT, version=VERSION
    )
    with usable_transforms(name):
        found = document.fixed_to_moving
        if found is None and document.suggestion is not None:
            found = document.suggestion.fixed_to_moving
        if found is not None:
            found = with_samples(found, folder, document.files, name)
        transform = None if found is None else transform_from_dict(found)
    outcome = Outcome(transform, document.verdict, document.confidence, document.reasons)
    steps = tuple(step_of(part) for part in document.steps)
    return Registration(
        fixed=document.fixed.to_record(folder),
        moving=document.moving.to_record(folder),
        outcome=outcome,
        method=document.method,
        parameters=document.parameters,
        steps=steps,
        versions=document.software,
    )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def step_of(part: StepPart) -> Step:
    """Turn a part of the file into a step."""
    return Step(part.name, part.parameters, part.scores, part.notes, part.seconds)


def step_part(step: Step) -> StepPart:
    """Turn a step into its part of the file."""
    return StepPart(
        name=step.name,
        parameters=plain_values(step.parameters),
        scores=plain_values(step.scores),
        notes=step.notes,
        seconds=round(step.seconds, 4),
    )


def plain_values(value: Any) -> Any:
    """Turn numpy values, tuples and mappings into what JSON has; numbers that are not finite into None."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
