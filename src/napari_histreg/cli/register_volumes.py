"""``histreg register --volume``: two volumes aligned in three dimensions."""

import json
from pathlib import Path
from typing import Any

import typer

from napari_histreg.cli.ending import REFUSED
from napari_histreg.cli.progress_bar import progress_bar

__all__ = ["align_volumes"]

BEND = ("grid_spacing_mm", "bending", "iterations")
KNOWN = ("transform", "search_deg", "seed", *BEND)


def align_volumes(
    fixed: str,
    moving: str,
    folder: Path,
    *,
    method: str | None,
    parameters: dict[str, str],
    initial: Path | None,
    as_json: bool,
    overwrite: bool = False,
) -> None:
    """Align two volumes, write the folder of results, say the verdict; exit 3 where it is refused.

    Raises
    ------
    ValueError
        Another method than mutual information is asked for, or an unknown parameter.
    """
    from napari_histreg.progress import portion
    from napari_histreg.registration.volumes import bend_volumes, check_bending
    from napari_histreg.volumes.folder import (
        check_volume_folder,
        read_volume_pose,
        to_dict,
        write_volume_folder,
    )
    from napari_histreg.volumes.registering import register_volumes

    if method not in (None, "mi"):
        raise ValueError(f'Volumes are aligned by mutual information: --method mi, not "{method}".')
    unknown = [name for name in parameters if name not in KNOWN]
    if unknown:
        raise ValueError(f"Volumes know no parameter {unknown[0]!r}. There are: {', '.join(KNOWN)}.")
    search_deg = _number(parameters, "search_deg", 45.0)
    seed = _number(parameters, "seed", 0)
    freedom = parameters.get("transform", "rigid")
    bends = freedom == "bspline"
    bend: dict[str, Any] = {name: _number(parameters, name, 0.0) for name in BEND if name in parameters}
    if bend and not bends:
        raise ValueError(f"{next(iter(bend))} is of a bend; give -p transform=bspline with it.")
    if bends:
        check_bending(**bend)
    check_volume_folder(folder, inputs=(fixed, moving), overwrite=overwrite)
    with progress_bar("Aligning") as progress:
        result = register_volumes(
            fixed,
            moving,
            freedom="affine" if bends else freedom,  # type: ignore[arg-type]
            initial=None if initial is None else read_volume_pose(initial),
            search_deg=search_deg,
            seed=seed,
            progress=portion(progress, 0.0, 0.6) if bends else progress,
        )
        if bends:
            result = bend_volumes(result, seed=seed, progress=portion(progress, 0.6, 1.0), **bend)
    written = write_volume_folder(result, folder)
    if as_json:
        typer.echo(json.dumps(to_dict(result), indent=1, ensure_ascii=False))
    else:
        verdict, pose = result.verdict, result.fixed_to_moving
        typer.echo(
            f"{verdict.word.capitalize()}, confidence {verdict.confidence:.2f} ({result.seconds:.1f} s)"
        )
        typer.echo("\n".join(f"  {reason}" for reason in verdict.reasons))
        if pose is not None:
            moved = pose([result.fixed.centre_mm])[0] - result.fixed.centre_mm
            word = "best guess: " if verdict.word == "refused" else ""
            shift = ", ".join(f"{v:.1f}" for v in moved[::-1])
            typer.echo(
                f"  {word}turned by {pose.angle_deg:.1f}°, the middle moved by {shift} mm (left, back, head)"
            )
    typer.echo("\n".join(f"  wrote {path}" for path in written), err=as_json)
    if result.verdict.word == "refused":
        raise typer.Exit(REFUSED)


def _number(parameters: dict[str, str], name: str, default: float) -> Any:
    """Read a parameter; some are whole numbers."""
    whole = name in ("seed", "iterations")
    text = parameters.get(name, str(default))
    try:
        return int(text) if whole else float(text)
    except ValueError:
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"{name} is {kind}, not {text!r}, as in -p {name}=1.") from None
