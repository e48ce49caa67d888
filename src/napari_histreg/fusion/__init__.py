"""Slides merged into one, lazily."""

from napari_histreg.fusion.composite import brightfield_composite
from napari_histreg.fusion.fuse import RULES, RuleSpec, fuse_slides
from napari_histreg.fusion.overlay import colour_overlay

__all__ = ["RULES", "RuleSpec", "brightfield_composite", "colour_overlay", "fuse_slides"]
