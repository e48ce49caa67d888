"""Every figure that is measured has a name and half a line."""

import numpy as np

from napari_histreg.quality.fusion_quality import measure_fusion
from napari_histreg.quality.measures import FUSION, LIKENESS, measure_rows
from napari_histreg.quality.similarity import measure_similarity

PICTURE = np.random.default_rng(0).random((32, 32))


def test_no_figure_of_likeness_is_left_out():
    figures = measure_similarity(PICTURE, PICTURE).to_dict()
    assert {measure.key for measure in LIKENESS} == set(figures) - {"pixels"}
    assert [row.figures for row in measure_rows(LIKENESS, figures)][1][0] == figures["ssim"]


def test_no_figure_of_a_fusion_is_left_out():
    assert {measure.key for measure in FUSION} == set(measure_fusion(PICTURE, PICTURE, PICTURE).to_dict())


def test_names_are_told_apart_and_meanings_are_half_a_line():
    for table in (LIKENESS, FUSION):
        assert len({measure.name for measure in table}) == len(table)
        assert all(10 < len(measure.meaning) < 90 for measure in table)
