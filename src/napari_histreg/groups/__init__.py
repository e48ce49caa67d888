"""Many slides of one specimen in one frame: links between pairs, one solution for all, a verdict for each."""

from napari_histreg.groups.group import GroupRegistration, Link, Loop, Member
from napari_histreg.groups.recipe import register_group

__all__ = ["GroupRegistration", "Link", "Loop", "Member", "register_group"]
