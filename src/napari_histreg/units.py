"""World units and lengths in words for people."""

__all__ = ["length_words", "rounded", "unit_sign"]


def unit_sign(unit: str) -> str:
    """Return the sign of a world unit: the files say "um", people read µm.

    Examples
    --------
    >>> unit_sign("um"), unit_sign("px")
    ('µm', 'px')
    """
    return "µm" if unit == "um" else unit


def rounded(value: float, digits: int = 3) -> str:
    """Return a number with a few digits that count, and no powers of ten.

    Parameters
    ----------
    value : float
    digits : int
        Digits that count; those before the point always stay.

    Examples
    --------
    >>> rounded(12345.6), rounded(0.98765), rounded(2.7e-25), rounded(-0.5), rounded(3.0)
    ('12346', '0.988', '0', '-0.5', '3')
    """
    if value != value or value in (float("inf"), float("-inf")):
        return "–"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:.0f}"
    if abs(value) < 10**-digits:
        return "0"
    return f"{float(f'{value:.{digits}g}'):.{digits + 3}f}".rstrip("0").rstrip(".")


def length_words(value: float, unit: str, digits: int = 2) -> str:
    """Return a length with its unit; long ones in millimetres.

    Parameters
    ----------
    value : float
        In world units.
    unit : {"um", "px"}
        Name of the world unit.
    digits : int
        Digits that count.

    Examples
    --------
    >>> length_words(0.20123, "um"), length_words(12345.0, "um"), length_words(12345.0, "px")
    ('0.2 µm', '12 mm', '12345 px')
    """
    if unit == "um" and abs(value) >= 10_000:
        return f"{rounded(value / 1000, digits)} mm"
    return f"{rounded(value, digits)} {unit_sign(unit)}"
