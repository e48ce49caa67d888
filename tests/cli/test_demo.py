import json
import re

import jsonschema

from napari_histreg.records.schema import json_schema


def test_the_demo_aligns_its_pair_to_less_than_a_pixel(demo):
    folder, said = demo()
    assert "Accepted" in said
    assert float(re.search(r"median ([\d.]+) px", said).group(1)) < 1.0
    jsonschema.validate(json.loads((folder / "registration.json").read_text()), json_schema())
