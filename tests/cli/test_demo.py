import json
import re

import jsonschema

from napari_histreg.records.schema import json_schema


def test_the_demo_aligns_its_pair_to_less_than_a_pixel(histreg, tmp_path):
    ended = histreg("demo", "-o", tmp_path / "demo")
    assert ended.code == 0
    assert "Accepted" in ended.out
    assert float(re.search(r"median ([\d.]+) px", ended.out).group(1)) < 1.0
    jsonschema.validate(json.loads((tmp_path / "demo" / "registration.json").read_text()), json_schema())
