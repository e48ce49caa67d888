"""histreg train: the line of the docs, from a table to a model that register takes; and what it refuses."""

import sys

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from napari_histreg.cli.app import app
from napari_histreg.learning.model_folder import read_model
from phantoms import Tissue


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    rows = ["case,fixed,moving,specimen,pixel_size"]
    for k in range(3):
        tissue = Tissue.random(80.0, seed=k, nuclei=250)
        for name, stain in (("f", "nuclear"), ("m", "other")):
            pixels = tissue.view(shape=(144, 144), stain=stain).pixels
            cv2.imwrite(
                str(folder / f"{name}{k}.png"), np.round(255 * pixels / pixels.max()).astype(np.uint8)
            )
        rows.append(f"c{k},f{k}.png,m{k}.png,s{k},0.5")
    (folder / "pairs.csv").write_text("\n".join(rows))
    return folder / "pairs.csv"


def histreg(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_trains_a_model_with_folds_and_goes_on(table, tmp_path):
    pytest.importorskip("torch", reason='training needs the extra "learned"')
    few = ["-p", "tile_px=32", "-p", "tiles_per_pair=1", "-p", "max_side_px=64", "-p", "largest_px=3"]
    line = ["train", table, "-o", tmp_path / "m", "--network", "fcn", "--epochs", 2, "--folds", 3, *few]
    result = histreg(*line)
    assert result.exit_code in (0, 3), result.output
    assert "on unseen specimens" in result.stdout
    model = read_model(tmp_path / "m")
    assert len(model.description.training_set) == 2
    assert len((tmp_path / "m" / "folds.csv").read_text().splitlines()) == 1 + 3
    assert len((tmp_path / "m" / "training.csv").read_text().splitlines()) == 1 + 2
    assert (tmp_path / "m" / "training.png").read_bytes().startswith(b"\x89PNG")
    again = histreg(*line)
    assert again.exit_code == result.exit_code
    figures = [dict(m.description.figures) for m in (model, read_model(tmp_path / "m"))]
    assert [one.pop("seconds") > 0 for one in figures] == [True, True]
    assert figures[0] == figures[1]
    other = histreg(*line[:-1], "largest_px=2")
    assert isinstance(other.exception, ValueError)
    assert "largest_px = 3.0" in str(other.exception)


def test_without_pytorch_one_sentence_names_the_extra(table, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    result = histreg("train", table, "-o", tmp_path / "m")
    assert 'pip install "napari-histreg[learned]"' in str(result.exception)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("wrong", [["-p", "colour=red"], ["--network", "resnet"], ["--epochs", "0"]])
def test_values_that_cannot_be_are_wrong_usage(table, tmp_path, wrong):
    result = histreg("train", table, "-o", tmp_path / "m", *wrong)
    assert result.exit_code == 2
