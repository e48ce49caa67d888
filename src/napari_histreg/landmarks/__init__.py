"""Paired points by hand: tables of them, what they fit, and the files they live in."""

from napari_histreg.landmarks.landmarks import Landmarks

__all__ = ["Landmarks"]
