"""A head as MR and as CT, and one eye on three visits: the files that the page on volumes speaks of."""

from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from napari_histreg.transforms import Similarity
from napari_histreg.volumes import write_volume
from retinas import moved, visit
from volumes.bodies import as_ct, as_mr, head
from volumes.dicom_files import write_series

TIMES, SPACING_MM = (2, 4, 4), (3.5, 1.4, 1.4)
"""By how much the tiny head is enlarged, so that there is something to see across its planes too."""
BEFORE = (3, 10, 4)
"""So many voxels (z, y, x) before its place in the MR a thing is shown in the CT."""
RANGES = {"mr": (0, 600), "ct": (-100, 150)}
"""What is shown from black to white in a picture of either."""


def volumes_and_retinas() -> None:
    """`mr.nii.gz`, series 3 in `ct`, a plane of each; `eye`, its `masks`, and two visits of it."""
    kinds = np.kron(head(shape=(20, 34, 30))[0], np.ones(TIMES, int))
    place = np.diag([*SPACING_MM, 1.0])
    mr, ct = as_mr(kinds, place), as_ct(np.roll(kinds, [-step for step in BEFORE], (0, 1, 2)), place)
    write_volume(mr, Path("mr.nii.gz"))
    heights = SPACING_MM[0] * np.arange(len(kinds))
    write_series(Path("ct"), ct.pixels, heights=heights, spacing=SPACING_MM[1:], number=3)
    for name, plane in (("mr", mr.pixels[12]), ("ct", ct.pixels[12 - BEFORE[0]])):
        grey = np.interp(plane, RANGES[name], (0, 255)).astype(np.uint8)
        Image.fromarray(grey).save(f"{name}.png")
    Path("eye").mkdir()
    Path("masks").mkdir()
    for number, to_visit in enumerate(
        (Similarity.identity(), moved(6, (8, -5)), moved(-4, (-6, 7))), start=1
    ):
        picture, vessels = visit(to_visit, number)
        mask = Image.fromarray((255 * vessels).astype(np.uint8))
        mask.save(f"masks/eye{number}.png")
        tifffile.imwrite(f"eye/eye{number}.tif", picture, photometric="rgb")
        if number < 3:
            tifffile.imwrite(f"eye{number}.tif", picture, photometric="rgb")
            mask.save(f"vessels{number}.png")
