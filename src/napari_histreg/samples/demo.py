"""The demo's pair: real tissue that needs no download, in two stains that differ as real ones do."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import WriteError
from napari_histreg.files import written_whole
from napari_histreg.geometry import grid_points
from napari_histreg.landmarks import Landmarks
from napari_histreg.preprocess.stain import estimate_white, optical_density, ruifrok_stains, separate_stains
from napari_histreg.transforms import Similarity

__all__ = ["DemoPair", "demo_pair"]

FIXED_PIXEL_UM, MOVING_PIXEL_UM = 0.5, 0.4
MOVING_SHAPE = (820, 860)
FIXED_NAME, MOVING_NAME = "demo_ihc.ome.tif", "demo_if.ome.tif"

CHANNELS = (("DAPI", (0, 90, 255)), ("DAB", (255, 140, 0)), ("Autofluorescence", (0, 200, 80)))
"""Names and colours (red, green, blue, 0 to 255) of the moving slide."""


@dataclass(frozen=True)
class DemoPair:
    """The two files of the demo and how they lie to each other.

    Parameters
    ----------
    fixed : Path
        Immunohistochemistry, brightfield, OME-TIFF.
    moving : Path
        Fluorescence, three channels, OME-TIFF.
    fixed_to_moving : Similarity
        The truth, in µm.
    """

    fixed: Path
    moving: Path
    fixed_to_moving: Similarity

    def landmarks(self) -> Landmarks:
        """Return 49 true landmarks, a grid over the fixed slide."""
        line = np.linspace(20, 491, 7) * FIXED_PIXEL_UM
        points = grid_points(line, line).reshape(-1, 2)
        return Landmarks.of(points, self.fixed_to_moving(points))


def demo_pair(directory: str | Path, *, overwrite: bool = False) -> DemoPair:
    """Write the demo's two slides into a folder.

    The fixed slide is the immunohistochemistry image that ships inside scikit-image. The moving slide
    is made from it: its haematoxylin as the bright nuclei of a DAPI channel, its DAB and what is left
    as two more, blurred, noisy, with other pixels, turned, mirrored and shifted.

    Parameters
    ----------
    directory : path
        Where to write; must exist.
    overwrite : bool
        Also replace files of the same names that hold something else.

    Returns
    -------
    DemoPair

    Raises
    ------
    WriteError
        The folder cannot be written to, or holds other files of these names.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pair = demo_pair(folder)
    ...     pair.fixed.name, pair.moving.name, round(pair.fixed_to_moving.angle_deg)
    ('demo_ihc.ome.tif', 'demo_if.ome.tif', 152)
    """
    from skimage.data import immunohistochemistry

    rgb = np.moveaxis(np.asarray(immunohistochemistry()), -1, 0)
    centre = np.array(rgb.shape[1:]) / 2 * FIXED_PIXEL_UM
    moved = np.array(MOVING_SHAPE) / 2 * MOVING_PIXEL_UM + (3.3, -5.7)
    truth = Similarity.of(
        scale=1.02, angle_deg=152.0, mirrored=True, translation=moved - centre, centre=centre
    )
    folder = Path(directory)
    fixed, moving = folder / FIXED_NAME, folder / MOVING_NAME
    _write(fixed, rgb, FIXED_PIXEL_UM, None, overwrite)
    _write(moving, _fluorescent(rgb, truth), MOVING_PIXEL_UM, CHANNELS, overwrite)
    return DemoPair(fixed, moving, truth)


def _fluorescent(rgb: NDArray[np.uint8], fixed_to_moving: Similarity) -> NDArray[np.uint16]:
    """Return the three channels (C, Y, X) of the moving slide."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    density = optical_density(rgb, estimate_white(rgb))
    stains = np.maximum(separate_stains(density, ruifrok_stains("dab")), 0)
    y, x = (np.arange(n) * MOVING_PIXEL_UM for n in MOVING_SHAPE)
    points = grid_points(y, x).reshape(-1, 2)
    at = (fixed_to_moving.inverse()(points) / FIXED_PIXEL_UM).T
    rng = np.random.default_rng(20)
    planes = []
    for plane, blur, gain in zip(stains, (0.8, 1.5, 1.2), (9000, 5000, 12000), strict=True):
        glow = gaussian_filter(plane, blur)
        seen = map_coordinates(glow, at, order=3, mode="constant").reshape(MOVING_SHAPE)
        signal = 110 + gain * np.maximum(seen, 0)
        planes.append(signal + rng.normal(size=MOVING_SHAPE) * np.sqrt(3 * signal + 150))
    return np.clip(np.round(planes), 0, 65535).astype(np.uint16)


def _write(
    path: Path,
    planes: NDArray[Any],
    pixel_um: float,
    channels: tuple[tuple[str, tuple[int, int, int]], ...] | None,
    overwrite: bool,
) -> None:
    """Write an OME-TIFF, unless the same lies there already."""
    import tifffile

    metadata: dict[str, Any] = {
        "PhysicalSizeX": pixel_um,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": pixel_um,
        "PhysicalSizeYUnit": "µm",
        "axes": "CYX",
        # A name made from the file's own, so that the same file is written every time.
        "UUID": f"urn:uuid:{uuid5(NAMESPACE_URL, path.name)}",
    }
    if channels is None:
        planes = np.moveaxis(planes, 0, -1)
        metadata["axes"] = "YXS"
    else:
        # OME colours are signed 32-bit numbers: red, green, blue, alpha.
        packed = [np.array([*colour, 255], ">u1").view(">i4").item() for _, colour in channels]
        metadata["Channel"] = {"Name": [name for name, _ in channels], "Color": packed}
    image = BytesIO()
    with tifffile.TiffWriter(image, ome=True) as writer:
        writer.write(
            planes,
            photometric="rgb" if channels is None else "minisblack",
            compression="zlib",
            tile=(256, 256),
            metadata=metadata,
        )
    if path.exists() and not overwrite:
        if path.is_file() and path.read_bytes() == image.getvalue():
            return
        raise WriteError(
            f"{path} is there and is not the demo's, and would be lost. Choose another folder.",
            wants="overwrite",
        )
    with written_whole(path) as temporary:
        temporary.write_bytes(image.getvalue())
