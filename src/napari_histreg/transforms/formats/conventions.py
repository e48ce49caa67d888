"""From the conventions of a dialect to ours and back: direction, axis order, unit, pixel origin."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from napari_histreg.errors import DamagedFile, MissingPixelSize, UnsupportedDialect
from napari_histreg.geometry import SWAP, FloatArray
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.matrix import Affine, MatrixTransform, Projective
from napari_histreg.transforms.transform import Transform

__all__ = ["TransformDialect", "from_matrix", "side_to_world", "to_matrix"]

MM_UM = 1000.0
MOST = 1e12


@dataclass(frozen=True)
class TransformDialect:
    """One layout of transforms in files.

    Parameters
    ----------
    name : str
        What `read_transform` and `write_transform` take.
    title : str
        For people.
    suffixes : tuple of str
        Usual endings of the file name, the first for new files.
    module : str
        Where its ``read`` and ``write`` are; imported on use.
    direction : {"fixed_to_moving", "moving_to_fixed"}
        What the numbers in the file do.
    axes : {"xy", "yx"}
        Order of the coordinates.
    unit : {"px", "world", "mm"}
        Level-0 pixels; world units (µm where the pixel size is known); millimetres.
    origin : {"centre", "corner"}
        Which point of pixel (0, 0) lies at 0.
    carries : tuple of str
        Kinds it can hold: "affine" stands for all narrower ones; "any" for every transform, where
        need be sampled.
    needs : tuple of str
        What must be known of the slides besides the file, for people.
    note : str
        What else users should know.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    module: str
    direction: Literal["fixed_to_moving", "moving_to_fixed"]
    axes: Literal["xy", "yx"]
    unit: Literal["px", "world", "mm"]
    origin: Literal["centre", "corner"] = "centre"
    carries: tuple[str, ...] = ("affine",)
    needs: tuple[str, ...] = ()
    note: str = ""


def side_to_world(dialect: TransformDialect, frame: SlideFrame | None, side: str) -> FloatArray:
    """Return the (3, 3) matrix from a dialect's coordinates of one slide to world units (y, x, 1).

    Raises
    ------
    MissingPixelSize
        The dialect is in pixels or millimetres, and nothing is known of the slide.
    """
    if frame is None:
        if dialect.unit != "world" or dialect.origin != "centre":
            raise MissingPixelSize(
                f"{dialect.title} counts in {dialect.unit}, so the pixel size of the {side} slide is needed. "
                f"Pass {side}=SlideFrame(pixel_size_um=…), or {side}=SlideFrame() where it is unknown."
            )
        frame = SlideFrame()
    if dialect.unit == "mm" and frame.pixel_size_um is None:
        raise MissingPixelSize(
            f"{dialect.title} counts in millimetres, and the {side} slide does not know its pixel size. "
            f"Pass {side}=SlideFrame(pixel_size_um=…)."
        )
    size = np.array(frame.world_pixel_size)
    unit = {"px": size, "world": np.ones(2), "mm": np.full(2, MM_UM)}[dialect.unit]
    half = 0.5 if dialect.origin == "corner" else 0.0
    shift = -(half + np.array(frame.bounds_offset_px)) * size
    matrix = np.diag([*unit, 1.0])
    matrix[:2, 2] = shift
    return np.asarray(matrix @ SWAP) if dialect.axes == "xy" else matrix


def from_matrix(
    matrix: FloatArray, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> Affine | Projective:
    """Return what a (3, 3) matrix of a dialect says, as fixed to moving in world units.

    Raises
    ------
    DamagedFile
        The matrix is not finite, not invertible, or has perspective that the dialect does not know.
    MissingPixelSize
        The dialect counts in pixels or millimetres and a frame is missing.
    """
    if not np.isfinite(matrix).all():
        raise DamagedFile(f"The matrix of this {dialect.title} file holds NaN or infinity.")
    if np.abs(matrix).max() > MOST or np.abs(matrix).max() < 1 / MOST:
        raise DamagedFile(f"The matrix of this {dialect.title} file holds numbers that fit no slide.")
    perspective = bool(np.abs(matrix[2, :2]).max() > 0) or matrix[2, 2] == 0
    if perspective and "projective" not in dialect.carries:
        raise DamagedFile(
            f"The last row of a {dialect.title} matrix must be 0, 0, 1; it is {matrix[2].tolist()}."
        )
    from_side, to_side = _sides(dialect, fixed, moving)
    world = to_side @ matrix @ np.linalg.inv(from_side)
    made: Affine | Projective = Projective(world) if perspective else Affine(world / world[2, 2])
    back = made.inverse()
    return made if dialect.direction == "fixed_to_moving" else back


def to_matrix(
    transform: Transform, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> FloatArray:
    """Return the (3, 3) matrix that says a transform in a dialect.

    Raises
    ------
    UnsupportedDialect
        The dialect cannot hold the transform.
    NotInvertible
        The dialect goes the other way, and the transform has no inverse.
    MissingPixelSize
        The dialect counts in pixels or millimetres and a frame is missing.
    """
    if not isinstance(transform, MatrixTransform):
        raise UnsupportedDialect(
            f"{dialect.title} cannot hold a {transform.kind} transform, which bends. Use the dialect "
            '"itk_field", or write its affine approximation (approximate_affine).'
        )
    if isinstance(transform, Projective) and "projective" not in dialect.carries:
        raise UnsupportedDialect(
            f"{dialect.title} holds affine transforms, and this one has perspective. Use the dialect "
            '"csv", or write its affine approximation (approximate_affine).'
        )
    matrix = transform.matrix if dialect.direction == "fixed_to_moving" else transform.inverse().matrix
    from_side, to_side = _sides(dialect, fixed, moving)
    # Adding 0 turns -0 into 0, which reads better in a file.
    return np.asarray(np.linalg.inv(to_side) @ matrix @ from_side) + 0.0


def _sides(
    dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> tuple[FloatArray, FloatArray]:
    both = side_to_world(dialect, fixed, "fixed"), side_to_world(dialect, moving, "moving")
    return both if dialect.direction == "fixed_to_moving" else (both[1], both[0])
