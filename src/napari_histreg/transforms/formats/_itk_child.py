"""Reading what only ITK can read in a process of its own, which may fail without harm.

ITK ends the whole process on some damaged files, prints while it reads, and takes the memory that a file
asks for. The child reads the file and writes it anew, as ITK's own text or plain image.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_histreg.errors import DamagedFile
from napari_histreg.files import LIMITS, regular_file

__all__ = ["rewritten"]

SECONDS = 60
# Address space that the libraries take by themselves.
LIBRARIES = 2 << 30


@contextmanager
def rewritten(path: Path, what: str) -> Iterator[Path]:
    """Give a file that holds the same and was written by ITK itself.

    Parameters
    ----------
    path : Path
        The file from outside.
    what : {"transform", "image"}
        What it should hold.

    Yields
    ------
    Path
        A text of transforms (.tfm) or an image (.mha).

    Raises
    ------
    DamagedFile
        ITK cannot read it, or not with the memory and time allowed.
    """
    regular_file(path)
    with tempfile.TemporaryDirectory(prefix="histreg-") as folder:
        result = Path(folder) / ("read.tfm" if what == "transform" else "read.mha")
        most = LIMITS.decoded_bytes
        # -P keeps the current folder, where anything may lie, out of the places to import from.
        line = [sys.executable, "-P", "-m", __name__, what, str(path.absolute()), str(result), str(most)]
        try:
            ended = subprocess.run(line, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise DamagedFile(f"{path} cannot be read by ITK within {SECONDS} s. It is damaged.") from None
        if ended.returncode or not result.is_file():
            said = ended.stderr.decode("utf-8", "replace").strip().splitlines()
            why = (
                said[-1].removeprefix("sitk::ERROR: ")[:200]
                if ended.returncode == 1 and said
                else "it is damaged"
            )
            raise DamagedFile(f"{path} holds no {what} that ITK can read: {why.rstrip('.')}.")
        yield result


def main() -> None:
    """Read and write anew; the arguments are what `rewritten` gives."""
    what, source, target, most = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    try:
        import resource
    except ImportError:  # Windows has no such bounds
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (LIBRARIES + 3 * most, LIBRARIES + 3 * most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        if what == "transform":
            sitk.WriteTransform(sitk.ReadTransform(source), target)
            return
        reader = sitk.ImageFileReader()
        reader.SetFileName(source)
        reader.ReadImageInformation()
        size = 8 * reader.GetNumberOfComponents()
        for side in reader.GetSize():
            size *= side
        if not 0 < size <= most:
            sys.exit(f"it announces {size / 1e9:.1f} GB of displacements")
        sitk.WriteImage(sitk.ReadImage(source, sitk.sitkVectorFloat64), target)
    except RuntimeError as error:
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        sys.exit(said[-1] if said else "it is damaged")


if __name__ == "__main__":
    main()
