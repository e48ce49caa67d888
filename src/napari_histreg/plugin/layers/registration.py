"""A registration.json as layers: both slides, the moving one laid onto the fixed one."""

from pathlib import Path

from napari_histreg.errors import ReadError
from napari_histreg.plugin.layers.affine import apply_fixed_to_moving, is_shown_exactly, use_common_units
from napari_histreg.plugin.layers.slides import RECORD, LayerData, slide_layers
from napari_histreg.records.record import Registration
from napari_histreg.records.reopening import reopen_fixed, reopen_moving
from napari_histreg.registration.folder import read_folder
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform

__all__ = ["placed_layers", "registration_layers"]


def registration_layers(path: Path) -> list[LayerData]:
    """Open the slides of a registration as layers.

    Slides are looked for where they were, then beside the file.

    Parameters
    ----------
    path : Path
        registration.json or the folder that holds it.

    Returns
    -------
    list of layer data
        Those of the fixed slide, then those of the moving one.

    Raises
    ------
    ReadError
        The record is damaged, or none of its slides is found.
    """
    from napari.utils.notifications import show_info, show_warning

    registration = read_folder(path)
    folder = path if path.is_dir() else path.parent
    fixed, moving, problems = _slides(registration, folder)
    if fixed is None or moving is None:
        found = fixed or moving
        if found is None:
            raise ReadError(" ".join(problems))
        show_warning(f"{problems[0]} Only {found.name} is shown.")
        return slide_layers(found)
    transform = registration.fixed_to_moving if registration.has_transform else None
    if registration.verdict == "refused":
        reasons = " ".join(registration.reasons)
        show_warning(f"This registration was refused: what is shown is only a guess. {reasons}")
    elif transform is not None and not is_shown_exactly(transform):
        show_info("This registration bends. Open Layers > Register > Align slides to see it bent.")
    layers = placed_layers(fixed, moving, transform)
    if transform is not None:
        layers[-1][1]["metadata"][RECORD] = (registration, folder)
    return layers


def placed_layers(fixed: Slide, moving: Slide, fixed_to_moving: Transform | None) -> list[LayerData]:
    """Return the layer data of two slides, the moving one laid onto the fixed one."""
    from napari.layers import Layer

    data = [*slide_layers(fixed), *slide_layers(moving)]
    layers = [Layer.create(*item) for item in data]
    use_common_units(layers, fixed, moving)
    apply_fixed_to_moving(layers, fixed, moving, fixed_to_moving)
    return [
        (levels, {**options, "scale": layer.scale, "units": layer.units, "affine": layer.affine}, kind)
        for (levels, options, kind), layer in zip(data, layers, strict=True)
    ]


def _slides(registration: Registration, folder: Path) -> tuple[Slide | None, Slide | None, list[str]]:
    slides: list[Slide | None] = []
    problems: list[str] = []
    for record, reopen in (
        (registration.fixed, reopen_fixed),
        (registration.moving, lambda r, p=None: reopen_moving(r, p, even_if_refused=True)),
    ):
        beside = None if record.path is None else folder / Path(record.path).name
        try:
            slides.append(reopen(registration, None))
        except ReadError as error:
            try:
                if beside is None or not beside.exists():
                    raise
                slides.append(reopen(registration, str(beside)))
            except ReadError:
                slides.append(None)
                problems.append(_for_the_viewer(error))
    return slides[0], slides[1], problems


def _for_the_viewer(error: ReadError) -> str:
    """Say how a slide that is wanted is given here."""
    return f"{error} Open it by hand." if error.wants.endswith(" slide") else str(error)
