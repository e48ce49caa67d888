"""What does not fit on the disk is said, and leaves what was there: by a limit on the size of files."""

import subprocess
import sys

import pytest

from napari_histreg.samples import demo_pair

resource = pytest.importorskip("resource", reason="limits are set as Unix does")

VOLUME = """
import numpy as np
from napari_histreg.volumes import Volume, write_volume
voxels = np.random.default_rng(0).normal(size=(30, 30, 30)).astype(np.float32)
write_volume(Volume("v", voxels, np.eye(4)), {name!r})
"""
TRANSFORM = """
from napari_histreg.transforms import Affine
from napari_histreg.transforms.formats import write_transform
write_transform(Affine.identity(), {name!r}, dialect="itk")
"""


def run_with_room(folder, code, most_bytes):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, preexec_fn=limit, timeout=200, check=False
    )


@pytest.mark.parametrize("name", ["v.nii.gz", "v.nii", "v.nrrd", "v.mha", "t.tfm"])
def test_a_full_disk_is_said_and_the_old_file_stays(tmp_path, name):
    (tmp_path / name).write_bytes(b"old")
    code = (TRANSFORM if name == "t.tfm" else VOLUME).format(name=name)
    ended = run_with_room(tmp_path, code, 50 if name == "t.tfm" else 40_000)
    assert "WriteError" in ended.stderr.splitlines()[-1], ended.stderr
    assert (tmp_path / name).read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_slide_that_does_not_fit_leaves_nothing(tmp_path):
    made = demo_pair(tmp_path)
    before = sorted(tmp_path.iterdir())
    code = (
        "from napari_histreg.slides import open_slide, write_slide\n"
        f"with open_slide({str(made.fixed)!r}) as slide:\n    write_slide(slide, 'copy.ome.tif')\n"
    )
    ended = run_with_room(tmp_path, code, 20_000)
    assert "WriteError" in ended.stderr.splitlines()[-1], ended.stderr
    assert sorted(tmp_path.iterdir()) == before
