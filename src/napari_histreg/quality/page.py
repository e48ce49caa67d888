"""Templates filled in: one HTML page that needs nothing but itself; every word from outside is escaped."""

import base64
import io
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from napari_histreg.quality.drawing import Picture
from napari_histreg.units import rounded

if TYPE_CHECKING:
    from jinja2 import Environment
    from PIL.Image import Image

__all__ = ["render", "value_words"]

JPEG_QUALITY = 85
LARGEST_GAIN = 4
"""How much smaller a chart becomes at most by writing its PNG with care; photographs gain a fifth."""

LONGEST_WORDS = 200


def render(template: str, **values: Any) -> str:
    """Fill in a template of the folder ``templates``.

    Parameters
    ----------
    template : str
        Name of the file.
    **values
        What the template names; what it names and does not get is an error.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> page = render("page.html", title="a < b")
    >>> page.count("a &lt; b"), "default-src 'none'" in page
    (2, True)
    """
    return _environment().get_template(template).render(values)


def value_words(value: object) -> str:
    """Say a value of a record to a person.

    Examples
    --------
    >>> value_words(True), value_words(None), value_words(2.7736e-25), value_words(["red", "green"])
    ('yes', '–', '0', 'red, green')
    >>> value_words({"best_z": 19.088, "poses": 576.0})
    'best z 19.1, poses 576'
    """
    if value is None or value == "":
        words = "–"
    elif isinstance(value, bool):
        words = "yes" if value else "no"
    elif isinstance(value, float):
        words = rounded(value)
    elif isinstance(value, Mapping):
        words = ", ".join(f"{name_words(name)} {value_words(inner)}" for name, inner in value.items()) or "–"
    elif isinstance(value, list | tuple):
        words = ", ".join(value_words(inner) for inner in value) or "none"
    else:
        words = str(value)
    return words if len(words) <= LONGEST_WORDS else words[: LONGEST_WORDS - 1] + "…"


def name_words(name: object) -> str:
    """Return the name of a value in a record as words.

    Examples
    --------
    >>> name_words("scale_range")
    'scale range'
    """
    return str(name).replace("_", " ")


@lru_cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("napari_histreg.quality", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"words": value_words, "data_url": _data_url}
    return environment


def _data_url(picture: Picture) -> str:
    """Return a picture as part of the page: charts are smaller as PNG, photographs as JPEG."""
    from PIL.Image import fromarray

    image = fromarray(picture)
    # Writing a small PNG takes a third of a report's time, and a photograph stays larger than as JPEG.
    quick = len(_encoded(image, "png", compress_level=1))
    files = {"jpeg": _encoded(image, "jpeg", quality=JPEG_QUALITY, optimize=True)}
    if quick < LARGEST_GAIN * len(files["jpeg"]):
        files["png"] = _encoded(image, "png", optimize=True)
    kind = min(files, key=lambda kind: len(files[kind]))
    return f"data:image/{kind};base64,{base64.b64encode(files[kind]).decode('ascii')}"


def _encoded(image: "Image", kind: str, **wishes: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **wishes)
    return buffer.getvalue()
