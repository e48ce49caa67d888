import os
import subprocess
import sys

import pytest

from napari_histreg.errors import OutputIsInput, WriteError
from napari_histreg.files import check_output, check_outputs, claimed, written_whole
from napari_histreg.files.strays import temporary_name


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def zarr(path, note="zarr.json"):
    path.mkdir(parents=True)
    (path / note).write_text("{}")
    return path


def test_a_finished_block_leaves_only_the_final_name(tmp_path):
    with written_whole(tmp_path / "a.ome.tif") as temporary:
        assert temporary.name.endswith(".ome.tif"), "writers look at the suffix"
        assert temporary.name.startswith(".")
        temporary.write_text("whole")
        assert names(tmp_path) == [temporary.name]
    assert names(tmp_path) == ["a.ome.tif"]


def test_a_failed_block_leaves_what_was_there(tmp_path):
    final = tmp_path / "a.csv"
    final.write_text("old")

    def half_way():
        with written_whole(final) as temporary:
            temporary.write_text("ne")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        half_way()
    assert final.read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


def test_a_zarr_replaces_a_zarr(tmp_path):
    final = zarr(tmp_path / "a.zarr")
    zarr(final / "0")
    with written_whole(final, folder=True) as temporary:
        (temporary / "new").mkdir(parents=True)
    assert names(tmp_path) == ["a.zarr"]
    assert names(final) == ["new"]


def test_a_missing_folder_is_named(tmp_path):
    with (
        pytest.raises(WriteError, match=r"folder .*nowhere does not exist"),
        written_whole(tmp_path / "nowhere" / "a.csv"),
    ):
        pass


def test_a_full_disk_is_one_sentence(tmp_path):
    with (
        pytest.raises(WriteError, match=r"a\.csv cannot be written: No space left"),
        written_whole(tmp_path / "a.csv"),
    ):
        raise OSError(28, os.strerror(28))


def a_folder(path):
    path.mkdir()


def a_pipe(path):
    os.mkfifo(path)


def a_loop(path):
    path.symlink_to(path.name)


def a_folder_of_other_things(path):
    path.mkdir()
    (path / "thesis.docx").write_text("precious")


def a_zarr_with_other_things(path):
    zarr(path)
    (path / "thesis.docx").write_text("precious")


REFUSED = {
    "a folder": (a_folder, False),
    "a pipe": (a_pipe, False),
    "a link to itself": (a_loop, False),
    "a file for a folder": (lambda path: path.write_text("precious"), True),
    "a folder of other things": (a_folder_of_other_things, True),
    "a Zarr with other things": (a_zarr_with_other_things, True),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_such_output_is_not_replaced(tmp_path, case):
    make, folder = REFUSED[case]
    make(tmp_path / "out")
    with pytest.raises(WriteError), written_whole(tmp_path / "out", folder=folder):
        pytest.fail("the block must not begin")
    assert names(tmp_path) == ["out"]


def test_a_link_stands_for_what_it_points_to(tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    with written_whole(tmp_path / "link.csv") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new"


@pytest.mark.parametrize("name", ["", ".", "/", "..", "a\0b", "n" * 300])
def test_names_of_no_file_are_one_sentence(name):
    with pytest.raises(WriteError):
        check_output(name)


@pytest.mark.parametrize("length", [200, 251, 255])
def test_long_names_are_written(tmp_path, length):
    final = tmp_path / ("n" * (length - 4) + ".csv")
    with written_whole(final) as temporary:
        assert temporary.suffix == ".csv"
        temporary.write_text("whole")
    assert final.read_text() == "whole"


def same(tmp_path, source):
    return source


def hard_link(tmp_path, source):
    os.link(source, tmp_path / "hard.tif")
    return tmp_path / "hard.tif"


def soft_link(tmp_path, source):
    (tmp_path / "soft.tif").symlink_to(source)
    return tmp_path / "soft.tif"


def detour(tmp_path, source):
    return tmp_path / "slide" / ".." / "slide.mrxs"


def companion(tmp_path, source):
    return tmp_path / "slide" / "Data0001.dat"


@pytest.mark.parametrize("way", [same, hard_link, soft_link, detour, companion])
def test_what_is_read_is_not_replaced(tmp_path, way):
    source = tmp_path / "slide.mrxs"
    source.write_text("precious")
    (tmp_path / "slide").mkdir()
    (tmp_path / "slide" / "Data0001.dat").write_text("precious")
    output = way(tmp_path, source)
    with claimed(source), pytest.raises(OutputIsInput):
        check_output(output)
    check_output(output)


def test_neither_in_a_zarr_that_is_read_nor_around_it(tmp_path):
    source = zarr(tmp_path / "all.zarr")
    zarr(source / "0")
    with claimed(source / "0"), pytest.raises(OutputIsInput):
        check_output(source, folder=True)
    with pytest.raises(OutputIsInput):
        check_outputs(source / "0" / "x.csv", inputs=[source])


def killed(statement, folder):
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfolder = Path(sys.argv[1])\n"
        "def die(*_): os.kill(os.getpid(), signal.SIGKILL)\n" + statement
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=False)


def test_what_a_killed_run_left_goes_with_the_next(tmp_path):
    killed(
        "from napari_histreg.files import written_whole\n"
        "with written_whole(folder / 'a.ome.tif') as t:\n    t.write_text('half'); die()\n",
        tmp_path,
    )
    assert len(names(tmp_path)) == 1
    alive = temporary_name(tmp_path / "other.csv")
    alive.write_text("of a process that runs")
    with written_whole(tmp_path / "b.csv") as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == sorted([alive.name, "b.csv"])


def test_a_zarr_that_was_moved_aside_comes_back(tmp_path):
    zarr(tmp_path / "a.zarr")
    killed(
        "from napari_histreg.files import writing\n"
        "writing.remove = die\n"
        "rename = Path.rename\n"
        "def once(self, other):\n    rename(self, other); die()\n"
        "Path.rename = once\n"
        "with writing.written_whole(folder / 'a.zarr', folder=True) as t:\n    t.mkdir()\n",
        tmp_path,
    )
    assert "a.zarr" not in names(tmp_path)
    with written_whole(tmp_path / "b.csv") as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == ["a.zarr", "b.csv"]
    assert names(tmp_path / "a.zarr") == ["zarr.json"]
