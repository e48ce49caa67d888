"""The programs that benchmarks/peers.py compares; each takes two picture files, in a process of its own.

A program returns the matrix from moving to fixed pixels (x, y) and a note. It gets the two files, and is told
what a user sees at a glance: whether one lies face down (``told.json`` beside them).
"""

import json
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

SETTINGS = {
    "auto": "`register(fixed, moving)` with its defaults",
    "sift": "`SIFT_create`, ratio 0.75, `estimateAffine2D` by RANSAC within 5 px; as in OpenCV's tutorial",
    "ecc": "`findTransformECC`, affine, from the identity, at most 200 steps, Gaussian of 5 px",
    "simpleitk": "Mattes mutual information, affine, from centre on centre, three levels",
    "elastix": "its default maps, rigid and then affine",
    "palom": "`search_then_register` as `palom-align-he` calls it: 10 000 key points, of a coloured picture "
    "the green channel; without the mask that is meant for whole slides, and without the shifts of blocks "
    "that follow, which start from this matrix",
    "valis": "`Valis(…).register()`, the rigid part; where the pair is mirrored with "
    "`check_for_reflections=True`",
}
"""How each was called."""


def version_of(tool):
    """Return the name and the version of what a program runs, asked of what is installed where it runs."""
    if tool == "elastix":
        import itk

        return f"itk-elastix {version('itk-elastix')} with ITK {itk.Version.GetITKVersion()}"
    if tool in ("sift", "ecc"):
        import cv2

        return f"OpenCV {cv2.__version__}"
    if tool == "auto":
        import napari_histreg

        return f"napari-histreg {napari_histreg.__version__.partition('+')[0]}"
    name, package = {
        "simpleitk": ("SimpleITK", "SimpleITK"),
        "palom": ("palom", "palom"),
        "valis": ("VALIS", "valis-wsi"),
    }[tool]
    return f"{name} {version(package)}"


def grey(path):
    import cv2

    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)


def sift(fixed, moving):
    import cv2

    finder = cv2.SIFT_create()
    (k1, d1), (k2, d2) = (finder.detectAndCompute(grey(path), None) for path in (fixed, moving))
    matches = [m for m, n in cv2.BFMatcher().knnMatch(d2, d1, k=2) if m.distance < 0.75 * n.distance]
    if len(matches) < 4:
        raise RuntimeError(f"{len(matches)} matches")
    source = np.array([k2[m.queryIdx].pt for m in matches])
    target = np.array([k1[m.trainIdx].pt for m in matches])
    matrix, inliers = cv2.estimateAffine2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=5)
    if matrix is None:
        raise RuntimeError("no matrix")
    return matrix, f"{int(inliers.sum())} inliers of {len(matches)}"


def ecc(fixed, moving):
    import cv2

    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 200, 1e-6)
    start = np.eye(2, 3, dtype=np.float32)
    score, found = cv2.findTransformECC(
        grey(fixed), grey(moving), start, cv2.MOTION_AFFINE, criteria, None, 5
    )
    return cv2.invertAffineTransform(found), f"correlation {score:.2f}"


def simpleitk(fixed, moving):
    import SimpleITK as sitk

    one, two = (sitk.GetImageFromArray(grey(path).astype(np.float32)) for path in (fixed, moving))
    start = sitk.CenteredTransformInitializer(
        one, two, sitk.AffineTransform(2), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.2, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-4, 300, 0.7)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SetInitialTransform(start, inPlace=False)
    found = sitk.AffineTransform(sitk.CompositeTransform(method.Execute(one, two)).GetNthTransform(0))
    linear = np.array(found.GetMatrix()).reshape(2, 2)
    forward = _about(linear, np.array(found.GetCenter()), np.array(found.GetTranslation()))
    return np.linalg.inv(forward)[:2], f"metric {method.GetMetricValue():.2f}"


def elastix(fixed, moving):
    import itk

    one, two = (itk.image_from_array(grey(path).astype(np.float32)) for path in (fixed, moving))
    maps = itk.ParameterObject.New()
    for name in ("rigid", "affine"):
        maps.AddParameterMap(maps.GetDefaultParameterMap(name))
    _, found = itk.elastix_registration_method(one, two, parameter_object=maps, log_to_console=False)
    forward = np.eye(3)
    for k in range(found.GetNumberOfParameterMaps()):
        step = found.GetParameterMap(k)
        values = np.array([float(v) for v in step["TransformParameters"]])
        centre = np.array([float(v) for v in step["CenterOfRotationPoint"]])
        if len(values) == 3:
            c, s = np.cos(values[0]), np.sin(values[0])
            linear, shift = np.array([[c, -s], [s, c]]), values[1:]
        else:
            linear, shift = values[:4].reshape(2, 2), values[4:]
        # elastix: a later map acts on what the earlier one gives.
        forward = _about(linear, centre, shift) @ forward
    return np.linalg.inv(forward)[:2], ""


def _about(linear, centre, shift):
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, centre + shift - linear @ centre
    return matrix


def palom(fixed, moving):
    import cv2
    import matplotlib

    matplotlib.use("Agg")
    from palom.register_dev import search_then_register

    pictures = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in (fixed, moving)]
    planes = [picture[..., 1] if picture.ndim == 3 else picture for picture in pictures]
    found = search_then_register(
        *planes, n_keypoints=10_000, auto_mask=False, search_kwargs={"auto_mask": False}
    )
    if np.allclose(found, np.eye(3)[:2]):
        raise RuntimeError("too few matches, the identity in place of a result")
    return np.asarray(found), ""


def valis(fixed, moving):
    import shutil

    import cv2
    from valis import registration

    with tempfile.TemporaryDirectory() as folder:
        slides = Path(folder) / "slides"
        slides.mkdir()
        shutil.copy(fixed, slides / "fixed.png")
        shutil.copy(moving, slides / "moving.png")
        registrar = registration.Valis(
            str(slides),
            str(Path(folder) / "out"),
            reference_img_f="fixed.png",
            check_for_reflections=json.loads((fixed.parent / "told.json").read_text())["mirrored"],
            non_rigid_registrar_cls=None,
        )
        registrar.register()
        slide = registrar.get_slide("moving")
        height, width = cv2.imread(str(moving)).shape[:2]
        corners = np.array([[0, 0], [width - 1, 0], [0, height - 1]], float)
        landed = slide.warp_xy_from_to(corners, registrar.get_slide("fixed"), non_rigid=False)
    matrix = cv2.getAffineTransform(corners.astype(np.float32), np.asarray(landed, np.float32))
    return matrix, ""


def auto(fixed, moving):
    import napari_histreg

    result = napari_histreg.register(fixed, moving, must_find=False)
    if result.verdict == "refused":
        raise RuntimeError("refused")
    matrix = np.linalg.inv(result.fixed_to_moving.matrix)  # (y, x), pixels: the files have no pixel size
    swapped = matrix[np.ix_([1, 0, 2], [1, 0, 2])]
    return swapped[:2], result.verdict
