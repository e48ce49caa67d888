"""case.json: what became of a case, in its own folder, so that no two writers meet."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from napari_histreg.cohorts.identity import InputFile
from napari_histreg.cohorts.layout import NOTE
from napari_histreg.errors import DamagedFile
from napari_histreg.files import written_whole

__all__ = ["SETTLED", "CaseNote", "State", "read_note", "write_note"]

State = Literal["waiting", "running", "accepted", "doubtful", "refused", "failed"]
SETTLED: tuple[State, ...] = ("accepted", "doubtful", "refused", "failed")
_LARGEST_BYTES = 1 << 20


class CaseNote(BaseModel):
    """What became of a case.

    Parameters
    ----------
    name : str
        Of the case.
    state : str
        The verdict of what was aligned; "failed" for what was not; or "waiting", "running".
    made_by : {"program", "hand"}
        "hand" where a person corrected it; the program then leaves it alone.
    reason : str
        Of the verdict or the failure, in plain words.
    can_pass : bool
        Whether a second attempt can end otherwise, with all else as it is.
    confidence : float, optional
        From 0 to 1.
    error, error_p90 : float, optional
        Shift left by the independent check, in `unit`: median, and what nine of ten blocks stay below.
    target_error : float, optional
        Median distance of the landmarks in `truth`, in `unit`.
    unit : {"um", "px"}
        Of the errors: the fixed slide's world unit.
    method : str
        What aligned it.
    seconds, cpu_seconds : float
        How long it took, and how much of a processor.
    peak_memory_mb : float
        The most memory that was seen in use.
    host : str
        Where.
    pid : int
        Of the process that did it.
    attempts : int
        How often it was begun.
    version : str
        Of the program.
    started : str
        ISO 8601, UTC.
    asked : mapping
        The options that it was made with.
    instead_of : mapping, optional
        Where it was done again in another way: what the table asks for.
    record_digest : str
        Of the registration.json that it wrote: another one there is a person's.
    inputs : tuple of InputFile
        The files that it was made from.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["napari-histreg case"] = "napari-histreg case"
    name: str
    state: State
    made_by: Literal["program", "hand"] = "program"
    reason: str = ""
    can_pass: bool = False
    confidence: float | None = None
    error: float | None = None
    error_p90: float | None = None
    target_error: float | None = None
    unit: Literal["um", "px"] = "px"
    method: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_mb: float = 0.0
    host: str = ""
    pid: int = 0
    attempts: int = 1
    version: str = ""
    started: str = ""
    asked: Mapping[str, Any] = {}
    instead_of: Mapping[str, Any] | None = None
    record_digest: str = ""
    inputs: tuple[InputFile, ...] = ()


def write_note(note: CaseNote, folder: Path) -> None:
    """Write the note of a case into its folder.

    Raises
    ------
    WriteError
        It cannot be written.
    """
    with written_whole(folder / NOTE) as temporary:
        temporary.write_text(json.dumps(note.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8")


def read_note(folder: Path) -> CaseNote | None:
    """Read the note of a case; None where there is none.

    Raises
    ------
    DamagedFile
        There is one, and it is damaged.
    """
    file = folder / NOTE
    try:
        if not file.is_file() or file.stat().st_size > _LARGEST_BYTES:
            return None
        return CaseNote.model_validate_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DamagedFile(f"{file} is damaged at {where!r}: {first['msg']}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedFile(f"{file} cannot be read: {error}.") from error
