"""fuse_slides: several slides of one frame merged into one, tile by tile when it is read."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from napari_histreg.fusion.one_grid import check_one_grid
from napari_histreg.fusion.rule import Plane, Rule
from napari_histreg.geometry import Region
from napari_histreg.slides import Channel, Level, Slide
from napari_histreg.slides.computed import ComputedBlocks
from napari_histreg.slides.pyramid import with_overview

__all__ = ["RULES", "RuleSpec", "fuse_slides"]

LOW_PERCENT, HIGH_PERCENT = 0.5, 99.8


@dataclass(frozen=True)
class RuleSpec:
    """One row of the table of fusion rules.

    Parameters
    ----------
    name, title, summary : str
        For the command line, for menus, and what it does.
    target : str
        Where the class is, as ``module:Class``; imported on use.
    """

    name: str
    title: str
    summary: str
    target: str

    def load(self) -> type[Rule]:
        """Import the rule."""
        module, _, attribute = self.target.partition(":")
        found: type[Rule] = getattr(importlib.import_module(module), attribute)
        return found


_ROOM = "napari_histreg.fusion"
RULES = (
    RuleSpec("average", "Average", "the mean at each pixel", f"{_ROOM}.average:Average"),
    RuleSpec("maximum", "Maximum", "the largest value at each pixel", f"{_ROOM}.average:Maximum"),
    RuleSpec(
        "pca",
        "Principal component",
        "weights from the first principal component",
        f"{_ROOM}.average:PrincipalComponent",
    ),
    RuleSpec(
        "laplacian", "Laplacian pyramid", "the stronger detail of each band", f"{_ROOM}.laplacian:Laplacian"
    ),
    RuleSpec(
        "gradient", "Gradient", "the detail that lies among stronger gradients", f"{_ROOM}.gradient:Gradient"
    ),
    RuleSpec(
        "wavelet", "Wavelet", "mean of the approximations, stronger details", f"{_ROOM}.wavelet:Wavelet"
    ),
)
"""The ways of merging, in the order in which they are listed."""


def fuse_slides(slides: Sequence[Slide], rule: str | Rule = "wavelet", **parameters: Any) -> Slide:
    """Merge slides that lie on one grid into one.

    Slides with the same number of channels are merged channel by channel, all others as grey planes. Each
    channel is brought to 0 to 1 by percentiles of its overview first, since cameras differ.

    Parameters
    ----------
    slides : sequence of Slide
        Two or more on one grid, such as the fixed slide and the result of `warp_slide`; they must stay
        open as long as the result is used. Of their pyramids, the levels that all have are used.
    rule : str or Rule
        A name from `RULES`, or a rule with its parameters.
    **parameters
        Of the rule, such as ``wavelet="haar"``.

    Returns
    -------
    Slide
        Lazy, 8 bit.

    Raises
    ------
    ValueError
        The slides do not lie on one grid, or rule or parameter do not exist.

    Examples
    --------
    >>> from napari_histreg.slides import open_slide
    >>> one, two = open_slide(np.eye(64)), open_slide(np.eye(64)[::-1])
    >>> fuse_slides([one, two], "maximum").read_level(0)[0, :2, :2].tolist()
    [[255, 0], [0, 255]]
    """
    if len(slides) < 2:
        raise ValueError(f"Fusing needs two slides or more, not {len(slides)}.")
    check_one_grid(slides)
    slides = _with_common_levels(slides)
    made = _rule(rule, parameters)
    same = len({len(slide.channels) for slide in slides}) == 1
    views = [_View.of(slide, keep_channels=same) for slide in slides]
    count = len(slides[0].channels) if same else 1
    fitted = [_fit(made, views, channel) for channel in range(count)]
    first = slides[0]

    def compute(level: int, block: Region, channels: tuple[int, ...]) -> NDArray[Any]:
        return np.stack([_fused(views, fitted[c], level, block, c) for c in channels])

    return Slide(
        name=" + ".join(slide.name for slide in slides),
        levels=first.levels,
        channels=first.channels if count > 1 else (Channel("fused"),),
        dtype=np.dtype(np.uint8),
        source=ComputedBlocks(first.levels, count, np.dtype(np.uint8), compute),
        pixel_size_um=first.pixel_size_um,
        is_rgb=count > 1 and all(slide.is_rgb for slide in slides),
        metadata={"fused_by": made.name, **made.model_dump(mode="json")},
    )


def _with_common_levels(slides: Sequence[Slide]) -> list[Slide]:
    """Reduce the pyramids of slides, which may go in other steps, to the levels that all have."""
    found = [[_place(slide, level) for slide in slides] for level in slides[0].levels]
    shared = [k for k, places in enumerate(found) if None not in places]
    common = tuple(slides[0].levels[k] for k in shared)
    chosen = []
    for which, slide in enumerate(slides):
        source = _SomeLevels(slide, tuple(found[k][which] or 0 for k in shared))
        chosen.append(with_overview(replace(slide, levels=common, source=source)))
    return chosen


def _place(slide: Slide, wanted: Level) -> int | None:
    """Return which level of a slide is like another one; writers round odd sizes up or down."""
    for k, level in enumerate(slide.levels):
        if np.allclose(level.downsample, wanted.downsample, rtol=1e-3) and (
            np.abs(np.subtract(level.shape, wanted.shape)).max() <= 1
        ):
            return k
    return None


@dataclass(frozen=True)
class _SomeLevels:
    """Pixel source with some levels of a slide."""

    slide: Slide
    places: tuple[int, ...]

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        return self.slide.read(self.places[level], region, channels)

    def close(self) -> None:
        """Leave the slide open: it is not ours."""


@dataclass(frozen=True)
class _View:
    """A slide as planes from 0 to 1."""

    slide: Slide
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    keep_channels: bool

    @classmethod
    def of(cls, slide: Slide, *, keep_channels: bool) -> "_View":
        pixels = cls._planes(slide.read_level(slide.level_for_size()), keep_channels)
        flat = pixels.reshape(len(pixels), -1)
        low, high = np.nanpercentile(flat, (LOW_PERCENT, HIGH_PERCENT), axis=1).astype(np.float32)
        lowest, highest = np.nanmin(flat, axis=1), np.nanmax(flat, axis=1)
        # A plane with few bright pixels has equal percentiles; its whole range serves then.
        flat_plane = high <= low
        low, high = np.where(flat_plane, lowest, low), np.where(flat_plane, highest, high)
        return cls(slide, low, np.maximum(high, low + np.float32(1e-6)), keep_channels)

    @staticmethod
    def _planes(pixels: NDArray[Any], keep_channels: bool) -> NDArray[np.float32]:
        planes = pixels.astype(np.float32)
        return planes if keep_channels else planes.mean(axis=0, keepdims=True)

    def read(self, level: int, region: Region, channel: int) -> tuple[Plane, Plane]:
        """Return the plane of a region and where it is valid."""
        wanted = [channel] if self.keep_channels else None
        plane = self._planes(self.slide.read(level, region, wanted), self.keep_channels)[0]
        scaled = (plane - self.low[channel]) / (self.high[channel] - self.low[channel])
        valid = np.isfinite(scaled)
        return np.clip(np.where(valid, scaled, 0), 0, 1).astype(np.float32), valid.astype(np.float32)


def _rule(rule: str | Rule, parameters: dict[str, Any]) -> Rule:
    if isinstance(rule, Rule):
        return rule
    for spec in RULES:
        if spec.name == rule:
            try:
                return spec.load()(**parameters)
            except ValidationError as error:
                first = error.errors()[0]
                key = ".".join(str(part) for part in first["loc"])
                raise ValueError(f'The parameter {key!r} of the rule "{rule}": {first["msg"]}.') from error
    raise ValueError(f"There is no fusion rule {rule!r}. Choose one of: {', '.join(s.name for s in RULES)}.")


def _fit(rule: Rule, views: list[_View], channel: int) -> Rule:
    """Let a rule learn from the overviews."""
    level = views[0].slide.level_for_size()
    whole = Region.whole(views[0].slide.levels[level].shape)
    pairs = [view.read(level, whole, channel) for view in views]
    return rule.fitted([plane for plane, _ in pairs], [weight for _, weight in pairs])


def _fused(views: list[_View], rule: Rule, level: int, block: Region, channel: int) -> NDArray[np.uint8]:
    """Merge one block, with as much around it as the rule looks at."""
    shape = views[0].slide.levels[level].shape
    step, margin = rule.step, rule.margin
    y, x = (max(0, (start - margin) // step * step) for start in (block.y, block.x))
    around = Region(y, x, block.y + block.height + margin - y, block.x + block.width + margin - x).clipped(
        shape
    )
    pairs = [view.read(level, around, channel) for view in views]
    merged = rule([plane for plane, _ in pairs], [weight for _, weight in pairs])
    inner = Region(block.y - y, block.x - x, block.height, block.width).slices
    return np.asarray(np.rint(np.clip(merged[inner], 0, 1) * 255), np.uint8)
