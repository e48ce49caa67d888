"""A screen for each of several test processes, since a mouse and a keyboard cannot be shared."""

import os
import shutil
import subprocess


def open_own_screen() -> "subprocess.Popen[bytes] | None":
    """Start an X server and let this process draw there; None where it runs alone or there is no Xvfb."""
    wanted = os.environ.get("QT_QPA_PLATFORM") == "xcb" and "PYTEST_XDIST_WORKER" in os.environ
    if not wanted or shutil.which("Xvfb") is None:
        return None
    reading, writing = os.pipe()
    line = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-ac"]
    server = subprocess.Popen(line, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as said:
        number = said.readline().strip()
    if not number:
        raise RuntimeError("Xvfb did not start, so that this process has no screen.")
    os.environ["DISPLAY"] = f":{number}"
    os.environ.pop("XAUTHORITY", None)
    return server
