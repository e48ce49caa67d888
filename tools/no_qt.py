"""Fail where the core has brought a window with it: no Qt, no napari is installed, and none is needed."""

import importlib.util
import subprocess
import sys
import tempfile

WINDOWS = ("PyQt5", "PyQt6", "PySide6", "qtpy", "superqt", "psygnal", "magicgui", "vispy", "napari")


def main() -> int:
    """Look for packages that draw windows, then run the demo without them."""
    found = [name for name in WINDOWS if importlib.util.find_spec(name)]
    if found:
        print(f"The core installs {', '.join(found)}: what belongs to the window goes into the extra gui.")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [sys.executable, "-m", "napari_histreg", "demo", "-o", folder], check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
