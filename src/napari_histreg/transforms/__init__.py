"""Maps between slides: kinds of transforms, fitting them to points, images seen through them."""

from napari_histreg.transforms.bijection import Bijection
from napari_histreg.transforms.bspline import BSpline
from napari_histreg.transforms.deformation import Deformation, Folding
from napari_histreg.transforms.displacement import DisplacementField
from napari_histreg.transforms.fitting import (
    fit_affine,
    fit_rigid,
    fit_similarity,
    fit_transform,
    fit_translation,
)
from napari_histreg.transforms.kinds import KINDS, transform_from_dict
from napari_histreg.transforms.matrix import Affine, MatrixTransform, Projective
from napari_histreg.transforms.pixels import affine_over, approximate_affine, from_pixel_matrix, pixel_matrix
from napari_histreg.transforms.point_pairs import MINIMUM_PAIRS, MODELS
from napari_histreg.transforms.projective_fit import fit_projective
from napari_histreg.transforms.resampling import resample
from napari_histreg.transforms.robust import RobustFit, fit_robust
from napari_histreg.transforms.similarity import Rigid, Similarity, Translation
from napari_histreg.transforms.thin_plate import InverseThinPlate, ThinPlate
from napari_histreg.transforms.thin_plate_fit import fit_thin_plate
from napari_histreg.transforms.transform import Sequence, Transform, as_points

__all__ = [
    "KINDS",
    "MINIMUM_PAIRS",
    "MODELS",
    "Affine",
    "BSpline",
    "Bijection",
    "Deformation",
    "DisplacementField",
    "Folding",
    "InverseThinPlate",
    "MatrixTransform",
    "Projective",
    "Rigid",
    "RobustFit",
    "Sequence",
    "Similarity",
    "ThinPlate",
    "Transform",
    "Translation",
    "affine_over",
    "approximate_affine",
    "as_points",
    "fit_affine",
    "fit_projective",
    "fit_rigid",
    "fit_robust",
    "fit_similarity",
    "fit_thin_plate",
    "fit_transform",
    "fit_translation",
    "from_pixel_matrix",
    "pixel_matrix",
    "resample",
    "transform_from_dict",
]
