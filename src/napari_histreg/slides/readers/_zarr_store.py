"""A Zarr's folder as zarr may see it: regular files only, and metadata that was checked."""

import json
from pathlib import Path
from typing import Any

from zarr.storage import LocalStore

from napari_histreg.errors import DamagedFile
from napari_histreg.files import LIMITS, parse_json, read_text, regular_file
from napari_histreg.slides.readers import _zarr_guard
from napari_histreg.slides.readers._zarr_schema import safe_array_v2, safe_array_v3

__all__ = ["CheckedStore"]

assert _zarr_guard  # its import makes the guard known to zarr

NOTES = ("zarr.json", ".zarray", ".zgroup", ".zattrs")
# They repeat the metadata of arrays, which is read where it belongs.
REPEATED = ".zmetadata"


class CheckedStore(LocalStore):  # type: ignore[misc]
    """Read-only store over a folder from outside.

    Parameters
    ----------
    root : Path
        The folder.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root, read_only=True)
        self._folder = Path(root)

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        """Return the bytes of a key; what is no regular file, or not allowed, is an error."""
        path = self._folder / key
        name = key.rpartition("/")[2]
        if name == REPEATED:
            return None
        try:
            if not path.exists():
                return None
        except OSError as error:
            raise DamagedFile(f"{path} cannot be read: {error.strerror}.") from None
        if name in NOTES:
            return prototype.buffer.from_bytes(self._checked(path, name))
        regular_file(path)
        if byte_range is None and path.stat().st_size > LIMITS.decoded_bytes:
            size = path.stat().st_size
            raise DamagedFile(f"{path} has {size / 1e9:.1f} GB; {LIMITS.how_to_allow(size)}.")
        return await super().get(key, prototype, byte_range)

    def _checked(self, path: Path, name: str) -> bytes:
        text = read_text(path, "the metadata of a Zarr", limit=LIMITS.json_bytes, share=1 / 16)
        values = parse_json(text, str(path))
        if not isinstance(values, dict):
            raise DamagedFile(f"{path} holds no metadata of a Zarr. Export it again.")
        if name == ".zarray":
            values = safe_array_v2(str(path.parent), values)
        elif name == "zarr.json":
            values.pop("consolidated_metadata", None)
            if values.get("node_type") == "array":
                values = safe_array_v3(str(path.parent), values)
        return json.dumps(values).encode()
