"""All ways of aligning that a user can name: the methods, and the two recipes made of them."""

from napari_histreg.methods.parameter_rows import ParameterRow, rows_of
from napari_histreg.methods.registry import METHODS, MethodSpec

__all__ = ["RECIPES", "ParameterRow", "list_methods", "method_spec", "parameter_rows"]

RECIPES = (
    MethodSpec(
        name="auto",
        title="Automatic",
        summary="One button: any stain, rotation, mirror and scale, with an honest verdict.",
        target="napari_histreg.registration.automatic.automatic:Automatic",
        kinds=("affine", "displacement"),
        multimodal=True,
    ),
    MethodSpec(
        name="landmarks",
        title="Landmarks",
        summary="Fits point pairs that a person has placed.",
        target="napari_histreg.registration.by_landmarks:ByLandmarks",
        kinds=("translation", "rigid", "similarity", "affine", "projective", "thin_plate"),
        multimodal=True,
    ),
)


def list_methods() -> tuple[MethodSpec, ...]:
    """Return all ways of aligning, the recipes first.

    Examples
    --------
    >>> list_methods()[0].name
    'auto'
    """
    return RECIPES + tuple(METHODS)


def method_spec(name: str) -> MethodSpec:
    """Find a way of aligning by its name.

    Raises
    ------
    ValueError
        There is none of that name; the message lists all.
    """
    for spec in list_methods():
        if spec.name == name:
            return spec
    raise ValueError(
        f"There is no method {name!r}. Choose one of: {', '.join(s.name for s in list_methods())}."
    )


def parameter_rows(name: str) -> tuple[ParameterRow, ...]:
    """List the parameters of a way of aligning.

    Raises
    ------
    ValueError
        There is none of that name.
    MissingDependency
        A package it needs is not installed.

    Examples
    --------
    >>> [row.name for row in parameter_rows("landmarks")]
    ['model']
    """
    return rows_of(method_spec(name).load())
