"""Slides and shapes carried into another slide's frame."""

from napari_histreg.warping.aligned import Output, aligned_slide
from napari_histreg.warping.channels import merge_slides, select_channels
from napari_histreg.warping.grid import Grid
from napari_histreg.warping.warp import warp_slide

__all__ = ["Grid", "Output", "aligned_slide", "merge_slides", "select_channels", "warp_slide"]
