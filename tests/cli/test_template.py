import json

import numpy as np
import pytest
from PIL import Image

from napari_histreg.samples import phantom_pair


@pytest.fixture
def slides(tmp_path):
    """Two tissues, the first of them three times, turned a little more each time."""
    paths = []
    for seed, angle in ((0, 0.0), (0, 3.0), (0, 6.0), (5, 0.0)):
        pair = phantom_pair(512, seed=seed, angle_deg=angle, mirrored=False, scale=1.0)
        paths.append(tmp_path / f"s{seed}_{angle:g}.png")
        Image.fromarray(pair.moving.read_level(0)[0].clip(0, 4095).astype(np.uint16) // 16).convert("L").save(
            paths[-1]
        )
    return paths


def test_the_slide_in_the_middle_is_the_template(histreg, slides, tmp_path):
    ended = histreg("template", *slides, "--elbow", tmp_path / "elbow.png")
    assert ended.code == 0, ended.err
    assert "Align the others to" in ended.out
    rows = json.loads(histreg("template", *slides, "--elbow", tmp_path / "elbow.png", "--json").out)
    assert rows[0]["slide"] == str(slides[1])
    assert rows[-1]["slide"] == str(slides[3])
    assert [row["distance"] for row in rows] == sorted(row["distance"] for row in rows)
    picture = np.asarray(Image.open(tmp_path / "elbow.png").convert("RGB"))
    assert (picture == (233, 168, 0)).all(-1).sum() > 50  # the chosen number, marked


def test_one_slide_is_no_choice(histreg, slides):
    ended = histreg("template", slides[0])
    assert ended.code != 0
    assert "two slides or more" in ended.err
