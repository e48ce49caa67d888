"""The angle of each projection: from a file, from a range, or from the series itself."""

import re
import stat
from pathlib import Path

import numpy as np

from napari_histreg.errors import DamagedFile, ReadError
from napari_histreg.projections.arrays import Floats

__all__ = ["angles_for", "read_angles"]

LARGEST_FILE = 4_000_000
FEWEST = 3
_RANGE = re.compile(r"^\s*([-+0-9.eE]+):([-+0-9.eE]+)(?::([-+0-9.eE]+))?\s*$")


def angles_for(
    given: "str | Path | Floats | list[float] | None", found: Floats | None, count: int, name: str
) -> tuple[Floats, tuple[str, ...]]:
    """Settle the angles of a series.

    Parameters
    ----------
    given : str, path-like, array-like or None
        ``"0:180"`` for equal steps from the first to the last projection, both ends included;
        ``"0:180:0.5"`` for a step; a text file with one angle a line; the angles themselves.
    found : (N,) ndarray or None
        What the series' own file holds; counts where none are given.
    count : int
        Projections there are.
    name : str
        Of the series, for messages.

    Returns
    -------
    (A,) ndarray
        In degrees.
    tuple of str
        Remarks.

    Raises
    ------
    ReadError
        There are none, or they do not fit the number of projections, or cannot be angles.

    Examples
    --------
    >>> angles_for("0:180:60", None, 3, "scan")[0].tolist()
    [0.0, 60.0, 120.0]
    """
    if given is None:
        if found is None:
            raise ReadError(
                f"{name} does not hold its angles. Name them: --angles angles.txt, or --angles 0:180."
            )
        values, source = np.asarray(found, float), name
    elif isinstance(given, str) and (match := _RANGE.match(given)):
        return _range(match, count, name)
    elif isinstance(given, str | Path):
        values, source = read_angles(given), str(given)
    else:
        values, source = np.asarray(given, float).ravel(), "the list of angles"
    values, notes = _fitted(values, count, name, source)
    if not np.isfinite(values).all():
        raise ReadError(f"{source} holds an angle that is no number. Give one angle for each projection.")
    values, more = _degrees(values, source)
    if np.ptp(values) < 1e-9:
        raise ReadError(f"All angles in {source} are {values[0]:g}: a series needs different ones.")
    return values, notes + more


def read_angles(path: str | Path) -> Floats:
    """Read a text file with one angle a line (.txt, .csv, .rawtlt, .tlt); the last number of a line counts.

    Raises
    ------
    ReadError, DamagedFile
        There is no such file, or it holds something else.
    """
    file = Path(path)
    try:
        info = file.stat()
        if not stat.S_ISREG(info.st_mode):
            raise ReadError(f"{file} is no file with angles. Name a text file with one angle a line.")
        if info.st_size > LARGEST_FILE:
            raise ReadError(f"{file} is too large for a list of angles. Name a text file with one a line.")
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DamagedFile(
            f"There is no file {file} with angles. Check the path, or give a range: 0:180."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedFile(f"{file} cannot be read as text with angles: {error}.") from None
    values = []
    for number, line in enumerate(text.splitlines(), 1):
        words = re.split(r"[\s,;]+", line.partition("#")[0].strip())
        if not words[-1]:
            continue
        try:
            values.append(float(words[-1]))
        except ValueError:
            if values:
                raise ReadError(f"{file}, line {number}: {words[-1][:40]!r} is no angle.") from None
    if not values:
        raise ReadError(f"{file} holds no angles. It should hold one a line.")
    return np.array(values)


def _range(match: re.Match[str], count: int, name: str) -> tuple[Floats, tuple[str, ...]]:
    try:
        start, stop = float(match[1]), float(match[2])
        step = None if match[3] is None else float(match[3])
    except ValueError:
        raise ReadError(f"{match[0]} is no range of angles. Write it as 0:180 or 0:180:0.5.") from None
    if start == stop or not np.isfinite([start, stop]).all():
        raise ReadError(f"{match[0]} is no range of angles. Write it as 0:180 or 0:180:0.5.")
    if step is None:
        even = np.linspace(start, stop, count)
        size = (stop - start) / max(count - 1, 1)
        return even, (
            f"Angles from {start:g} to {stop:g} degrees, both ends included: steps of {size:.4g}. "
            f"If the last projection is a step short of {stop:g}, give the step: "
            f"{start:g}:{stop:g}:{(stop - start) / count:.6g}.",
        )
    angles = start + step * np.arange(count)
    if abs(angles[-1] - stop) > 1.01 * abs(step):
        raise ReadError(
            f"Steps of {step:g} from {start:g} reach {angles[-1]:g} degrees after the {count} projections of "
            f"{name}, not {stop:g}. Check the range."
        )
    return angles, ()


def _fitted(values: Floats, count: int, name: str, source: str) -> tuple[Floats, tuple[str, ...]]:
    """Return one angle for each projection."""
    if len(values) == count:
        return values, ()
    # While the stage stands for dark and flat frames the log repeats its angle.
    moving = np.append(True, np.diff(values) != 0) if len(values) else np.zeros(0, bool)
    distinct = values[moving]
    if len(distinct) != count:
        small = np.median(np.abs(np.diff(distinct))) if len(distinct) > 2 else 0.0
        close = np.append(True, np.abs(np.diff(values)) > 0.02 * small) if len(values) else moving
        distinct = values[close]
    if len(distinct) == count:
        return distinct, (
            f"{source} holds {len(values)} angles; {len(values) - count} repeat the one before and were "
            f"taken for dark and flat frames, the other {count} belong to the projections in order.",
        )
    raise ReadError(
        f"{source} holds {len(values)} angles and {name} {count} projections: there must be one for each."
    )


def _degrees(values: Floats, source: str) -> tuple[Floats, tuple[str, ...]]:
    """Return degrees; a half or full turn in radians is recognised."""
    span = float(np.ptp(values))
    if len(values) > 10 and any(abs(span - turn) < 0.05 * turn for turn in (np.pi, 2 * np.pi)):
        return np.degrees(values), (f"The angles in {source} span {span:.3f}: they were taken for radians.",)
    return values, ()
