import pytest

from napari_histreg.errors import WriteError
from napari_histreg.files.ownership import check_own, digests


def test_only_what_a_record_names_and_nobody_changed_is_replaced(tmp_path):
    (tmp_path / "shifts.csv").write_text("1")
    own = digests(tmp_path, ["shifts.csv"])
    check_own(tmp_path, ["shifts.csv", "angles.txt"], own)
    (tmp_path / "shifts.csv").write_text("2, by hand")
    with pytest.raises(WriteError, match="changed after it was written") as error:
        check_own(tmp_path, ["shifts.csv"], own)
    assert error.value.wants == "overwrite"
    (tmp_path / "angles.txt").write_text("0")
    with pytest.raises(WriteError, match=r"angles\.txt that was not made there by this program"):
        check_own(tmp_path, ["angles.txt"], own)
