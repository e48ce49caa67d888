"""The parts of itk-elastix that are needed here, loaded without the rest of ITK.

The first touch of ``itk.ElastixRegistrationMethod`` has ITK load every filter that it knows, which takes
four times as long as what elastix itself needs. Its parts can also be had by the names that ITK gives to the
classes of one pixel type; where a release names them otherwise, they are asked for in the usual, slow way.
"""

import importlib
from typing import Any

__all__ = ["parameter_object", "registration_method", "transformix_filter"]


def parameter_object() -> Any:
    """Return an empty ``itk.ParameterObject``.

    Raises
    ------
    ImportError
        itk-elastix is not installed or cannot be loaded.

    Examples
    --------
    >>> parameter_object().GetNumberOfParameterMaps()
    0
    """
    made = _made("itk.elxParameterObjectPython", "elastixParameterObject")
    return _itk().ParameterObject.New() if made is None else made


def registration_method(dimensions: int) -> Any:
    """Return an ``itk.ElastixRegistrationMethod`` for float32 images of 2 or 3 dimensions.

    Parameters
    ----------
    dimensions : int
        Of the images; a stack of planes has three.

    Raises
    ------
    ImportError
        itk-elastix is not installed or cannot be loaded.
    """
    kind = f"IF{dimensions}"
    made = _made("itk.itkElastixRegistrationMethodPython", f"itkElastixRegistrationMethod{kind}{kind}")
    if made is not None:
        return made
    itk = _itk()
    image = itk.Image[itk.F, dimensions]
    return itk.ElastixRegistrationMethod[image, image].New()


def transformix_filter(dimensions: int) -> Any:
    """Return an ``itk.TransformixFilter`` for float32 images of 2 or 3 dimensions.

    Parameters
    ----------
    dimensions : int
        Of the images.

    Raises
    ------
    ImportError
        itk-elastix is not installed or cannot be loaded.
    """
    made = _made("itk.itkTransformixFilterPython", f"itkTransformixFilterIF{dimensions}")
    if made is not None:
        return made
    itk = _itk()
    return itk.TransformixFilter[itk.Image[itk.F, dimensions]].New()


def _made(module: str, name: str) -> Any | None:
    """Make an object of a class of one part of ITK; None where this release has no such part or class."""
    _itk()
    try:
        part = importlib.import_module(module)
    except ModuleNotFoundError:
        return None
    found = getattr(part, name, None)
    return None if found is None else found.New()


def _itk() -> Any:
    return importlib.import_module("itk")
