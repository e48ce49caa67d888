"""Colours of words by what they mean, readable on the dark and on the light theme."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

__all__ = ["ON_SLIDES", "TONES", "Tone", "contrast", "is_light"]

Tone = Literal["", "good", "doubt", "bad", "off"]
"""What words mean: nothing in particular, well, worth a look, wrong, switched off."""

TONES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "dark": {"good": "#5fd99c", "doubt": "#f0b64a", "bad": "#ffa3a3", "off": "#c8c8c8"},
        "light": {"good": "#10492b", "doubt": "#613f00", "bad": "#8f1710", "off": "#454545"},
    }
)
"""For backgrounds that are dark or light; at least 4.5:1 on every background of napari's two themes."""

ON_SLIDES = "#da3800"
"""Of words and outlines on slides, as far from white brightfield as from black fluorescence: napari draws no
outline round words."""


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21, as WCAG 2.2 defines it.

    Examples
    --------
    >>> round(contrast("#ffffff", "#000000"), 6), contrast("#123456", "#123456")
    (21.0, 1.0)
    """
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def is_light(background: str) -> bool:
    """Whether dark words read better on this colour than light ones.

    Examples
    --------
    >>> is_light("#ebe7e6"), is_light("#23242b")
    (True, False)
    """
    return contrast(background, "#000000") > contrast(background, "#ffffff")


def _luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
