"""What pydantic finds wrong in a file, as a sentence."""

from pydantic import ValidationError

__all__ = ["first_fault"]


def first_fault(error: ValidationError) -> str:
    """Return the first fault with its place, without pydantic's own wording around it.

    Examples
    --------
    >>> from pydantic import BaseModel
    >>> class Size(BaseModel):
    ...     width: int
    >>> try:
    ...     Size(width="wide")
    ... except ValidationError as error:
    ...     print(first_fault(error))
    'width': Input should be a valid integer, unable to parse string as an integer
    """
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"{where[:200]!r}: {said}" if where else said
