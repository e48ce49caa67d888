"""Charts show the numbers they were given."""

import subprocess
import sys

import numpy as np

from napari_histreg.quality.charts import as_picture, elbow_plot, residual_plot


def test_residuals_are_sorted_and_at_most_forty():
    errors = np.arange(60.0)
    axes = residual_plot(errors, [f"$p{k}$" for k in range(60)], "um").axes[0]
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == sorted(errors, reverse=True)[:40]
    assert axes.get_legend().get_texts()[0].get_text() == "median 30 µm"
    # A name with dollars is a name, no formula.
    assert as_picture(axes.figure).any()


def test_the_elbow_marks_what_was_chosen():
    axes = elbow_plot(np.array([9.0, 2.0, 1.5]), 2).axes[0]
    assert axes.lines[1].get_xydata().tolist() == [[2.0, 2.0]]


def test_matplotlib_comes_with_the_first_chart_only():
    code = (
        "import sys, napari_histreg.quality.charts, napari_histreg.quality.report, napari_histreg.cli\n"
        "assert 'matplotlib' not in sys.modules and 'jinja2' not in sys.modules\n"
        "import numpy as np\n"
        "napari_histreg.quality.charts.elbow_plot(np.array([2.0, 1.0]), 1)\n"
        "assert 'matplotlib.figure' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
