"""Slides, landmarks, signals and transforms as napari layers."""
