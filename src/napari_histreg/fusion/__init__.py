"""Slides merged into one, lazily."""

from napari_histreg.fusion.composite import brightfield_composite
from napari_histreg.fusion.fuse import RULES, RuleSpec, fuse_slides

__all__ = ["RULES", "RuleSpec", "brightfield_composite", "fuse_slides"]
