"""The table of landmark dialects: how this package and other tools lay landmarks out in files."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["DIALECTS", "LandmarkDialect"]

LAYOUTS = "napari_histreg.landmarks.layouts"


@dataclass(frozen=True)
class LandmarkDialect:
    """One layout of landmarks in files.

    Parameters
    ----------
    name : str
        What `read_landmarks` and `write_landmarks` take.
    title : str
        For people.
    suffixes : tuple of str
        Usual endings of the file name, the first for new files.
    module : str
        Where its ``read`` and ``write`` are; imported on use.
    unit : {"px", "world", "um"}
        Level-0 pixels, the slide's world units (µm where the pixel size is known), or always µm.
    origin : {"centre", "corner"}
        Which point of pixel (0, 0) lies at 0.
    side_files : bool
        Whether the moving points have a file of their own.
    holds_names, holds_enabled, holds_unplaced : bool
        What survives a round trip besides the points. Where enabled flags do not, only enabled pairs
        are written.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    module: str
    unit: Literal["px", "world", "um"] = "px"
    origin: Literal["centre", "corner"] = "centre"
    side_files: bool = False
    holds_names: bool = True
    holds_enabled: bool = True
    holds_unplaced: bool = False


DIALECTS: Mapping[str, LandmarkDialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            LandmarkDialect("histreg", "napari-histreg CSV", (".csv",), f"{LAYOUTS}._histreg"),
            LandmarkDialect(
                "anhir",
                "ANHIR / BIRL CSV, a file per image",
                (".csv",),
                f"{LAYOUTS}._anhir",
                side_files=True,
                holds_names=False,
                holds_enabled=False,
            ),
            LandmarkDialect(
                "bigwarp",
                "BigWarp CSV",
                (".csv",),
                f"{LAYOUTS}._bigwarp",
                unit="world",
                holds_unplaced=True,
            ),
            LandmarkDialect(
                "bigwarp_json",
                "BigWarp project JSON",
                (".json",),
                f"{LAYOUTS}._bigwarp_json",
                unit="world",
                holds_unplaced=True,
            ),
            LandmarkDialect(
                "xenium",
                "Xenium Explorer keypoints CSV",
                (".csv",),
                f"{LAYOUTS}._xenium",
                holds_names=False,
                holds_enabled=False,
            ),
            LandmarkDialect(
                "acrobat",
                "ACROBAT CSV, a file per image",
                (".csv",),
                f"{LAYOUTS}._acrobat",
                unit="um",
                side_files=True,
                holds_names=False,
                holds_enabled=False,
            ),
            LandmarkDialect(
                "elastix",
                "elastix / ITK point set, a file per image",
                (".txt", ".pts"),
                f"{LAYOUTS}._elastix",
                unit="world",
                side_files=True,
                holds_names=False,
                holds_enabled=False,
            ),
            LandmarkDialect(
                "qupath",
                "QuPath GeoJSON points, a file per image",
                (".geojson", ".json"),
                f"{LAYOUTS}._qupath",
                origin="corner",
                side_files=True,
                holds_enabled=False,
            ),
            LandmarkDialect(
                "napari",
                "napari points CSV, a file per image",
                (".csv",),
                f"{LAYOUTS}._napari",
                side_files=True,
                holds_names=False,
                holds_enabled=False,
            ),
        )
    }
)
"""Name → dialect. One more layout is one more line here and one more file in `layouts`."""
