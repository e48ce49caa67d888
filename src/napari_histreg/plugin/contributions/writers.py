"""Two Points layers as landmark pairs, in each dialect."""

from pathlib import Path
from typing import Any

from napari_histreg.landmarks import DIALECTS, write_landmarks
from napari_histreg.plugin.layers.landmarks import SIDE, landmarks_from_layers, pixel_size_of

__all__ = [
    "write_acrobat",
    "write_anhir",
    "write_bigwarp",
    "write_bigwarp_json",
    "write_elastix",
    "write_histreg",
    "write_napari",
    "write_qupath",
    "write_xenium",
]

FullLayerData = tuple[Any, dict[str, Any], str]


def write_histreg(path: str, layer_data: list[FullLayerData]) -> list[str]:
    """Write fixed and moving landmarks as this package's CSV."""
    return _write(path, layer_data, "histreg")


def write_bigwarp(path: str, layer_data: list[FullLayerData]) -> list[str]:
    """Write fixed and moving landmarks as BigWarp's CSV."""
    return _write(path, layer_data, "bigwarp")


def write_bigwarp_json(path: str, layer_data: list[FullLayerData]) -> list[str]:
    """Write fixed and moving landmarks as BigWarp's project JSON."""
    return _write(path, layer_data, "bigwarp_json")


def write_xenium(path: str, layer_data: list[FullLayerData]) -> list[str]:
    """Write fixed and moving landmarks as keypoints for Xenium Explorer."""
    return _write(path, layer_data, "xenium")


def write_anhir(path: str, layer_data: list[FullLayerData]) -> list[str]:
    """Write fixed and moving landmarks as two ANHIR tables, the moving one as ``…_moving``."""
    return _write(path, layer_data, "anhir")


def write_acrobat(path: str, layer_data: list[FullLayerData]) -> list[str]:
    """Write fixed and moving landmarks as two ACROBAT tables, the moving one as ``…_moving``."""
    return _write(path, layer_data, "acrobat")


def write_elastix(path: str, layer_data: list[FullLayerData]) -> list[str]:
    """Write fixed and moving landmarks as two elastix point sets, the moving one as ``…_moving``."""
    return _write(path, layer_data, "elastix")


def write_qupath(path: str, layer_data: list[FullLayerData]) -> list[str]:
    """Write fixed and moving landmarks as two QuPath GeoJSON files, the moving one as ``…_moving``."""
    return _write(path, layer_data, "qupath")


def write_napari(path: str, layer_data: list[FullLayerData]) -> list[str]:
    """Write fixed and moving landmarks as two napari tables, the moving one as ``…_moving``."""
    return _write(path, layer_data, "napari")


def _write(path: str, layer_data: list[FullLayerData], dialect: str) -> list[str]:
    from napari.layers import Layer

    file, kind = Path(path), DIALECTS[dialect]
    moving_path = file.with_name(f"{file.stem}_moving{file.suffix}") if kind.side_files else None
    layers = [Layer.create(*data) for data in layer_data]
    layers.sort(key=lambda layer: {"fixed": 0, "moving": 2}.get(layer.metadata.get(SIDE), 1))
    fixed, moving = layers
    landmarks = landmarks_from_layers(fixed, moving)
    if not kind.holds_unplaced:
        landmarks = landmarks.subset(landmarks.placed)
    write_landmarks(
        landmarks,
        file,
        dialect=dialect,
        moving_path=moving_path,
        fixed_pixel_size=pixel_size_of(fixed),
        moving_pixel_size=pixel_size_of(moving),
    )
    return [str(path)] if moving_path is None else [str(path), str(moving_path)]
