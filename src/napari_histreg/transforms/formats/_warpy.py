"""Warpy's JSON (QuPath and Fiji): affine maps and a thin-plate spline between QuPath's pixels."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile, NotInvertible, UnsupportedDialect
from napari_histreg.geometry import SWAP, FloatArray, grid_points
from napari_histreg.progress import Progress
from napari_histreg.transforms.formats.conventions import MM_UM, TransformDialect, side_to_world, to_matrix
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.formats.reading import read_json
from napari_histreg.transforms.matrix import Affine, MatrixTransform
from napari_histreg.transforms.thin_plate import InverseThinPlate, ThinPlate
from napari_histreg.transforms.thin_plate_fit import fit_thin_plate
from napari_histreg.transforms.transform import Sequence, Transform

# The file's spline may differ from ours by this share of a fixed pixel, where it has to be approached.
BOUND_PX = 0.1
MOST_POINTS = 1600
# Solving a spline takes time that grows with the cube of its points, and memory with their square.
MOST_CENTRES = 4000
MOST_STEPS = 50
KEYS = ("srcPts", "tgtPts")


def read(
    path: Path, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> Transform:
    """Read a sequence that takes the moving slide's pixels to those of the fixed slide."""
    in_file = _transform(path, read_json(path))
    moving_to_px = Affine(side_to_world(dialect, moving, "moving") @ SWAP).inverse()
    px_to_fixed = Affine(side_to_world(dialect, fixed, "fixed") @ SWAP)
    try:
        return Sequence.of(moving_to_px, in_file, px_to_fixed).inverse()
    except NotInvertible as error:
        raise DamagedFile(f"{path} holds a transform that cannot be used: {error}") from error


def write(
    transform: Transform,
    path: Path,
    dialect: TransformDialect,
    fixed: SlideFrame | None,
    moving: SlideFrame | None,
    progress: Progress,
) -> None:
    """Write an affine map, or what bends as a thin-plate spline between millimetres."""
    if isinstance(transform, MatrixTransform):
        steps = [_affine3d(to_matrix(transform, dialect, fixed, moving))]
    else:
        steps = _spline_steps(transform, dialect, fixed, moving, progress)
    values: dict[str, Any] = {"type": "InvertibleRealTransformSequence", "size": len(steps)}
    values |= {f"realTransform_{k}": step for k, step in enumerate(steps)}
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8", newline="\n")


"""Between the file's (x, y, 1) and our (y, x, 1)."""


def _affine3d(matrix_xy: NDArray[np.floating]) -> dict[str, list[float]]:
    (a, b, t), (c, d, u) = matrix_xy[:2].tolist()
    return {"affinetransform3d": [a, b, 0.0, t, c, d, 0.0, u, 0.0, 0.0, 1.0, 0.0]}


def _spline_steps(
    transform: Transform,
    dialect: TransformDialect,
    fixed: SlideFrame | None,
    moving: SlideFrame | None,
    progress: Progress,
) -> list[dict[str, Any]]:
    moving_px, fixed_px = (side_to_world(dialect, f, s) for f, s in ((moving, "moving"), (fixed, "fixed")))
    to_mm = SWAP @ np.diag([1 / MM_UM, 1 / MM_UM, 1.0])
    source, target = _control_points(transform, fixed, progress)
    spline = {
        "type": "ThinplateSplineTransform",
        "srcPts": (source[:, ::-1] / MM_UM).T.tolist(),
        "tgtPts": (target[:, ::-1] / MM_UM).T.tolist(),
    }
    wrapped = {"type": "WrappedIterativeInvertibleRealTransform", "wrappedTransform": spline}
    return [
        _affine3d(to_mm @ moving_px),
        {"type": "Wrapped2DTransformAs3D", "wrappedTransform": wrapped},
        _affine3d(np.linalg.inv(to_mm @ fixed_px)),
    ]


