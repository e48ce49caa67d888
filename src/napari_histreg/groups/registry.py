"""The table of methods for groups of slides; its rows are those of the pair methods' table."""

from napari_histreg.methods.spec import MethodSpec

__all__ = ["GROUP_METHODS", "find_group_method"]

GROUP_METHODS: tuple[MethodSpec, ...] = (
    MethodSpec(
        name="elastix_groupwise",
        title="elastix, groupwise",
        summary="Bends up to 20 small slides of a group to their mean at once, after the group was aligned; "
        "any mixture of stains.",
        target="napari_histreg.methods.elastix.groupwise:ElastixGroupwise",
        requires=("itk",),
        extra="elastix",
        kinds=("bspline",),
        multimodal=True,
        nonrigid=True,
        needs_start=True,
        tolerance_px=1.0,
        doi=("10.1109/TMI.2009.2035616", "10.1016/j.media.2015.12.004", "10.1016/j.media.2010.10.003"),
    ),
)
"""Methods that take all slides of a group at once."""


def find_group_method(name: str) -> MethodSpec | None:
    """Look a method for groups up by its name; None where it is none.

    Examples
    --------
    >>> find_group_method("auto") is None
    True
    """
    return next((spec for spec in GROUP_METHODS if spec.name == name), None)
