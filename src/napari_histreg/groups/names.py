"""Names of the slides of a group: told apart, and found again."""

from collections.abc import Sequence

__all__ = ["distinct_names", "place_of"]


def distinct_names(names: Sequence[str]) -> tuple[str, ...]:
    """Tell names that occur more than once apart by numbers.

    Examples
    --------
    >>> distinct_names(["scan", "he", "scan"])
    ('scan (1)', 'he', 'scan (2)')
    """
    # Some file systems do not tell large letters from small ones.
    folded = [name.casefold() for name in names]
    return tuple(
        f"{name} ({folded[: k + 1].count(folded[k])})" if folded.count(folded[k]) > 1 else name
        for k, name in enumerate(names)
    )


def place_of(names: Sequence[str], slide: int | str) -> int:
    """Find a slide among others by its place, its name, or its name without the ending.

    Raises
    ------
    ValueError
        There is no such slide; the message lists those there are.

    Examples
    --------
    >>> [place_of(["he.svs", "ihc.ome.tif"], wanted) for wanted in (1, "he.svs", "ihc", "0")]
    [1, 0, 1, 0]
    """
    names = distinct_names(names)
    if isinstance(slide, int):
        if 0 <= slide < len(names):
            return slide
    else:
        for known in (list(names), [name.partition(".")[0] for name in names]):
            if known.count(slide) == 1:
                return known.index(slide)
        if slide.isdecimal() and int(slide) < len(names):
            return int(slide)
    raise ValueError(f"The group has no slide {slide!r}. It has: {', '.join(names)}.")
