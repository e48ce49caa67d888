"""Tables of pairs, and their planes on the frame of the affine alignment."""

import cv2
import numpy as np
import pytest

from bent import SIDE
from napari_histreg.errors import Cancelled, DamagedFile
from napari_histreg.learning.training_set import prepare_pairs, read_pairs
from phantoms import Tissue


def table(folder, text):
    path = folder / "pairs.csv"
    path.write_text(text)
    return path


def test_the_column_specimen_says_what_belongs_together(tmp_path):
    path = table(tmp_path, "case;fixed;moving;Specimen\na;1.png;2.png;K7\nb;3.png;4.png;K7\n")
    assert [pair.specimen for pair in read_pairs(path)] == ["K7", "K7"]
    path = table(tmp_path, "case,fixed,moving\na,1.png,2.png\nb,3.png,4.png\n")
    assert [pair.specimen for pair in read_pairs(path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("case,fixed,moving,specimen\na,1.png,2.png,\n", "column specimen"),
        ("case,slide\na,1.png\na,2.png\na,3.png\n", "more than two slides"),
        ("colour\nred\n", "header"),
    ],
)
def test_a_table_that_cannot_be_learned_from_is_refused(tmp_path, text, words):
    with pytest.raises(DamagedFile, match=words):
        read_pairs(table(tmp_path, text))


def test_pairs_lie_on_one_another_and_are_prepared_once(tmp_path):
    tissue = Tissue.random(SIDE * 0.5, seed=2, nuclei=500)
    for name, stain in (("a", "nuclear"), ("b", "other")):
        pixels = tissue.view(shape=(200, 200), stain=stain).pixels
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.round(255 * pixels / pixels.max()).astype(np.uint8))
    cv2.imwrite(
        str(tmp_path / "noise.png"), np.random.default_rng(0).integers(0, 255, (200, 200)).astype(np.uint8)
    )
    rows = "case,fixed,moving,pixel_size\ngood,a.png,b.png,0.5\nbad,a.png,noise.png,0.5\n"
    pairs = read_pairs(table(tmp_path, rows))
    found = prepare_pairs(pairs, tmp_path / "prepared", 128)
    assert [row.name for row in found] == ["good"]
    assert list(found.skipped) == ["bad"]
    fixed, moving, weight = found.planes(0)
    assert max(fixed.shape) <= 128
    assert np.corrcoef(fixed.ravel(), moving.ravel())[0, 1] > 0.5
    assert found[0].spacing_um == pytest.approx(0.5 * 200 / 128, rel=0.05)
    assert 0 <= weight.min() <= weight.max() <= 1

    def stop(fraction, message):
        raise Cancelled

    before = found[0].planes.stat().st_mtime_ns
    prepare_pairs(pairs[:1], tmp_path / "prepared", 128)
    assert found[0].planes.stat().st_mtime_ns == before
    with pytest.raises(Cancelled):
        prepare_pairs(pairs, tmp_path / "prepared", 128, progress=stop)
