"""Files from outside and files for others: what is read is bounded, what is written is whole."""

from napari_histreg.files.claims import check_output, check_outputs, claimed
from napari_histreg.files.limits import LIMITS, allow_gb
from napari_histreg.files.reading import parse_json, read_bytes, read_json, read_text, regular_file
from napari_histreg.files.together import folder_written_whole, written_together
from napari_histreg.files.writing import written_whole

__all__ = [
    "LIMITS",
    "allow_gb",
    "check_output",
    "check_outputs",
    "claimed",
    "folder_written_whole",
    "parse_json",
    "read_bytes",
    "read_json",
    "read_text",
    "regular_file",
    "written_together",
    "written_whole",
]
