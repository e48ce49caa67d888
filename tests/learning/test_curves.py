"""The picture of a training shows what its table says."""

import numpy as np

from napari_histreg.learning.curves import curves
from napari_histreg.quality.charts import as_picture


def test_lines_and_mark_are_those_of_the_table():
    history = [(0, 5.0, 6.0, 3.0), (1, 4.0, 4.5, 2.0), (2, 3.0, 4.8, 2.5)]
    figure = curves(history)
    losses, errors = figure.axes
    np.testing.assert_array_equal(losses.lines[0].get_ydata(), [5, 4, 3])
    np.testing.assert_array_equal(losses.lines[1].get_ydata(), [6, 4.5, 4.8])
    np.testing.assert_array_equal(errors.lines[0].get_ydata(), [3, 2, 2.5])
    assert list(losses.lines[2].get_xdata()) == [1, 1]
    assert as_picture(figure).std() > 0


def test_nothing_yet_is_an_empty_picture():
    assert len(curves([]).axes[0].lines[0].get_ydata()) == 0
