"""A look at a file by slideio in a process of its own, which may fail without harm.

slideio ends the whole process on some damaged files, and takes the memory that a file asks for. What it
opens and reads here, at the corners and in the middle of every level, it opens and reads again.
"""

import subprocess
import sys
from pathlib import Path

from napari_histreg.errors import DamagedFile
from napari_histreg.files import LIMITS

__all__ = ["check_readable"]

SECONDS = 60
PART_PX = 64
# Address space that the libraries take by themselves.
LIBRARIES = 2 << 30


def check_readable(path: Path, driver: str) -> None:
    """Refuse a file on which slideio fails, or takes more memory or time than is allowed.

    Parameters
    ----------
    path : Path
    driver : {"CZI", "VSI"}

    Raises
    ------
    DamagedFile
        It does.
    """
    # -P keeps the current folder, where anything may lie, out of the places to import from.
    line = [sys.executable, "-P", "-m", __name__, str(path.absolute()), driver, str(LIMITS.decoded_bytes)]
    try:
        ended = subprocess.run(line, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise DamagedFile(f"{path.name} cannot be read by slideio within {SECONDS} s.") from None
    if ended.returncode:
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines()
        why = said[-1][:200] if ended.returncode == 1 and said else "it contradicts itself"
        raise DamagedFile(
            f"{path.name} cannot be read by slideio: {why}. "
            "The file is probably damaged or incomplete; copy it again from its source."
        )


def main() -> None:
    """Open and read; the arguments are what `check_readable` gives."""
    path, driver, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
    try:
        import resource
    except ImportError:  # Windows has no such bounds
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (LIBRARIES + most, LIBRARIES + most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import slideio

    slideio.set_log_level("FATAL")
    try:
        file = slideio.open_slide(path, driver)
        for k in range(file.num_scenes):
            _look(file.get_scene(k))
    except Exception as error:  # noqa: BLE001 - it raises anything at all
        sys.exit(" ".join(str(error).split()).rstrip(".") or type(error).__name__)


def _look(scene: object) -> None:
    """Read a little of each level."""
    for level in range(scene.num_zoom_levels):  # type: ignore[attr-defined]
        size = scene.get_zoom_level_info(level).size  # type: ignore[attr-defined]
        places = {(0, 0), (size.width // 2, size.height // 2), (size.width - PART_PX, size.height - PART_PX)}
        for x, y in places:
            scene.read_block_from_level(level, (max(x, 0), max(y, 0), PART_PX, PART_PX))  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
