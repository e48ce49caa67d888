"""The process in which elastix runs: ``python -m napari_histreg.methods.elastix.child``.

elastix holds Python's lock while it runs and cannot be stopped, so it gets a process of its own, which
stays for the next image, because loading the library takes many seconds, and can be killed. Each line of
its input names a folder with a job; the answer is written there. It ends with its input, or when it has
had nothing to do for a while.
"""

import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.methods.elastix.itk_parts import parameter_object, registration_method

__all__ = ["ANSWER", "JOB", "LOG", "main", "run_job"]

JOB = "job.json"
ANSWER = "answer.json"
LOG = "elastix.log"
IDLE_SECONDS = 900.0


def main() -> None:
    """Run the jobs that come in, one after another."""
    # The library prints; nobody listens.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    # The first job finds the library loaded.
    parameter_object(), registration_method(2)
    while True:
        try:
            line = lines.get(timeout=IDLE_SECONDS).strip()
        except queue.Empty:
            return
        if not line:
            return
        folder = Path(json.loads(line))
        try:
            answer = run_job(folder)
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent has to know
            answer = {"error": str(error), "type": type(error).__name__}
        part = folder / (ANSWER + ".part")
        part.write_text(json.dumps(answer), encoding="utf-8")
        part.replace(folder / ANSWER)


def run_job(folder: Path) -> dict[str, Any]:
    """Run elastix on the images and parameter files of a folder.

    Parameters
    ----------
    folder : Path
        Holds ``job.json`` with ``spacing_xy``, ``fixed_origin_xy``, ``moving_origin_xy``,
        ``parameter_files`` and ``has_points``; ``fixed.npy`` and ``moving.npy`` (Y, X) float32;
        ``fixed_mask.npy`` and ``moving_mask.npy`` (Y, X) uint8; with points also ``fixed_points.txt`` and
        ``moving_points.txt``. A groupwise job has ``groupwise``, ``spacing_xy``, ``origin_xy`` and
        ``stack.npy`` (N, Y, X) instead; a job on volumes ``spacing_xyz``, images and masks (Z, Y, X)
        on one grid.

    Returns
    -------
    dict
        ``maps``: the transform parameter maps in the order in which they apply.
    """
    import itk

    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    maps = parameter_object()
    for name in job["parameter_files"]:
        maps.AddParameterFile(str(folder / name))
    if job.get("groupwise"):
        stack = itk.image_from_array(np.load(folder / "stack.npy"))
        stack.SetSpacing([*job["spacing_xy"], 1.0])
        stack.SetOrigin([*job["origin_xy"], 0.0])
        return _run(registration_method(3), stack, stack, maps, folder)
    images = {}
    solid = "spacing_xyz" in job
    for name in ("fixed", "moving", "fixed_mask", "moving_mask"):
        image = itk.image_from_array(np.load(folder / f"{name}.npy"))
        image.SetSpacing(job["spacing_xyz" if solid else "spacing_xy"])
        image.SetOrigin([0.0] * 3 if solid else job[f"{name.split('_')[0]}_origin_xy"])
        images[name] = image
    method = registration_method(3 if solid else 2)
    method.SetFixedMask(images["fixed_mask"])
    method.SetMovingMask(images["moving_mask"])
    if job.get("has_points"):
        method.SetFixedPointSetFileName(str(folder / "fixed_points.txt"))
        method.SetMovingPointSetFileName(str(folder / "moving_points.txt"))
    return _run(method, images["fixed"], images["moving"], maps, folder)


def _run(method: Any, fixed: Any, moving: Any, maps: Any, folder: Path) -> dict[str, Any]:
    """Run elastix, its log beside the job, and return the transforms."""
    method.SetFixedImage(fixed)
    method.SetMovingImage(moving)
    method.SetParameterObject(maps)
    method.SetOutputDirectory(str(folder))
    method.SetLogFileName(LOG)
    method.SetLogToFile(True)
    method.SetLogToConsole(False)
    method.UpdateLargestPossibleRegion()
    result = method.GetTransformParameterObject()
    count = result.GetNumberOfParameterMaps()
    return {"maps": [{k: list(v) for k, v in result.GetParameterMap(i).items()} for i in range(count)]}


if __name__ == "__main__":
    main()
