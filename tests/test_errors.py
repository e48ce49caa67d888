import inspect

from napari_histreg import errors


def test_the_tree_in_the_docstring_names_every_error():
    for name in errors.__all__:
        assert name in errors.__doc__


def test_there_is_one_root_and_cancelling_is_outside():
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__]
    assert {c.__name__ for c in classes} == set(errors.__all__)
    for found in classes:
        assert issubclass(found, errors.HistregError) == (found is not errors.Cancelled)
    assert issubclass(errors.MissingDependency, ImportError)
