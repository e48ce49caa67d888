"""How much one file from outside may ask for, in one place, and how to allow more."""

import math
import os

__all__ = ["ENVIRONMENT", "LIMITS", "Limits", "allow_gb"]

ENVIRONMENT = "HISTREG_MAX_GB"
"""Environment variable that says how many GB to allow, for programs without a command line."""

GB = 1 << 30


class Limits:
    """Bounds in bytes, all shares of one number that the user can raise.

    Parameters
    ----------
    gb : float
        How many GB one file may take in memory, about.

    Examples
    --------
    >>> limits = Limits(1.0)
    >>> limits.decoded_bytes == 2**29, limits.how_to_allow(2**31)
    (True, 'allow more with --max-gb 4 (or HISTREG_MAX_GB=4)')
    """

    def __init__(self, gb: float) -> None:
        self.gb = gb

    @property
    def decoded_bytes(self) -> int:
        """Largest picture, tile or chunk that is decoded in one piece."""
        return int(self.gb * GB / 2)

    @property
    def text_bytes(self) -> int:
        """Largest table or annotation file."""
        return int(self.gb * GB / 4)

    @property
    def json_bytes(self) -> int:
        """Largest file that becomes objects, which take some ten times its size."""
        return int(self.gb * GB / 16)

    @property
    def scanned_bytes(self) -> int:
        """Most pixels that are decoded to make an overview where a file is small for what it announces."""
        return int(self.gb * GB * 2)

    def how_to_allow(self, needed: float, share: float = 0.5) -> str:
        """Say how a user allows what needs `needed` bytes of a bound that is `share` of the whole."""
        gb = max(math.ceil(needed / share / GB), 2)
        return f"allow more with --max-gb {gb} (or {ENVIRONMENT}={gb})"


def _from_environment() -> float:
    try:
        value = float(os.environ.get(ENVIRONMENT, "1"))
    except ValueError:
        return 1.0
    return value if 0 < value < math.inf else 1.0


LIMITS = Limits(_from_environment())
"""The bounds in force."""


def allow_gb(gb: float) -> None:
    """Set how many GB one file may take in memory.

    Raises
    ------
    ValueError
        It is not a number above 0.
    """
    if not 0 < gb < math.inf:
        raise ValueError(f"The memory to allow is a number of GB above 0, not {gb!r}.")
    LIMITS.gb = gb
