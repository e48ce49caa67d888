"""elastix's transform parameters as our transforms."""

from collections.abc import Sequence

from napari_histreg.errors import HistregError, RegistrationError
from napari_histreg.transforms import Transform
from napari_histreg.transforms.formats.elastix_parameters import Values, step_of

__all__ = ["read_maps"]


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
