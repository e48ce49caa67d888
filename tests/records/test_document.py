import json

import jsonschema
import numpy as np
import pytest

from napari_histreg.errors import DamagedFile, RegistrationError
from napari_histreg.records.document import (
    from_json,
    read_registration,
    to_json,
    write_registration,
)
from napari_histreg.records.record import Outcome, Registration, SlideRecord, Step, StepLog
from napari_histreg.records.schema import json_schema
from napari_histreg.transforms import Affine, Similarity
from napari_histreg.transforms.displacement import DisplacementField

FIXED = SlideRecord(
    "he", "he.mrxs", (400, 600), (0.5, 0.5), ("red", "green", "blue"), "aa", (8.0, 16.0), True
)
MOVING = SlideRecord("if", None, (300, 200), (0.25, 0.25), ("DAPI",), "bb")
TURNED = Similarity.of(scale=1.1, angle_deg=40, mirrored=True, translation=(3, 9))


def made(transform=TURNED, verdict="accepted", fixed=FIXED, moving=MOVING):
    steps = (
        Step("search", {"side": 96}, {"poses": np.int64(7), "z": np.nan, "best": [1.5, 2]}, ("well",), 0.25),
    )
    outcome = Outcome(transform, verdict, 0.75, ("It stands out.",))
    return Registration(fixed, moving, outcome, "auto", {"nonrigid": False}, steps)


@pytest.mark.parametrize(
    "transform",
    [
        TURNED,
        Affine([[1, 0.1, 2], [0.2, 0.9, 4], [0, 0, 1]]),
        DisplacementField(np.ones((4, 5, 2)), spacing=(60, 60)),
    ],
)
@pytest.mark.parametrize("verdict", ["accepted", "doubtful", "refused"])
def test_written_and_read_back_it_maps_the_same(tmp_path, transform, verdict):
    written = made(transform, verdict)
    write_registration(written, tmp_path / "registration.json")
    read = read_registration(tmp_path)
    points = np.random.default_rng(0).uniform(0, 200, (20, 2))
    assert np.allclose(read.fixed_to_moving(points), written.fixed_to_moving(points), atol=1e-5)
    assert (read.verdict, read.confidence, read.reasons) == (verdict, 0.75, ("It stands out.",))
    assert (read.fixed, read.moving) == (FIXED, MOVING)
    assert read.steps[0].scores == {"poses": 7, "z": None, "best": [1.5, 2]}


@pytest.mark.parametrize(
    ("transform", "verdict"), [(TURNED, "accepted"), (TURNED, "refused"), (None, "refused")]
)
def test_the_file_obeys_its_own_schema(transform, verdict):
    jsonschema.validate(json.loads(to_json(made(transform, verdict))), json_schema())


def test_a_refusal_holds_no_matrix_that_looks_like_an_answer():
    values = json.loads(to_json(made(verdict="refused")))
    assert values["fixed_to_moving"] is None
    assert values["matrix_px"] is None
    assert values["suggestion"]["fixed_to_moving"]["kind"] == "similarity"


def test_the_matrix_is_in_level_0_pixels_x_first():
    values = json.loads(to_json(made(Affine([[1, 0, 10], [0, 1, 20], [0, 0, 1]]))))
    forward = np.array(values["matrix_px"]["fixed_to_moving"])
    # A fixed pixel is 0.5 µm, a moving one 0.25 µm; y is shifted by 10 µm, x by 20 µm.
    assert np.allclose(forward, [[2, 0, 80], [0, 2, 40], [0, 0, 1]])
    assert np.allclose(forward @ np.array(values["matrix_px"]["moving_to_fixed"]), np.eye(3))
    assert values["matrix_px"]["is_exact"] is True


def test_a_bent_map_is_given_an_affine_stand_in_that_says_so():
    field = DisplacementField(np.full((4, 5, 2), 3.0), spacing=(80, 80))
    values = json.loads(to_json(made(field)))
    assert values["matrix_px"]["is_exact"] is False
    assert np.allclose(np.array(values["matrix_px"]["fixed_to_moving"])[:2, 2], [12, 12], atol=1e-6)


def changed(**values):
    found = json.loads(to_json(made()))
    found.update(values)
    return json.dumps(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a registration was expected"),
        ("[1, 2]", "format"),
        ('{"format": "another"}', "format"),
        (changed(version=9), "version 9"),
        (changed(verdict="perhaps"), "verdict"),
        (changed(confidence=7), "confidence"),
        (changed(surprise=1), "surprise"),
        (changed(fixed_to_moving={"kind": "magic"}), "magic"),
        (changed(fixed_to_moving={"kind": "affine", "matrix": [[1, 0], [0, 1]]}), "transform"),
    ],
)
def test_a_damaged_file_is_named_with_the_field(tmp_path, text, words):
    path = tmp_path / "registration.json"
    path.write_text(text)
    with pytest.raises(DamagedFile, match=words) as error:
        read_registration(path)
    assert "registration.json" in str(error.value)


def test_a_file_that_lost_any_part_is_damaged():
    whole = json.loads(to_json(made()))
    for part, keys in (
        ((), list(whole)),
        (("fixed",), list(whole["fixed"])),
        (("moving",), list(whole["moving"])),
    ):
        for key in keys:
            values = json.loads(json.dumps(whole))
            holder = values[part[0]] if part else values
            del holder[key]
            with pytest.raises(DamagedFile):
                from_json(json.dumps(values))


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(DamagedFile, match="histreg register"):
        read_registration(tmp_path / "registration.json")


def test_without_a_transform_asking_for_it_says_why():
    refused = made(None, "refused")
    assert not refused.has_transform
    with pytest.raises(RegistrationError, match="It stands out"):
        _ = refused.fixed_to_moving


def test_a_step_that_fails_is_still_noted():
    log = StepLog()
    with pytest.raises(ZeroDivisionError), log.step("divide") as found:
        found["by"] = 1 // 0
    assert [step.name for step in log.steps] == ["divide"]
