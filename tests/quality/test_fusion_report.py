"""A fusion's page and its twin, made of slides whose fusion is known."""

import json

import numpy as np
import pytest

from napari_histreg.quality.fusion_quality import measure_fused_slide, measure_fusion
from napari_histreg.quality.fusion_report import measure_table, write_fusion_report
from napari_histreg.slides import open_slide

RNG = np.random.default_rng(0)
ONE, TWO = (RNG.random((96, 128)) * 255).astype(np.uint8), (RNG.random((96, 128)) * 255).astype(np.uint8)


def slides():
    both = ((ONE.astype(float) + TWO) / 2).astype(np.uint8)
    return [open_slide(pixels, name=name) for pixels, name in ((ONE, "<one>"), (TWO, "two"), (both, "both"))]


def test_a_slide_is_measured_as_its_picture_would_be():
    one, two, both = slides()
    found = measure_fused_slide(one, two, both)

    def scaled(plane):
        low, high = np.percentile(plane, (0.5, 99.8))
        return np.clip((plane - low) / (high - low), 0, 1)

    expected = measure_fusion(scaled(ONE), scaled(TWO), both.read_level(0)[0] / 255)
    for name, value in expected.to_dict().items():
        assert found.to_dict()[name] == pytest.approx(value, abs=0.02), name


def test_slides_of_two_grids_are_refused():
    one, two, _ = slides()
    with pytest.raises(ValueError, match="one grid"):
        measure_fused_slide(one, two, open_slide(ONE[:50]))


def test_the_page_names_every_measure_and_its_twin_holds_the_numbers(tmp_path):
    one, two, both = slides()
    figures = measure_fused_slide(one, two, both)
    page, twin = write_fusion_report(
        tmp_path / "f.html", one, two, both, figures, made_by={"fused_by": "average"}
    )
    text = page.read_text(encoding="utf-8")
    assert "&lt;one&gt;" in text
    assert "<one>" not in text
    for name in ("SSIM, fixed", "Q^AB/F", "spatial frequency", "Fused by", "average"):
        assert name in text
    assert f"{figures.edge_preservation:.3f}" in text
    values = json.loads(twin.read_text(encoding="utf-8"))
    assert values["figures"]["mi_first"] == figures.mi_first
    assert f"{figures.edge_preservation:.3f}" in measure_table(figures)
