"""Masks of the slides of a group: which file belongs to which slide, by their names."""

import re
from collections.abc import Sequence
from pathlib import Path

from napari_histreg.errors import ReadError

__all__ = ["match_masks"]

ENDINGS = (".png", ".tif", ".tiff", ".gif", ".bmp", ".jpg", ".jpeg", ".ppm", ".pgm")


def match_masks(names: Sequence[str], folder: Path, slides: Sequence[Path] = ()) -> list[Path]:
    """Find the mask of each slide in a folder.

    A mask is called like its slide, ``eye1.png`` for ``eye1.tif``; or like it with more behind,
    ``eye1_vessels.png``; or both begin with the same word and no other slide does, ``01_manual1.gif`` for
    ``01_test.tif``. The first of these rules by which every slide has a mask is taken.

    Parameters
    ----------
    names : sequence of str
        Of the slides.
    folder : Path
        With a mask for each of them.
    slides : sequence of Path
        The slides' own files, which are no masks even where they lie in the same folder.

    Returns
    -------
    list of Path
        In the order of the names.

    Raises
    ------
    ReadError
        A slide has no mask, or several; the message names it.
    """
    if not folder.is_dir():
        raise ReadError(f"{folder} is no folder with a mask for each slide. Check the path.")
    own = {path.absolute() for path in slides}
    masks = [
        path
        for path in sorted(folder.iterdir())
        if path.name.lower().endswith(ENDINGS)
        and not path.name.startswith(".")
        and path.absolute() not in own
    ]
    if not masks:
        raise ReadError(f"{folder} holds no masks: pictures with a name like their slide's.")
    stems = [_stem(name) for name in names]
    best = max(_candidates(stems, masks), key=lambda found: sum(map(bool, found)))
    for name, paths in zip(names, best, strict=True):
        if not paths:
            raise ReadError(
                f"{folder} holds no mask for {name}: it would be called {_stem(name)}.png, or begin with "
                f"{_stem(name)}_ as no other does. There are {_listed(masks)}."
            )
        if len(paths) > 1:
            raise ReadError(
                f"{folder} holds several masks for {name}: {_listed(paths)}. Leave one of them there."
            )
    return [paths[0] for paths in best]


def _candidates(stems: Sequence[str], masks: Sequence[Path]) -> list[list[list[Path]]]:
    """List the masks of each slide, by each rule in turn."""
    by_stem = [[mask for mask in masks if _stem(mask.name) == stem] for stem in stems]
    longer = [[mask for mask in masks if _is_start(stem, _stem(mask.name))] for stem in stems]
    # eye1 begins eye1_left too: a mask belongs to the slide with the longest name that begins it.
    for mask in masks:
        lengths = [len(stem) if mask in found else 0 for stem, found in zip(stems, longer, strict=True)]
        for found, length in zip(longer, lengths, strict=True):
            if 0 < length < max(lengths):
                found.remove(mask)
    words = [_first_word(stem) for stem in stems]
    by_word = [
        [mask for mask in masks if _first_word(_stem(mask.name)) == word] if words.count(word) == 1 else []
        for word in words
    ]
    return [by_stem, longer, by_word]


def _stem(name: str) -> str:
    return re.sub(r"(\.ome)?\.[A-Za-z0-9]{1,5}$", "", name).lower()


def _is_start(stem: str, other: str) -> bool:
    return other.startswith(stem) and len(other) > len(stem) and not other[len(stem)].isalnum()


def _first_word(stem: str) -> str:
    return re.split(r"[^a-z0-9]", stem, maxsplit=1)[0]


def _listed(paths: Sequence[Path]) -> str:
    shown = ", ".join(path.name for path in paths[:6])
    return shown if len(paths) <= 6 else f"{shown} and {len(paths) - 6} more"
