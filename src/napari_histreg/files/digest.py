"""What a file holds, in 64 digits."""

import hashlib
from pathlib import Path

from napari_histreg.files.reading import opened

__all__ = ["file_digest"]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a regular file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with opened(path) as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
