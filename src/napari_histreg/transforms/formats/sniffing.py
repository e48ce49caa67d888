"""Telling a transform file's dialect by its name and first lines."""

from pathlib import Path

from napari_histreg.errors import UnsupportedDialect
from napari_histreg.transforms.formats.reading import read_json, read_text

__all__ = ["guess_dialect"]

BY_SUFFIX = {
    ".npy": "npy",
    ".tfm": "itk",
    ".h5": "itk",
    ".hdf5": "itk",
    ".mha": "itk_field",
    ".mhd": "itk_field",
    ".nrrd": "itk_field",
    ".nii": "itk_field",
    ".nii.gz": "itk_field",
}


def guess_dialect(path: Path) -> str:
    """Return the name of the dialect that a file seems to be written in.

    Raises
    ------
    DamagedFile
        The file is missing, empty, or no text where text is expected.
    UnsupportedDialect
        Nothing tells the dialect.
    """
    name = path.name.lower()
    for suffix, dialect in BY_SUFFIX.items():
        if name.endswith(suffix):
            return dialect
    if name.endswith("alignment.csv"):
        return "xenium"
    if name.endswith(".csv"):
        return "csv"
    if name.endswith(".json"):
        return _json_dialect(path)
    if name.endswith(".txt"):
        return _text_dialect(path)
    raise UnsupportedDialect(f"Nothing tells what kind of transform {path} holds. Name the layout (dialect).")


def _json_dialect(path: Path) -> str:
    values = read_json(path)
    if str(values.get("type", "")).endswith("RealTransformSequence") or "affinetransform3d" in values:
        return "warpy"
    system = values.get("input")
    return "spatialdata" if isinstance(system, dict) and "axes" in system else "ngff"


def _text_dialect(path: Path) -> str:
    text = read_text(path)
    if text.lstrip().startswith("#Insight Transform File"):
        return "itk"
    if "(Transform " in text:
        return "elastix"
    lines = [line for line in text.splitlines() if line.strip()]
    return "affinder" if len(lines) == 3 and all(line.count(",") == 2 for line in lines) else "qupath"
