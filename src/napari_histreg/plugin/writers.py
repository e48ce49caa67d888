"""Two Points layers as landmark pairs, in each dialect."""

from pathlib import Path
from typing import Any

from napari_histreg.landmarks import write_landmarks
from napari_histreg.plugin.points import SIDE, landmarks_from_layers, pixel_size_of

__all__ = ["write_anhir", "write_bigwarp", "write_histreg"]

FullLayerData = tuple[Any, dict[str, Any], str]


def write_histreg(path: str, layer_data: list[FullLayerData]) -> list[str]:
    """Write fixed and moving landmarks as this package's CSV."""
    return _write(path, layer_data, "histreg")


def write_bigwarp(path: str, layer_data: list[FullLayerData]) -> list[str]:
    """Write fixed and moving landmarks as BigWarp's CSV."""
    return _write(path, layer_data, "bigwarp")


def write_anhir(path: str, layer_data: list[FullLayerData]) -> list[str]:
    """Write fixed and moving landmarks as two ANHIR tables, the moving one as ``…_moving.csv``."""
    file = Path(path)
    moving = file.with_name(f"{file.stem}_moving{file.suffix or '.csv'}")
    return _write(path, layer_data, "anhir", moving)


def _write(
    path: str, layer_data: list[FullLayerData], dialect: str, moving_path: Path | None = None
) -> list[str]:
    from napari.layers import Layer

    layers = [Layer.create(*data) for data in layer_data]
    layers.sort(key=lambda layer: {"fixed": 0, "moving": 2}.get(layer.metadata.get(SIDE), 1))
    fixed, moving = layers
    landmarks = landmarks_from_layers(fixed, moving)
    if dialect != "bigwarp":
        landmarks = landmarks.subset(landmarks.placed)
    write_landmarks(
        landmarks,
        path,
        dialect=dialect,
        moving_path=moving_path,
        fixed_pixel_size=pixel_size_of(fixed),
        moving_pixel_size=pixel_size_of(moving),
    )
    return [str(path)] if moving_path is None else [str(path), str(moving_path)]
