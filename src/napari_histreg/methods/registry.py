"""The table of registration methods: what each can do, what it needs, and how to get it."""

from napari_histreg.methods.method import Method
from napari_histreg.methods.spec import MethodSpec, row_named

__all__ = [
    "METHODS",
    "MethodSpec",
    "find_method",
    "list_methods",
    "method_class",
]

METHODS: tuple[MethodSpec, ...] = (
    MethodSpec(
        name="sift",
        title="SIFT features",
        summary="Matches distinct points; any rotation, scale and mirror; best where both images show "
        "the same section.",
        target="napari_histreg.methods.features.features:Sift",
        requires=("cv2",),
        kinds=("rigid", "similarity", "affine", "projective"),
        rotation_deg=180.0,
        scale_range=(0.4, 2.5),
        mirror=True,
        tolerance_px=1.0,
        doi=("10.1023/B:VISI.0000029664.99615.94", "10.1145/358669.358692"),
    ),
    MethodSpec(
        name="orb",
        title="ORB features",
        summary="Matches distinct points, faster and coarser than SIFT; any rotation and mirror.",
        target="napari_histreg.methods.features.features:Orb",
        requires=("cv2",),
        kinds=("rigid", "similarity", "affine", "projective"),
        rotation_deg=180.0,
        scale_range=(0.6, 1.6),
        mirror=True,
        tolerance_px=1.0,
        doi=("10.1109/ICCV.2011.6126544", "10.1145/358669.358692"),
    ),
    MethodSpec(
        name="brisk",
        title="BRISK features",
        summary="Matches distinct points by a ring pattern; any rotation and mirror.",
        target="napari_histreg.methods.features.features:Brisk",
        requires=("cv2.BRISK_create|cv2.xfeatures2d.BRISK_create",),
        package="opencv-contrib-python-headless",
        kinds=("rigid", "similarity", "affine", "projective"),
        rotation_deg=180.0,
        scale_range=(0.6, 1.6),
        mirror=True,
        tolerance_px=1.0,
        doi=("10.1109/ICCV.2011.6126542",),
    ),
    MethodSpec(
        name="freak",
        title="FREAK features",
        summary="Matches distinct points by a retina pattern; any rotation and mirror.",
        target="napari_histreg.methods.features.features:Freak",
        requires=("cv2.xfeatures2d.FREAK_create",),
        package="opencv-contrib-python-headless",
        kinds=("rigid", "similarity", "affine", "projective"),
        rotation_deg=180.0,
        scale_range=(0.6, 1.6),
        mirror=True,
        tolerance_px=1.0,
        doi=("10.1109/CVPR.2012.6247715",),
    ),
    MethodSpec(
        name="ecc",
        title="ECC",
        summary="Maximises the correlation of two signals that agree up to brightness and contrast; exact, "
        "from a start that is nearly right.",
        target="napari_histreg.methods.intensity.ecc:ECC",
        requires=("cv2",),
        kinds=("translation", "rigid", "affine", "projective"),
        rotation_deg=8.0,
        scale_range=(0.95, 1.05),
        tolerance_px=0.5,
        doi=("10.1109/TPAMI.2008.113",),
    ),
    MethodSpec(
        name="mi",
        title="Mutual information",
        summary="Maximises what one signal tells about the other, for stains that look nothing alike; from a "
        "start that is some fifteen degrees off at most.",
        target="napari_histreg.methods.intensity.mutual_information:MutualInformation",
        requires=("SimpleITK",),
        kinds=("rigid", "similarity", "affine"),
        multimodal=True,
        rotation_deg=15.0,
        scale_range=(0.9, 1.1),
        tolerance_px=0.5,
        doi=("10.1109/TMI.2003.809072",),
    ),
    MethodSpec(
        name="elastix",
        title="elastix",
        summary="Rigid, affine and free-form registration by mutual information, or by elastix's own "
        "parameter files.",
        target="napari_histreg.methods.elastix.method:Elastix",
        requires=("itk",),
        extra="elastix",
        kinds=("rigid", "affine", "sequence"),
        multimodal=True,
        nonrigid=True,
        rotation_deg=8.0,
        scale_range=(0.95, 1.05),
        tolerance_px=0.5,
        doi=("10.1109/TMI.2009.2035616", "10.3389/fninf.2013.00050"),
    ),
    MethodSpec(
        name="phase",
        title="Phase correlation",
        summary="Finds shift, rotation, scale and mirror from the spectra of two images that show mostly the "
        "same.",
        target="napari_histreg.methods.fourier.phase:Phase",
        requires=("skimage", "scipy"),
        kinds=("translation", "similarity"),
        multimodal=True,
        rotation_deg=180.0,
        scale_range=(0.65, 1.6),
        mirror=True,
        tolerance_px=0.5,
        doi=("10.1364/OL.33.000156", "10.1109/83.506761", "10.1109/TIP.2011.2181402"),
    ),
    MethodSpec(
        name="correlation",
        title="Correlation search",
        summary="Tries every shift and takes the greatest correlation; finds a small image in a large one.",
        target="napari_histreg.methods.fourier.correlation:Correlation",
        requires=("scipy",),
        kinds=("translation",),
        rotation_deg=0.0,
        tolerance_px=0.5,
        doi=("10.1109/TIP.2011.2181402",),
    ),
    MethodSpec(
        name="moments",
        title="Moments of the tissue",
        summary="Brings centre and axes of the tissue onto one another, whichever way round; needs its whole "
        "outline.",
        target="napari_histreg.methods.intensity.moments:Moments",
        requires=("SimpleITK", "skimage"),
        kinds=("rigid", "similarity"),
        multimodal=True,
        signal="grey",
        rotation_deg=180.0,
        scale_range=(0.2, 5.0),
        mirror=True,
        tolerance_px=2.0,
        doi=("10.1109/TIT.1962.1057692",),
    ),
    MethodSpec(
        name="flow",
        title="Optical flow",
        summary="Bends the moving image pixel by pixel where local densities agree; goes on from an affine "
        "start.",
        target="napari_histreg.methods.nonrigid.optical_flow:OpticalFlow",
        requires=("cv2", "skimage"),
        kinds=("displacement",),
        nonrigid=True,
        needs_start=True,
        tolerance_px=1.0,
        doi=(
            "10.1007/978-3-540-74936-3_22",
            "10.1109/ICIP.2005.1529706",
            "10.1007/978-3-319-46493-0_29",
        ),
    ),
    MethodSpec(
        name="demons",
        title="Demons",
        summary="Bends the moving image smoothly until local densities agree; goes on from an affine start.",
        target="napari_histreg.methods.nonrigid.demons:Demons",
        requires=("SimpleITK",),
        kinds=("displacement",),
        nonrigid=True,
        needs_start=True,
        tolerance_px=1.0,
        doi=("10.1016/S1361-8415(98)80022-4", "10.1016/j.neuroimage.2008.10.040"),
    ),
    MethodSpec(
        name="free_form",
        title="Free-form B-spline",
        summary="Bends a grid of control points by mutual information, for stains that look nothing alike; "
        "goes on from an affine start.",
        target="napari_histreg.methods.nonrigid.free_form:FreeForm",
        requires=("SimpleITK",),
        kinds=("bspline",),
        multimodal=True,
        nonrigid=True,
        needs_start=True,
        tolerance_px=1.0,
        doi=("10.1109/42.796284", "10.1109/TMI.2003.809072"),
    ),
    MethodSpec(
        name="instance",
        title="Instance optimisation",
        summary="Bends a grid by the losses of learned registration, for this pair alone, untrained; "
        "goes on from an affine start.",
        target="napari_histreg.methods.nonrigid.instance:InstanceOptimisation",
        requires=("cv2",),
        kinds=("displacement",),
        multimodal=True,
        nonrigid=True,
        needs_start=True,
        tolerance_px=1.0,
        doi=(
            "10.1109/TMI.2024.3462248",
            "10.1007/978-3-319-08554-8_6",
            "10.1016/j.media.2007.06.004",
            "10.1007/978-3-642-40811-3_24",
        ),
    ),
)
"""Methods for pairs of slides, in the order in which they are listed."""


def list_methods(*, available: bool | None = None) -> tuple[MethodSpec, ...]:
    """Give the table of methods.

    Parameters
    ----------
    available : bool, optional
        Only those whose packages are installed (True) or missing (False); all by default.

    Returns
    -------
    tuple of MethodSpec

    Examples
    --------
    >>> "ecc" in [spec.name for spec in list_methods()]
    True
    """
    return tuple(spec for spec in METHODS if available is None or spec.is_available == available)


def find_method(name: str) -> MethodSpec:
    """Look a method up by its name.

    Raises
    ------
    ValueError
        There is no such method; the message lists those there are.

    Examples
    --------
    >>> find_method("ecc").kinds
    ('translation', 'rigid', 'affine', 'projective')
    """
    return row_named(METHODS, name)


def method_class(name: str) -> type[Method]:
    """Import a method's class by its name.

    Raises
    ------
    ValueError
        There is no such method.
    MissingDependency
        A package it needs is not installed.

    Examples
    --------
    >>> method_class("ecc").name
    'ecc'
    """
    found = find_method(name).load()
    if not issubclass(found, Method):
        raise TypeError(f"The row {name!r} of the table names {found.__name__}, which is no method.")
    return found
