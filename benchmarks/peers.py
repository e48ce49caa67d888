"""The same pairs by other programs: median error at landmarks that none of them sees.

    python benchmarks/peers.py [--python TOOL=/path/to/bin/python …] [--tools sift,ecc,…] [--page FILE.md]

Each program gets what a user would give it first: grey overviews of at most 1024 px as PNG, with its defaults
or the settings of its own tutorial, named below. Each runs in a process of its own, and those that cannot
live in one environment with this package in one of their own (`--python palom=…`). Only what ran stands in
the table, with versions.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

LIMIT_CPU_S, LIMIT_S = 180, 900
"""Of each run: processor time, which a busy machine does not change, and a last resort on the clock."""
TUTORIAL = {
    "sift": "OpenCV: SIFT, ratio 0.75, affine by RANSAC within 5 px",
    "ecc": "OpenCV: findTransformECC, affine, from the identity",
    "simpleitk": "SimpleITK: Mattes mutual information, affine, from centre on centre, three levels",
    "elastix": "elastix: its default maps rigid and affine",
    "palom": "palom: coarse_register_affine, without the shifts of blocks that follow it",
    "valis": "VALIS: registrar.register() on a folder of two slides, rigid part",
    "auto": "this package: register(fixed, moving)",
}


def sift(fixed, moving):
    import cv2

    finder = cv2.SIFT_create()
    (k1, d1), (k2, d2) = (finder.detectAndCompute(picture, None) for picture in (fixed, moving))
    matches = [m for m, n in cv2.BFMatcher().knnMatch(d2, d1, k=2) if m.distance < 0.75 * n.distance]
    if len(matches) < 4:
        raise RuntimeError(f"{len(matches)} matches")
    source = np.array([k2[m.queryIdx].pt for m in matches])
    target = np.array([k1[m.trainIdx].pt for m in matches])
    matrix, inliers = cv2.estimateAffine2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=5)
    if matrix is None:
        raise RuntimeError("no matrix")
    return matrix, f"{int(inliers.sum())} inliers of {len(matches)}", f"OpenCV {cv2.__version__}"


def ecc(fixed, moving):
    import cv2

    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 200, 1e-6)
    fixed_to_moving = np.eye(2, 3, dtype=np.float32)
    score, found = cv2.findTransformECC(fixed, moving, fixed_to_moving, cv2.MOTION_AFFINE, criteria, None, 5)
    return cv2.invertAffineTransform(found), f"correlation {score:.2f}", f"OpenCV {cv2.__version__}"


def simpleitk(fixed, moving):
    import SimpleITK as sitk

    one, two = (sitk.GetImageFromArray(picture.astype(np.float32)) for picture in (fixed, moving))
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
    centre, shift = np.array(found.GetCenter()), np.array(found.GetTranslation())
    forward = np.eye(3)
    forward[:2, :2], forward[:2, 2] = linear, centre + shift - linear @ centre
    version = f"SimpleITK {sitk.Version.VersionString()}"
    return np.linalg.inv(forward)[:2], f"metric {method.GetMetricValue():.2f}", version


def elastix(fixed, moving):
    import itk

    one, two = (itk.image_from_array(picture.astype(np.float32)) for picture in (fixed, moving))
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
        part = np.eye(3)
        part[:2, :2], part[:2, 2] = linear, centre + shift - linear @ centre
        # A later step is applied first: T(x) = T_before(T_this(x)) in elastix's composition.
        forward = part @ forward
    return np.linalg.inv(forward)[:2], "", f"itk-elastix with ITK {itk.Version.GetITKVersion()}"


def palom(fixed, moving):
    from importlib.metadata import version

    import dask.array as da
    from palom.align import Aligner

    aligner = Aligner(
        da.from_array(fixed, chunks=256), da.from_array(moving, chunks=256), fixed, moving, 1, 1
    )
    aligner.coarse_register_affine(n_keypoints=4000)
    return np.asarray(aligner.affine_matrix)[:2], "its affine part", f"palom {version('palom')}"


def valis(fixed, moving):
    from importlib.metadata import version

    import cv2
    from valis import registration

    with tempfile.TemporaryDirectory() as folder:
        slides = Path(folder) / "slides"
        slides.mkdir()
        for name, picture in (("fixed", fixed), ("moving", moving)):
            cv2.imwrite(str(slides / f"{name}.png"), picture)
        registrar = registration.Valis(
            str(slides), str(Path(folder) / "out"), reference_img_f="fixed.png", non_rigid_registrar_cls=None
        )
        registrar.register()
        slide = registrar.get_slide("moving.png")
        corners = np.array([[0, 0], [moving.shape[1] - 1, 0], [0, moving.shape[0] - 1]], float)
        landed = slide.warp_xy_from_to(corners, registrar.get_slide("fixed.png"), non_rigid=False)
        registration.kill_jvm()
    return (
        cv2.getAffineTransform(corners.astype(np.float32), np.asarray(landed, np.float32)),
        "",
        (f"VALIS {version('valis-wsi')}"),
    )


def auto(fixed, moving):
    import napari_histreg

    result = napari_histreg.register(fixed, moving, must_find=False)
    if result.verdict == "refused":
        raise RuntimeError("refused")
    matrix = np.linalg.inv(result.fixed_to_moving.matrix)  # (y, x), pixels: the pictures have no pixel size
    swapped = matrix[np.ix_([1, 0, 2], [1, 0, 2])]
    return swapped[:2], result.verdict, f"napari-histreg {napari_histreg.__version__.partition('+')[0]}"


def one(tool: str, folder: str) -> None:
    """Run one program on one pair, in this process, and print what came out as the last line."""
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_CPU_S, LIMIT_CPU_S + 10))
    fixed, moving = (np.load(Path(folder) / f"{side}.npy") for side in ("fixed", "moving"))
    try:
        matrix, note, version = globals()[tool](fixed, moving)
        answer = {"matrix": np.asarray(matrix, float).tolist(), "note": note, "version": version}
    except Exception as error:  # noqa: BLE001  # whatever ends another program is its result
        answer = {"failed": " ".join(f"{type(error).__name__}: {error}".split())[:120]}
    used = resource.getrusage(resource.RUSAGE_SELF)
    answer["cpu_s"] = used.ru_utime + used.ru_stime
    print("\n" + json.dumps(answer))


def pairs(folder: Path):
    """Yield name, fixed and moving slide, and landmarks: two stains and one, near and far."""
    from napari_histreg import Rigid, demo_pair, open_slide, phantom_pair
    from napari_histreg.warping import Grid, warp_slide

    demo = demo_pair(folder)
    fixed, moving = open_slide(demo.fixed), open_slide(demo.moving)
    marks = demo.landmarks()
    yield "one stain, turned by 20°", *_turned(fixed, Rigid, Grid, warp_slide, marks.fixed)
    yield "two stains, turned by 152° and mirrored", fixed, moving, marks.fixed, marks.moving
    start = Rigid.of(angle_deg=3, translation=(3, -2.6), centre=(128, 128))
    near = warp_slide(
        moving, start.then(demo.fixed_to_moving), Grid.of(fixed), pixel_size_um=fixed.pixel_size_um
    )
    yield "two stains, turned by 3°", fixed, near, marks.fixed, start.inverse()(marks.fixed)
    phantom = phantom_pair(1500, angle_deg=3, mirrored=False)
    line = np.linspace(0.25, 0.75, 7)
    points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2) * phantom.fixed.size
    yield "phantom, two stains, 3°", phantom.fixed, phantom.moving, points, phantom.fixed_to_moving(points)


def _turned(fixed, rigid, grid, warp_slide, points):
    turn = rigid.of(angle_deg=20, translation=(4, 3), centre=(128, 128))
    copy = warp_slide(fixed, turn, grid.of(fixed), pixel_size_um=fixed.pixel_size_um)
    return fixed, copy, points, turn.inverse()(points)


def grey(slide):
    """Return an overview as a PNG of it would be: grey, 8 bits; and the level it is of."""
    level = slide.level_for_size(1024)
    pixels = slide.read_level(level).astype(np.float32).mean(0)
    low, high = np.percentile(pixels, (0.5, 99.5))
    return (np.clip((pixels - low) / (high - low), 0, 1) * 255).astype(np.uint8), level


def measured(tool: str, python: str, folder: Path, landmarks) -> dict:
    """Run a program in a process of its own, and measure it."""
    command = [python, __file__, "--one", tool, str(folder)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        answer = json.loads(run.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {LIMIT_S} s"}
    except (IndexError, json.JSONDecodeError):
        if run.returncode < 0:
            return {"failed": f"ended by signal {-run.returncode} (limit: {LIMIT_CPU_S} s of processor)"}
        return {"failed": " ".join(run.stderr.strip().splitlines()[-1:])[:120]}
    if "matrix" in answer:
        fixed_xy, moving_xy = landmarks
        matrix = np.array(answer["matrix"])
        off = moving_xy @ matrix[:, :2].T + matrix[:, 2] - fixed_xy
        answer["error_px"] = float(np.median(np.linalg.norm(off, axis=1)))
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--one", nargs=2, metavar=("TOOL", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--python", action="append", default=[], metavar="TOOL=PYTHON")
    parser.add_argument("--tools", default="auto,sift,ecc,simpleitk,elastix")
    parser.add_argument("--page", type=Path, help="write the table as Markdown")
    arguments = parser.parse_args()
    if arguments.one:
        one(*arguments.one)
        return
    own = dict(item.split("=", 1) for item in arguments.python)
    tools = [*arguments.tools.split(","), *(tool for tool in own if tool not in arguments.tools.split(","))]
    table, versions, names = {tool: [] for tool in tools}, {}, []
    with tempfile.TemporaryDirectory() as scratch:
        for name, fixed, moving, fixed_points, moving_points in pairs(Path(scratch)):
            names.append(name)
            folder = Path(scratch) / str(len(names))
            folder.mkdir()
            (one_picture, i), (other, j) = grey(fixed), grey(moving)
            np.save(folder / "fixed.npy", one_picture)
            np.save(folder / "moving.npy", other)
            landmarks = fixed.to_pixel(fixed_points, i)[:, ::-1], moving.to_pixel(moving_points, j)[:, ::-1]
            for tool in tools:
                answer = measured(tool, own.get(tool, sys.executable), folder, landmarks)
                versions[tool] = answer.get("version", versions.get(tool, "?"))
                said = (
                    f"{answer['error_px']:.2f} px" if "error_px" in answer else f"failed: {answer['failed']}"
                )
                table[tool].append((said, answer.get("cpu_s")))
                spent = f"{answer.get('cpu_s') or 0:.1f} CPU s"
                print(f"{name:42} {tool:10} {said}   {answer.get('note', '')}   {spent}", flush=True)
    text = page(names, table, versions)
    print(text)
    if arguments.page:
        arguments.page.write_text(text, encoding="utf-8")


def page(names: list[str], table: dict, versions: dict) -> str:
    """Return the table as Markdown."""
    lines = [f"| program | {' | '.join(names)} |", "| --- |" + " --- |" * len(names)]
    for tool, answers in table.items():
        cells = " | ".join(said.replace("|", "/") for said, _ in answers)
        lines.append(f"| {versions[tool]}, `{tool}` | {cells} |")
    settings = [f"- `{tool}`: {TUTORIAL[tool]}" for tool in table]
    return "\n".join([*lines, "", *settings]) + "\n"


if __name__ == "__main__":
    main()
