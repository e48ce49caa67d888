"""MethodSpec: one row of the table of registration methods."""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from napari_histreg.errors import MissingDependency
from napari_histreg.optional import is_installed

__all__ = ["MethodSpec", "row_named"]


@dataclass(frozen=True)
class MethodSpec:
    """One row of the table of methods.

    Parameters
    ----------
    name : str
        By which the method is called.
    title : str
        For a menu.
    summary : str
        What it does and when to choose it, in one sentence.
    target : str
        Where the class is, as ``module:Class``; imported on use.
    requires : tuple of str
        Modules it imports. A dotted name is a part that only some builds of a package have: to look for it
        the package is imported. Alternatives stand with ``|`` between them.
    extra : str or None
        The extra of this package that installs them; None where the package itself does.
    package : str or None
        Another package that has to be installed by hand, where no extra can.
    kinds : tuple of str
        Transforms it can return.
    multimodal : bool
        Whether the two signals may differ in more than brightness and contrast.
    nonrigid : bool
        Whether it can bend.
    signal : "nuclear" or "grey"
        Which signal of a slide it is best given.
    rotation_deg : float
        Largest rotation it finds without a start; 180 means any.
    scale_range : (float, float)
        Smallest and largest ratio of scales it finds without a start.
    mirror : bool
        Whether it finds a mirrored image without a start.
    needs_start : bool
        Whether it only goes on from a start that is nearly right.
    tolerance_px : float
        Error it stays below, in pixels of the fixed raster, on two stains of one synthetic tissue.
    doi : tuple of str
        Sources of the algorithm.
    """

    name: str
    title: str
    summary: str
    target: str
    requires: tuple[str, ...] = ()
    extra: str | None = None
    package: str | None = None
    kinds: tuple[str, ...] = ()
    multimodal: bool = False
    nonrigid: bool = False
    signal: Literal["nuclear", "grey"] = "nuclear"
    rotation_deg: float = 0.0
    scale_range: tuple[float, float] = (1.0, 1.0)
    mirror: bool = False
    needs_start: bool = False
    tolerance_px: float = 1.0
    doi: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules that the method needs and that are not installed."""
        return tuple(names for names in self.requires if not any(map(_is_there, names.split("|"))))

    @property
    def is_available(self) -> bool:
        """Whether everything the method needs is installed."""
        return not self.missing

    @property
    def install_line(self) -> str:
        """The line that installs what the method needs."""
        if self.package is not None:
            return f'pip install "{self.package}"'
        package = "napari-histreg" if self.extra is None else f"napari-histreg[{self.extra}]"
        return f'pip install "{package}"'

    def load(self) -> type[BaseModel]:
        """Import the class: a `Method`, or a recipe that aligns slides by itself.

        Raises
        ------
        MissingDependency
            A package it needs is not installed; the message holds the install line.
        """
        if self.missing:
            raise MissingDependency(
                f'Method "{self.name}" needs {", ".join(self.missing)}, which is not installed. '
                f"Install it with: {self.install_line}"
            )
        module, _, attribute = self.target.partition(":")
        found: type[BaseModel] = getattr(importlib.import_module(module), attribute)
        return found


def row_named(rows: Iterable[MethodSpec], name: str, of: str = "") -> MethodSpec:
    """Look a row up by its name.

    Parameters
    ----------
    rows : iterable of MethodSpec
        A table.
    name : str
        By which the method is called.
    of : str
        What the table is for, for the sentence: "for projections", say.

    Raises
    ------
    ValueError
        There is no such row; the message lists those there are.
    """
    found = {spec.name: spec for spec in rows}
    if name not in found:
        raise ValueError(
            f"{f'There is no method {name!r} {of}'.rstrip()}. Choose one of: {', '.join(found)}."
        )
    return found[name]


def _is_there(name: str) -> bool:
    """Tell whether a module, or a part of one, is installed."""
    module, *parts = name.split(".")
    if not is_installed(module):
        return False
    found: object = importlib.import_module(module) if parts else None
    for part in parts:
        found = getattr(found, part, None)
    return not parts or found is not None
