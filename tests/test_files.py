import os

import pytest

from napari_histreg.errors import WriteError
from napari_histreg.files import written_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


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


def test_a_folder_replaces_a_folder(tmp_path):
    final = tmp_path / "a.zarr"
    (final / "old").mkdir(parents=True)
    with written_whole(final) as temporary:
        (temporary / "new").mkdir(parents=True)
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
