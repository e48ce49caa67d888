"""elastix's transform parameters as our transforms."""

from collections.abc import Sequence

from napari_histreg.errors import HistregError, RegistrationError
from napari_histreg.transforms import Transform
from napari_histreg.transforms.formats.elastix_parameters import Values, step_of

__all__ = ["complaint", "read_maps"]


def read_maps(maps: Sequence[Values]) -> Transform:
    """Chain elastix's transform parameter maps.

    elastix's coordinates are (x, y); ours (y, x). Its transforms map fixed points to moving points, as
    ours do.

    Parameters
    ----------
    maps : sequence of mappings of str to sequence of str
        In the order in which they apply to a fixed point.

    Returns
    -------
    Transform
        Fixed to moving, in the world units of the images that elastix saw.

    Raises
    ------
    RegistrationError
        There is none, or one of them cannot be understood.

    Examples
    --------
    >>> shift = {"Transform": ["TranslationTransform"], "TransformParameters": ["3", "-1"]}
    >>> read_maps([shift])
    Translation(shift=(-1, 3))
    """
    if not maps:
        raise RegistrationError("elastix returned no transform.")
    try:
        first, *others = (step_of(values, "What elastix returned") for values in maps)
    except HistregError as error:
        raise RegistrationError(f"{error} Use another transform in the parameter file.") from error
    found: Transform = first
    for step in others:
        found = found.then(step)
    return found


def complaint(text: str) -> str:
    """Make one sentence of an ITK exception."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [line.split("Description:", 1)[-1].strip() for line in lines if "Description:" in line]
    rest = said or [line for line in lines if not line.startswith(("ITK ERROR", "Location", "File", "Line"))]
    words = " ".join((rest or lines or ["no reason given"])[-1].split()).rstrip(".")
    return (
        f"elastix gave up ({words}). Give a start (initial) closer to the truth, check the masks and the "
        "parameter files, or use another method."
    )
