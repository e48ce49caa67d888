"""Forms read off parameter models, those of all methods among them."""

from typing import Literal

import pytest
from pydantic import BaseModel, Field

from napari_histreg.plugin.models.parameter_form import form_fields
from napari_histreg.registration.catalogue import list_methods


class Parameters(BaseModel):
    switch: bool = Field(True, title="Try it", description="Whether to try")
    whole: int = Field(5, gt=0, lt=10)
    real: float = Field(1e-4, ge=0, le=1)
    large: float = Field(50.0, ge=0)
    choice: Literal["auto", "on"] = "auto"
    maybe: int | None = Field(None, ge=1, description="How many.")
    text: str = "abc"
    folder: str = Field("", json_schema_extra={"format": "directory-path"})
    several: tuple[int, int] = (1, 2)
    either: int | str = 3


FIELDS = {field.name: field for field in form_fields(Parameters)}


def test_kinds():
    kinds = {name: field.kind for name, field in FIELDS.items()}
    assert kinds == {
        "switch": "switch",
        "whole": "whole",
        "real": "real",
        "large": "real",
        "choice": "choice",
        "maybe": "whole",
        "text": "text",
        "folder": "folder",
    }


def test_bounds_allow_their_values():
    assert (FIELDS["whole"].minimum, FIELDS["whole"].maximum) == (1, 9)
    assert (FIELDS["real"].minimum, FIELDS["real"].maximum) == (0, 1)


def test_small_numbers_can_be_typed_and_stepped():
    assert FIELDS["real"].decimals >= 5
    assert FIELDS["real"].step <= 1e-4
    assert FIELDS["large"].step == 1.0


def test_words():
    assert FIELDS["switch"].title == "Try it"
    assert FIELDS["whole"].title == "Whole"
    assert FIELDS["switch"].tip == "Whether to try. On by default."
    assert FIELDS["maybe"].tip == "How many. At least 1; the method chooses by default."
    assert FIELDS["maybe"].optional


@pytest.mark.parametrize("spec", [s for s in list_methods() if s.is_available], ids=lambda spec: spec.name)
def test_the_form_of_every_method_can_hold_its_defaults(spec):
    model = spec.load()
    fields = form_fields(model)
    # Whatever a form does not show keeps its default; that should be the exception.
    assert len(fields) >= 0.8 * len(model.model_fields)
    for field in fields:
        assert field.title
        assert field.tip.endswith("default.")
        if field.kind in ("whole", "real") and field.default is not None:
            assert field.minimum <= field.default <= field.maximum
            assert round(field.default, field.decimals) == pytest.approx(field.default, rel=1e-6)
    model(**{field.name: field.default for field in fields})
