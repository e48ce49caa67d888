"""Slide and recipe in, raster out: what the methods of registration look at."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from napari_histreg.errors import NoTissue
from napari_histreg.preprocess.intensity import (
    equalise,
    gaussian_normalise,
    local_normalise,
    scale_percentiles,
)
from napari_histreg.preprocess.modality import Modality
from napari_histreg.preprocess.planes import working_spacing
from napari_histreg.preprocess.signal import Signal, blank_reason, extract_signal
from napari_histreg.raster import Raster
from napari_histreg.slides.slide import Slide

__all__ = ["Normalisation", "Recipe", "common_spacing", "prepare", "prepare_pair"]

Normalisation = Literal["percentile", "equalise", "gaussian", "local", "none"]


class Recipe(BaseModel):
    """How a slide is made comparable.

    Parameters
    ----------
    signal : {"nuclear", "other", "density", "grey"}
        "nuclear": cell nuclei (haematoxylin, or a nuclear dye), bright on dark in both modalities.
        "other": everything but the nuclei (eosin or DAB; the other channels), bright on dark.
        "density": all that stains or glows, bright on dark.
        "grey": plain brightness as the eye sees it, so that brightfield stays dark on bright.
    channel : int, str or None
        Take the signal from this channel only.
    modality : {"brightfield", "fluorescence"} or None
        Told apart by the pixels by default.
    max_size_px : int
        Pixels along the longer side, where no spacing is given.
    spacing : float or None
        Distance of pixel centres in world units.
    normalise : {"percentile", "equalise", "gaussian", "local", "none"}
        Percentiles to 0 and 1; even histogram; mean 0 and deviation 1; the same in a neighbourhood of
        a twentieth of the longer side; or as it is.

    Examples
    --------
    >>> Recipe(signal="grey", max_size_px=512).normalise
    'percentile'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    signal: Signal = Field("nuclear", title="Signal", description="What of the slide is compared.")
    channel: int | str | None = Field(None, title="Channel", description="Number or name of one channel.")
    modality: Modality | None = Field(None, title="Modality", description="Told apart by the pixels.")
    max_size_px: int = Field(1024, ge=32, le=16384, title="Size", description="Longer side in pixels.")
    spacing: float | None = Field(None, gt=0, title="Spacing", description="World units per pixel.")
    normalise: Normalisation = Field("percentile", title="Normalisation", description="Of intensities.")


def prepare(slide: Slide, recipe: Recipe | None = None) -> Raster:
    """Read a slide at the size or spacing of a recipe and turn it into one comparable plane.

    Parameters
    ----------
    slide : Slide
        Any slide, brightfield or fluorescence.
    recipe : Recipe, optional
        The nuclear signal at 1024 px by default.

    Returns
    -------
    Raster
        In the slide's own frame; the mask is False outside the picture (borders filled by a scanner
        or a rotation, NaN).

    Raises
    ------
    NoTissue
        The slide is blank or noise only.
    ValueError
        The recipe names a channel that the slide does not have.

    Examples
    --------
    >>> from napari_histreg.slides.opening import open_slide
    >>> y, x = np.mgrid[:64, :64]
    >>> nuclei = np.where((y % 16 - 8) ** 2 + (x % 16 - 8) ** 2 < 16, 3000, 100).astype(np.uint16)
    >>> raster = prepare(open_slide(nuclei, pixel_size_um=0.5))
    >>> raster.shape, raster.spacing, float(raster.pixels[8, 8])
    ((64, 64), (0.5, 0.5), 1.0)
    """
    recipe = recipe or Recipe()
    spacing = recipe.spacing or working_spacing(slide, recipe.max_size_px)
    planes, plane, valid = extract_signal(
        slide, spacing, recipe.signal, channel=recipe.channel, modality=recipe.modality
    )
    reason = blank_reason(plane, valid)
    if reason:
        raise NoTissue(f"{slide.name} holds nothing to align: {reason}.")
    return Raster.on(planes.frame, _normalised(plane, valid, recipe.normalise), valid)


def common_spacing(fixed: Slide, moving: Slide, max_size_px: int = 1024) -> float | None:
    """Return the spacing at which both slides fit into `max_size_px`; None if a pixel size is unknown.

    Examples
    --------
    >>> from napari_histreg.slides.opening import open_slide
    >>> plane = np.zeros((2000, 1000), np.uint8)
    >>> common_spacing(open_slide(plane, pixel_size_um=1), open_slide(plane, pixel_size_um=2), 1000)
    4.0
    """
    if fixed.pixel_size_um is None or moving.pixel_size_um is None:
        return None
    return max(working_spacing(fixed, max_size_px), working_spacing(moving, max_size_px))


def prepare_pair(
    fixed: Slide, moving: Slide, recipe: Recipe | None = None, moving_recipe: Recipe | None = None
) -> tuple[Raster, Raster]:
    """Prepare two slides so that equal structures have equal size in pixels, where that can be known.

    Parameters
    ----------
    fixed, moving : Slide
        The two slides.
    recipe : Recipe, optional
        For both.
    moving_recipe : Recipe, optional
        For the moving slide, where it differs.

    Returns
    -------
    (Raster, Raster)
        At one spacing where both pixel sizes are known and no recipe sets a spacing; else each at its own.

    Raises
    ------
    NoTissue
        One of the slides is blank.
    """
    recipe = recipe or Recipe()
    other = moving_recipe or recipe
    spacing = common_spacing(fixed, moving, min(recipe.max_size_px, other.max_size_px))
    if spacing is not None and recipe.spacing is None and other.spacing is None:
        recipe = recipe.model_copy(update={"spacing": spacing})
        other = other.model_copy(update={"spacing": spacing})
    return prepare(fixed, recipe), prepare(moving, other)


def _normalised(
    plane: NDArray[np.float32], valid: NDArray[np.bool_], how: Normalisation
) -> NDArray[np.float32]:
    if how == "equalise":
        return equalise(plane, valid)
    if how == "gaussian":
        return gaussian_normalise(plane, valid)
    if how == "local":
        return local_normalise(plane, 0.05 * max(plane.shape), valid)
    if how == "none":
        return np.where(valid, plane, 0).astype(np.float32)
    return scale_percentiles(plane, valid)
