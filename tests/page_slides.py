"""Small files of the names and kinds that how-to pages speak of, made in the current folder."""

from pathlib import Path

import numpy as np
import tifffile

from napari_histreg import Rigid, phantom_pair, warp_slide, write_slide
from napari_histreg.learning.model_folder import Description, Model, Scope, write_model
from napari_histreg.learning.networks import drawn_weights
from napari_histreg.learning.recipe import Recipe
from napari_histreg.samples import demo_pair, phantom_projections
from napari_histreg.warping import Grid
from slides.mirax import write_mirax

PIXEL_UM = 0.5
APERIO = "Aperio Image Library v1\r\n{0}x{0} (256x256) JPEG/RGB Q=90|AppMag = 20|MPP = {1}"


def several_stains() -> None:
    """H&E as .mrxs, fluorescence as OME-TIFF, IHC as .svs; and two sections in a folder."""
    pair = phantom_pair(448, pixel_size_um=PIXEL_UM, angle_deg=20, mirrored=False)
    picture = np.moveaxis(pair.fixed.read_level(0), 0, -1)
    write_mirax(Path("he.mrxs"), np.ascontiguousarray(picture), levels=1, pixel_size_um=PIXEL_UM)
    write_slide(pair.moving, "round1.ome.tif")
    _write_svs(Path("ihc.svs"), _turned(pair.fixed, 10))
    Path("stack").mkdir()
    for number, angle in ((2, 0), (10, 4)):
        _write_svs(Path(f"stack/section {number}.svs"), _turned(pair.fixed, angle))
    Path("cells.csv").write_text("x,y\n100,100\n150,120\n", encoding="utf-8")


def _turned(slide, angle_deg):
    turn = Rigid.of(angle_deg=angle_deg, translation=(2, 3), centre=(112, 112))
    warped = warp_slide(slide, turn, Grid.of(slide), pixel_size_um=slide.pixel_size_um)
    return np.moveaxis(warped.read_level(0), 0, -1)


def _write_svs(path: Path, picture: np.ndarray) -> None:
    tifffile.imwrite(
        path,
        np.ascontiguousarray(picture),
        tile=(256, 256),
        photometric="rgb",
        compression="jpeg",
        compressionargs={"level": 95},
        description=APERIO.format(picture.shape[0], PIXEL_UM),
        metadata=None,
    )


def table_of_cases() -> None:
    """The table that the page shows, with one case."""
    Path("K7").mkdir()
    pair = demo_pair("K7")
    rows = "case,fixed,moving\n" + f"K7,K7/{pair.fixed.name},K7/{pair.moving.name}\n"
    Path("cases.csv").write_text(rows, encoding="utf-8")
    Path("slides").mkdir()
    for end in ("HE", "IF"):
        Path(f"slides/K8_{end}.svs").touch()


def series_of_projections() -> None:
    """One series as DataExchange, as TIFFs with angles, dark and flat, and as MRC."""
    import h5py
    import mrcfile

    series = phantom_projections(60, (48, 48), jitter_px=2)
    counts = (1000 * np.exp(-series.frames / series.frames.max())).astype(np.float32)
    flat, dark = np.full((1, 48, 48), 1000, np.float32), np.zeros((1, 48, 48), np.float32)
    with h5py.File("scan.h5", "w") as file:
        file["exchange/data"], file["exchange/theta"] = counts, series.angles_deg
        file["exchange/data_white"], file["exchange/data_dark"] = flat, dark
    Path("proj").mkdir()
    for k, frame in enumerate(counts):
        tifffile.imwrite(f"proj/p{k:03}.tiff", frame)
    tifffile.imwrite("d.tif", dark[0])
    tifffile.imwrite("f.tif", flat[0])
    np.savetxt("angles.txt", series.angles_deg)
    with mrcfile.new("tilt.ali") as file:
        file.set_data(counts)
    np.savetxt("tilt.rawtlt", series.angles_deg)


def pair_and_network() -> None:
    """Two slides, and the folder of a network that has learned nothing."""
    pair = phantom_pair(1024, angle_deg=10)
    write_slide(pair.fixed, "a.tif")
    write_slide(pair.moving, "b.tif")
    recipe = Recipe(network="fcn", max_side_px=256)
    scope = Scope(lights=(("brightfield", "fluorescence"),))
    description = Description(recipe=recipe, scope=scope, training_set=())
    write_model(Model(description, drawn_weights(recipe.architecture, 0)), Path("model"))