def _control_points(
    transform: Transform, fixed: SlideFrame | None, progress: Progress
) -> tuple[FloatArray, FloatArray]:
    """Return points of the moving slide and where in the fixed slide a spline through them leads."""
    if isinstance(transform, InverseThinPlate) and len(transform.forward.centres) >= 3:
        # A spline is the one through its own values at its centres: nothing is lost.
        return transform.forward.centres, transform.forward(transform.forward.centres)
    if fixed is None or fixed.shape is None or fixed.pixel_size_um is None:
        raise UnsupportedDialect(
            f"A {transform.kind} transform goes into a Warpy file as a spline over the fixed slide, whose "
            "size and pixel size are needed. Pass fixed=SlideFrame(pixel_size_um=…, shape=…)."
        )
    extent = (np.array(fixed.shape) - 1) * np.array(fixed.pixel_size_um)
    count = 8
    while count**2 <= MOST_POINTS:
        progress(count**2 / MOST_POINTS, "fitting a spline to the transform")
        target = _lattice(extent, count)
        if isinstance(transform, ThinPlate):
            # Where it was pinned down by landmarks it bends most.
            target = np.unique(np.vstack([target, transform.centres]).round(9), axis=0)
        source = transform(target)
        between = _lattice(extent, 2 * count + 1)
        missed = fit_thin_plate(source, target, smoothing=0)(transform(between)) - between
        if np.linalg.norm(missed, axis=1).max() <= BOUND_PX * min(fixed.pixel_size_um):
            return source, target
        count = int(count * 1.5)
    raise UnsupportedDialect(
        f"This {transform.kind} transform bends too finely for the spline of a Warpy file: with "
        f"{len(target)} points it "
        f'would be off by {np.linalg.norm(missed, axis=1).max():.3g} µm. Use the dialect "itk_field".'
    )


def _lattice(extent: FloatArray, count: int) -> FloatArray:
    rows, columns = (np.linspace(0, extent[k], count) for k in range(2))
    return grid_points(rows, columns).reshape(-1, 2)


def _transform(path: Path, values: Any) -> Transform:
    """Return a transform of the file as it stands, from (y, x) to (y, x) in the file's units."""
    if not isinstance(values, dict):
        raise DamagedFile(f"{path} is no Warpy transform.")
    if "affinetransform3d" in values:
        numbers = _numbers(path, values["affinetransform3d"], (12,)).reshape(3, 4)
        matrix = np.eye(3)
        matrix[:2, :2], matrix[:2, 2] = numbers[:2, :2], numbers[:2, 3]
        return Affine(SWAP @ matrix @ SWAP)
    kind = str(values.get("type", ""))
    if "wrappedTransform" in values:
        return _transform(path, values["wrappedTransform"])
    if kind.endswith("RealTransformSequence"):
        size = values.get("size", 0)
        if type(size) is not int or not 0 < size <= MOST_STEPS:
            raise DamagedFile(f"{path}: a sequence of {str(size)[:20]!r} steps cannot be read.")
        return Sequence.of(*(_transform(path, values.get(f"realTransform_{k}")) for k in range(size)))
    if kind == "ThinplateSplineTransform":
        source, target = (np.atleast_2d(_numbers(path, values.get(key), None)).T[:, ::-1] for key in KEYS)
        if source.shape != target.shape or source.shape[1:] != (2,):
            raise DamagedFile(f"{path}: srcPts and tgtPts are not two rows (x, y) of equally many numbers.")
        if len(source) > MOST_CENTRES:
            raise UnsupportedDialect(
                f"{path} holds a spline through {len(source)} points; up to {MOST_CENTRES} can be used."
            )
        return fit_thin_plate(source, target, smoothing=0)
    raise UnsupportedDialect(f"{path}: a transform of type {kind!r} cannot be used.")


def _numbers(path: Path, values: Any, shape: tuple[int, ...] | None) -> FloatArray:
    try:
        array = np.array(values, float)
    except (TypeError, ValueError, OverflowError) as error:
        raise DamagedFile(f"{path}: the transform holds something else than numbers.") from error
    if not np.isfinite(array).all() or array.ndim == 0 or (shape is not None and array.shape != shape):
        raise DamagedFile(f"{path}: the transform's numbers are incomplete or not finite.")
    return array
