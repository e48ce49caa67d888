"""What lies in the folder of a case before it is run: results of ours, or what a person put there since."""

from pathlib import Path

from napari_histreg.cohorts.layout import NOTE, REPORT, REPORT_JSON, THUMBNAIL
from napari_histreg.cohorts.note import SETTLED, CaseNote, write_note
from napari_histreg.errors import HistregError
from napari_histreg.files.digest import file_digest
from napari_histreg.records.field_file import FIELD

__all__ = ["digest_of_record", "take_away", "take_away_if_ours", "with_correction"]

RECORD = "registration.json"
_OURS = (NOTE, THUMBNAIL, REPORT, REPORT_JSON, "group.json", "matrix.csv", "landmarks.csv",
         "overlay.png", FIELD, RECORD)  # fmt: skip


def take_away(folder: Path) -> None:
    """Remove what an earlier run left: a case that fails must not show the result of another attempt.

    The record goes last, for it says which of the files are ours.
    """
    for name in _OURS:
        (folder / name).unlink(missing_ok=True)


def take_away_if_ours(folder: Path) -> None:
    """Do the same for a case that died before it could say whether all that lies there is ours."""
    from napari_histreg.registration.folder import check_folder

    try:
        check_folder(folder)
    except HistregError:
        return
    take_away(folder)


def digest_of_record(folder: Path) -> str:
    """Return what tells one record of a pair from another; empty where there is none."""
    try:
        return file_digest(folder / RECORD)
    except (HistregError, OSError):
        return ""


def with_correction(note: CaseNote, folder: Path) -> CaseNote:
    """Take over the record that a person put in the place of the program's, and note it as made by hand.

    Parameters
    ----------
    note : CaseNote
        Of the case.
    folder : Path
        Of the case; its note is written anew where there is a correction.

    Returns
    -------
    CaseNote
        The same where there is none.
    """
    from napari_histreg.records.document import read_registration

    digest = digest_of_record(folder)
    if note.state not in SETTLED or digest in ("", note.record_digest):
        return note
    try:
        record = read_registration(folder)
    except HistregError:
        return note
    corrected = note.model_copy(
        update={
            "state": record.verdict,
            "made_by": "hand",
            "reason": " ".join(record.reasons),
            "confidence": record.confidence,
            "method": record.method,
            "unit": record.fixed.unit,
            # What was measured of the program's result says nothing of this one.
            "error": None,
            "error_p90": None,
            "target_error": None,
            "record_digest": digest,
        }
    )
    write_note(corrected, folder)
    return corrected
