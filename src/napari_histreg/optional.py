"""The one door through which optional packages come in."""

import importlib
import importlib.util
from types import ModuleType

from napari_histreg.errors import MissingDependency

__all__ = ["is_installed", "require"]


def is_installed(module: str) -> bool:
    """Tell whether a module could be imported, without importing it.

    Parameters
    ----------
    module : str
        Name as in ``import``.

    Examples
    --------
    >>> is_installed("numpy"), is_installed("no_such_package")
    (True, False)
    """
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def require(module: str, *, extra: str) -> ModuleType:
    """Import an optional module or say how to install it.

    Parameters
    ----------
    module : str
        Name as in ``import``.
    extra : str
        The extra of this package that brings it.

    Returns
    -------
    module

    Raises
    ------
    MissingDependency
        The module is not installed; the message holds the line that installs it.

    Examples
    --------
    >>> require("json", extra="gui").__name__
    'json'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependency(
            f'This needs the package "{module}", which is not installed. '
            f'Install it with: pip install "napari-histreg[{extra}]"'
        ) from error
