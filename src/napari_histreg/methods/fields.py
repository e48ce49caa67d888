"""Parameters that several methods have, with one name, one wording and one range."""

from typing import Any

from pydantic import Field

__all__ = ["ADVANCED", "iterations", "levels", "seed", "tried_mirrored", "working_size"]

ADVANCED: dict[str, Any] = {"advanced": True}
"""What a field says of itself, as ``json_schema_extra``, that few people need; forms show it apart."""


def working_size(default: int) -> Any:
    """Return the field ``max_side_px``: to what size larger images are reduced."""
    return Field(
        default,
        title="Working size (px)",
        description="Larger images are reduced to this side.",
        ge=64,
        le=20000,
    )


def levels(default: int) -> Any:
    """Return the field ``levels``: how many sizes are worked at."""
    return Field(
        default,
        title="Levels",
        description="Sizes worked at, each half of the next; 1 is full size only.",
        ge=1,
        le=8,
        json_schema_extra=ADVANCED,
    )


def iterations(default: int) -> Any:
    """Return the field ``iterations``: where each level ends at the latest."""
    return Field(
        default,
        title="Iterations",
        description="At most so many per level.",
        ge=1,
        le=5000,
        json_schema_extra=ADVANCED,
    )


def seed() -> Any:
    """Return the field ``seed``: equal seeds give equal results."""
    return Field(
        0, title="Seed", description="Of the random draws.", ge=0, le=2**31 - 1, json_schema_extra=ADVANCED
    )


def tried_mirrored() -> Any:
    """Return the field ``mirror``: whether the tissue may lie with its other side up."""
    return Field(True, title="Try mirrored", description="Also try the moving image turned over.")
