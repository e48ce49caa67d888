from hypothesis import given
from hypothesis import strategies as st

from napari_histreg.plugin.models.history import History


def test_nothing_happens_at_the_ends() -> None:
    history = History("start")
    assert history.undo() == "start"
    assert history.redo() == "start"
    assert history.undo_label is None
    assert history.redo_label is None


def test_labels_name_what_undo_and_redo_do() -> None:
    history = History(0)
    history.push(1, "one")
    history.push(2, "two")
    assert history.undo_label == "two"
    history.undo()
    assert (history.undo_label, history.redo_label) == ("one", "two")


def test_a_new_step_forgets_what_was_undone() -> None:
    history = History(0)
    history.push(1, "one")
    history.undo()
    history.push(5, "five")
    assert history.redo_label is None
    assert history.redo() == 5


@given(st.lists(st.sampled_from(["push", "undo", "redo"]), max_size=60))
def test_behaves_like_a_list_with_a_cursor(steps: list[str]) -> None:
    history = History(0)
    values, cursor = [0], 0
    for number, step in enumerate(steps, 1):
        if step == "push":
            values, cursor = [*values[: cursor + 1], number], cursor + 1
            history.push(number, str(number))
        elif step == "undo":
            cursor = max(cursor - 1, 0)
            assert history.undo() == values[cursor]
        else:
            cursor = min(cursor + 1, len(values) - 1)
            assert history.redo() == values[cursor]
        assert history.present == values[cursor]
