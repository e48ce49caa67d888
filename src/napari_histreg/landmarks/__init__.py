"""Paired points by hand: tables of them, what they fit, and the files they live in."""

from napari_histreg.landmarks.agreement import LANDMARK_MODELS, fit_landmarks
from napari_histreg.landmarks.dialects import DIALECTS, LandmarkDialect
from napari_histreg.landmarks.exchange import read_landmarks, write_landmarks
from napari_histreg.landmarks.guidance import (
    Prediction,
    localisation_error,
    predict,
    uncertainty,
    where_next,
)
from napari_histreg.landmarks.landmark_fit import LandmarkFit
from napari_histreg.landmarks.landmarks import Landmarks
from napari_histreg.landmarks.outliers import Outlier

__all__ = [
    "DIALECTS",
    "LANDMARK_MODELS",
    "LandmarkDialect",
    "LandmarkFit",
    "Landmarks",
    "Outlier",
    "Prediction",
    "fit_landmarks",
    "localisation_error",
    "predict",
    "read_landmarks",
    "uncertainty",
    "where_next",
    "write_landmarks",
]
