"""Transforms in the files of other tools: one file per dialect, and the table of them."""

from napari_histreg.transforms.formats.conventions import TransformDialect
from napari_histreg.transforms.formats.dialects import (
    DIALECTS,
    convert_transform,
    read_transform,
    write_transform,
)
from napari_histreg.transforms.formats.frames import SlideFrame

__all__ = [
    "DIALECTS",
    "SlideFrame",
    "TransformDialect",
    "convert_transform",
    "read_transform",
    "write_transform",
]
