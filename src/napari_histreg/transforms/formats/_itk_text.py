"""ITK's text of transforms, with every count checked before SimpleITK is given it."""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from napari_histreg.errors import DamagedFile, UnsupportedDialect
from napari_histreg.geometry import FloatArray

__all__ = ["Part", "canonical_text", "parse_parts"]

HEADER = "#Insight Transform File V1.0"
MOST_PARTS = 100

# Number of parameters and of fixed parameters; None: they belong to a grid.
COUNTS: dict[str, tuple[int, int] | None] = {
    "AffineTransform": (6, 2),
    "MatrixOffsetTransformBase": (6, 2),
    "Euler2DTransform": (3, 2),
    "Rigid2DTransform": (3, 2),
    "Similarity2DTransform": (4, 2),
    "TranslationTransform": (2, 0),
    "ScaleTransform": (2, 2),
    "IdentityTransform": (0, 0),
    "BSplineTransform": None,
    "DisplacementFieldTransform": None,
}
COMPOSITE = "CompositeTransform"
# Size, origin, spacing (two numbers each) and direction (four) of a grid.
GRID_NUMBERS = 10
LEAST_SIDE = {"BSplineTransform": 4, "DisplacementFieldTransform": 2}


@dataclass(frozen=True, eq=False)
class Part:
    """One transform of a file.

    Parameters
    ----------
    kind : str
        ITK's name with its types, such as "AffineTransform_double_2_2".
    parameters, fixed : (N,) ndarray of float64
        Its numbers.
    """

    kind: str
    parameters: FloatArray
    fixed: FloatArray


def parse_parts(path: Path, text: str) -> list[Part]:
    """Return the transforms of a text, which are as their counts say.

    Parameters
    ----------
    path : Path
        The file, for messages.
    text : str
        Its content.

    Raises
    ------
    DamagedFile
        It is no such text, is incomplete, or contradicts itself.
    UnsupportedDialect
        It holds a transform that cannot be used.
    """
    lines = text.splitlines()
    if not lines or not lines[0].strip().startswith("#Insight Transform File"):
        raise DamagedFile(f"{path} is no ITK transform file: it does not begin with {HEADER!r}.")
    blocks: list[dict[str, str]] = []
    for number, line in enumerate(lines[1:], 2):
        key, colon, value = line.strip().partition(":")
        if not colon or line.lstrip().startswith("#"):
            continue
        if key == "Transform":
            blocks.append({})
        if not blocks or key in blocks[-1] or key not in ("Transform", "Parameters", "FixedParameters"):
            raise DamagedFile(f"{path}, line {number}: {key[:40]!r} is not expected here.")
        blocks[-1][key] = value.strip()
    if not 0 < len(blocks) <= MOST_PARTS:
        raise DamagedFile(f"{path} holds {len(blocks)} transforms; up to {MOST_PARTS} can be read.")
    if blocks[0]["Transform"].startswith(COMPOSITE):
        blocks = blocks[1:]
        if not blocks:
            raise DamagedFile(f"{path} holds a composite transform without any in it.")
    return [_part(path, block) for block in blocks]


def canonical_text(parts: list[Part]) -> str:
    """Return the text of transforms that were checked; several make a composite."""
    lines, first = [HEADER], 0
    if len(parts) > 1:
        lines += ["#Transform 0", "Transform: CompositeTransform_double_2_2"]
        first = 1
    for number, part in enumerate(parts, first):
        lines += [
            f"#Transform {number}",
            f"Transform: {part.kind}",
            f"Parameters: {_words(part.parameters)}",
            f"FixedParameters: {_words(part.fixed)}",
        ]
    return "\n".join(lines) + "\n"


def _part(path: Path, block: dict[str, str]) -> Part:
    words = block["Transform"].split("_")
    name, dimensions = words[0], [word for word in words[1:] if word.isdigit()]
    if name not in COUNTS:
        raise UnsupportedDialect(
            f"{path}: ITK's {name[:60]!r} cannot be used here; {', '.join(COUNTS)} can, and their composites."
        )
    if dimensions[:2] != ["2", "2"]:
        found = "x".join(dimensions)[:20]
        raise DamagedFile(f"{path} holds a {found}-dimensional transform; slides are planes.")
    if "Parameters" not in block:
        raise DamagedFile(f"{path} says {block['Transform'][:60]!r} and lacks its parameters.")
    numbers = _numbers(path, block, "Parameters"), _numbers(path, block, "FixedParameters")
    wanted = COUNTS[name]
    if wanted is None:
        wanted = 2 * prod(_grid(path, name, numbers[1])), GRID_NUMBERS
    if (len(numbers[0]), len(numbers[1])) != wanted:
        raise DamagedFile(
            f"{path}: a {name} has {wanted[0]} parameters and {wanted[1]} fixed ones, not "
            f"{len(numbers[0])} and {len(numbers[1])}."
        )
    if dimensions[2:] not in ([], ["3"]):
        raise UnsupportedDialect(
            f"{path}: only B-splines of order 3 can be used, not of {dimensions[2][:9]}."
        )
    return Part(f"{name}_double_2_2", *numbers)


def _grid(path: Path, name: str, fixed: FloatArray) -> tuple[int, int]:
    """Return the size (x, y) that fixed parameters give a grid."""
    if len(fixed) != GRID_NUMBERS:
        raise DamagedFile(f"{path}: the grid of a {name} needs {GRID_NUMBERS} numbers, not {len(fixed)}.")
    least = LEAST_SIDE[name]
    if any(side != int(side) or not least <= side <= 1e6 for side in fixed[:2]) or min(fixed[4:6]) <= 0:
        raise DamagedFile(
            f"{path}: a grid of {fixed[0]:g} x {fixed[1]:g} points, {fixed[4]:g} x {fixed[5]:g} apart, is "
            "impossible."
        )
    return int(fixed[0]), int(fixed[1])


def _numbers(path: Path, block: dict[str, str], key: str) -> FloatArray:
    try:
        numbers = np.array(block.get(key, "").split(), float)
    except ValueError as error:
        raise DamagedFile(f"{path}: the line {key} holds something else than numbers.") from error
    if not np.isfinite(numbers).all():
        raise DamagedFile(f"{path}: the line {key} holds NaN or infinity.")
    return numbers


def _words(numbers: FloatArray) -> str:
    return " ".join(map(repr, numbers.tolist()))
