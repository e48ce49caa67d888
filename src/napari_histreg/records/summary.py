"""A registration in a few lines for people."""

import numpy as np

from napari_histreg.records.record import Registration
from napari_histreg.transforms import Affine

__all__ = ["summary"]


def summary(registration: Registration) -> str:
    """Say in a few lines how a registration ended.

    Parameters
    ----------
    registration : Registration

    Returns
    -------
    str
        Lines without a newline at the end.
    """
    confidence = registration.confidence
    sure = "" if confidence is None else f", confidence {confidence:.2f}"
    lines = [
        f"{registration.verdict.capitalize()}{sure} ({registration.method}, {registration.seconds:.1f} s)"
    ]
    lines += [f"  {reason}" for reason in registration.reasons]
    if registration.has_transform:
        name = "best guess" if registration.verdict == "refused" else "moving on fixed"
        lines.append(f"  {name}: {_pose(registration)}")
    return "\n".join(lines)


def _pose(registration: Registration) -> str:
    """Describe how the moving slide has to be turned and scaled to lie on the fixed one, in pixels."""
    matrix = np.linalg.inv(registration.matrix_px())
    affine = Affine(matrix[[1, 0, 2]][:, [1, 0, 2]] / matrix[2, 2])
    mirror = "mirrored, " if affine.mirrored else ""
    kind = "" if registration.is_affine else ", and bent"
    return f"{mirror}turned by {affine.angle_deg:.1f}°, scaled by {affine.scale:.4g} (pixels){kind}"
