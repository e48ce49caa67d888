"""A slide made comparable: stains, tissue, nuclear signal, intensities, one raster."""

from napari_histreg.preprocess.field import valid_field
from napari_histreg.preprocess.intensity import (
    equalise,
    gaussian_normalise,
    local_normalise,
    masked_blur,
    scale_percentiles,
)
from napari_histreg.preprocess.modality import Modality, guess_modality
from napari_histreg.preprocess.nuclear import (
    choose_stains,
    find_nuclear_name,
    nuclear_density,
    pick_nuclear_channel,
)
from napari_histreg.preprocess.planes import Planes, read_planes, working_spacing
from napari_histreg.preprocess.prepare import Recipe, common_spacing, prepare, prepare_pair
from napari_histreg.preprocess.stain import (
    Stains,
    estimate_stains,
    estimate_white,
    optical_density,
    ruifrok_stains,
    separate_stains,
)
from napari_histreg.preprocess.tissue import tissue_fraction, tissue_mask

__all__ = [
    "Modality",
    "Planes",
    "Recipe",
    "Stains",
    "choose_stains",
    "common_spacing",
    "equalise",
    "estimate_stains",
    "estimate_white",
    "find_nuclear_name",
    "gaussian_normalise",
    "guess_modality",
    "local_normalise",
    "masked_blur",
    "nuclear_density",
    "optical_density",
    "pick_nuclear_channel",
    "prepare",
    "prepare_pair",
    "read_planes",
    "ruifrok_stains",
    "scale_percentiles",
    "separate_stains",
    "tissue_fraction",
    "tissue_mask",
    "valid_field",
    "working_spacing",
]
