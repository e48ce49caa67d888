import json


def test_the_list_names_each_method_and_how_to_get_it(histreg):
    ended = histreg("methods")
    assert ended.code == 0
    for name in ("auto", "landmarks", "sift", "orb", "ecc"):
        assert f"\n{name} " in ended.out


def test_one_method_shows_its_parameters_with_bounds_and_meaning(histreg):
    ended = histreg("methods", "landmarks")
    assert "-p model=auto" in ended.out
    assert "similarity" in ended.out


def test_json_carries_the_parameters(histreg):
    rows = {row["name"]: row for row in json.loads(histreg("methods", "--json").out)}
    assert [p["name"] for p in rows["landmarks"]["parameters"]] == ["model"]
    assert rows["sift"]["is_available"] is True


def test_an_unknown_method_is_answered_with_the_list(histreg):
    ended = histreg("methods", "magic")
    assert ended.code == 1
    assert "'magic'" in ended.err
    assert "auto, landmarks, sift" in ended.err
