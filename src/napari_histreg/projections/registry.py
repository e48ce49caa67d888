"""The table of methods for series of projections; its rows are those of the pair methods' table."""

from napari_histreg.methods.spec import MethodSpec, row_named
from napari_histreg.projections.method import ProjectionMethod

__all__ = ["PROJECTION_METHODS", "find_projection_method", "projection_method_class"]

_ROOM = "napari_histreg.projections."

PROJECTION_METHODS: tuple[MethodSpec, ...] = (
    MethodSpec(
        name="joint",
        title="Joint",
        summary="Re-projection started by vertical profile and moments, which also hold what is smooth over "
        "the angles; the one to take.",
        target=_ROOM + "reprojection:Joint",
        requires=("scipy",),
        kinds=("shifts", "axis"),
        tolerance_px=0.15,
        doi=("10.1038/s41598-017-12141-9", "10.1007/BF02391776"),
    ),
    MethodSpec(
        name="reprojection",
        title="Iterative re-projection",
        summary="Reconstructs, predicts each view from all others, registers and repeats, from nothing and "
        "coarse to fine; for bodies that leave the field.",
        target=_ROOM + "reprojection:Reprojection",
        requires=("scipy",),
        kinds=("shifts",),
        tolerance_px=1.0,
        doi=("10.1038/s41598-017-12141-9",),
    ),
    MethodSpec(
        name="moments",
        title="Profile and moments",
        summary="Lays the vertical mass profiles onto one another and puts all bands of rows on sinusoids; "
        "fast, needs the whole width of the body.",
        target=_ROOM + "mass:Moments",
        requires=("scipy",),
        kinds=("shifts", "axis"),
        tolerance_px=0.3,
        doi=("10.1007/BF02391776", "10.1186/s40679-015-0005-7"),
    ),
    MethodSpec(
        name="mass",
        title="Centre of mass",
        summary="Puts each frame's centre of mass on a sinusoid along x and on a constant along y; needs the "
        "whole body.",
        target=_ROOM + "mass:Mass",
        requires=("scipy",),
        kinds=("shifts", "axis"),
        tolerance_px=0.5,
        doi=("10.1007/BF02391776",),
    ),
    MethodSpec(
        name="common_line",
        title="Common line",
        summary="Matches the line that all views' transforms share, and its slope across; needs the whole "
        "body.",
        target=_ROOM + "common_line:CommonLine",
        requires=("scipy",),
        kinds=("shifts", "axis"),
        tolerance_px=0.5,
        doi=("10.1098/rstb.1971.0054",),
    ),
    MethodSpec(
        name="features",
        title="Feature tracks",
        summary="Follows SIFT points over the angles and adjusts tracks and shifts together; for bodies with "
        "small, distinct detail.",
        target=_ROOM + "tracks:FeatureTracks",
        requires=("cv2",),
        kinds=("shifts",),
        tolerance_px=1.0,
        doi=("10.1023/B:VISI.0000029664.99615.94", "10.1186/1471-2105-10-124"),
    ),
    MethodSpec(
        name="correlation",
        title="Chain of cross-correlations",
        summary="Lays each view onto the one before and adds up; the sum drifts, bounded along y by views "
        "180 degrees apart.",
        target=_ROOM + "chain:CorrelationChain",
        requires=("skimage",),
        kinds=("shifts",),
        tolerance_px=0.5,
        doi=("10.1364/OL.33.000156",),
    ),
    MethodSpec(
        name="phase",
        title="Chain of phase correlations",
        summary="The same by the phases alone, which an uneven beam disturbs less and noise more.",
        target=_ROOM + "chain:PhaseChain",
        requires=("skimage",),
        kinds=("shifts",),
        tolerance_px=1.0,
        doi=("10.1364/OL.33.000156",),
    ),
)


def find_projection_method(name: str) -> MethodSpec:
    """Look a method up by its name.

    Raises
    ------
    ValueError
        There is no such method; the message lists those there are.

    Examples
    --------
    >>> find_projection_method("mass").title
    'Centre of mass'
    """
    return row_named(PROJECTION_METHODS, name, "for projections")


def projection_method_class(name: str) -> type[ProjectionMethod]:
    """Import a method's class by its name.

    Raises
    ------
    ValueError
        There is no such method.

    Examples
    --------
    >>> projection_method_class("mass").name
    'mass'
    """
    found = find_projection_method(name).load()
    if not issubclass(found, ProjectionMethod):
        raise TypeError(f"The row {name!r} of the table names {found.__name__}, which is no such method.")
    return found
