import json


def test_the_list_names_each_method_and_how_to_get_it(histreg):
    ended = histreg("methods")
    assert ended.code == 0
    for name in ("auto", "landmarks", "sift", "orb", "ecc"):
        assert f"\n{name} " in "\n" + ended.out


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
    assert "auto, landmarks, learned, sift" in ended.err


def test_at_eighty_columns_nothing_is_cut_and_sentences_stay_whole(histreg):
    from napari_histreg.projections.registry import PROJECTION_METHODS
    from napari_histreg.registration.catalogue import list_methods

    ended = histreg("methods", columns=80)
    lines = ended.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines[:-2])
    together = " ".join(ended.out.split())
    specs = (*list_methods(), *PROJECTION_METHODS)
    for spec in specs:
        assert spec.summary in together
        if not spec.is_available:
            assert spec.install_line in together
    assert len(lines) < 5 * len(specs)


def test_extras_in_brackets_are_not_eaten(histreg, monkeypatch):
    from napari_histreg.methods.spec import MethodSpec

    monkeypatch.setattr(MethodSpec, "is_available", False)
    assert 'pip install "napari-histreg[elastix]"' in " ".join(histreg("methods").out.split())
