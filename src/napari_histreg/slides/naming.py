"""Names for people, out of names that anybody may have given."""

__all__ = ["shown_name"]

MOST_LETTERS = 300


def shown_name(name: str) -> str:
    r"""Return a name that fits on a line of text, on a terminal, in a picture and in JSON.

    Bytes that are no Unicode become escapes, line ends and other signs that cannot be seen a blank.

    Examples
    --------
    >>> shown_name("a\nb\x1b[31m \udcff.tif")
    'a b [31m \\xff.tif'
    """
    text = name.encode("utf-8", "surrogateescape" if _is_from_bytes(name) else "backslashreplace")
    shown = "".join(
        letter if letter.isprintable() else " " for letter in text.decode("utf-8", "backslashreplace")
    )
    return shown if len(shown) <= MOST_LETTERS else shown[: MOST_LETTERS - 1] + "…"


def _is_from_bytes(name: str) -> bool:
    """Tell whether the letters that are no Unicode stand for the bytes of a file name."""
    return all(0xDC80 <= ord(letter) <= 0xDCFF for letter in name if 0xD800 <= ord(letter) <= 0xDFFF)
