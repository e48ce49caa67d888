"""Every pixel has its say where left-out blocks agree, and only there."""

import numpy as np
import pytest

from matching.test_pixel_fit import ALONG, BASIS, NONE, a_bend, errors, pair, texture
from napari_histreg.matching.block_correlation import correlate_blocks
from napari_histreg.matching.pixel_fit import PixelFit
from napari_histreg.matching.refined_bend import LeftOutBlocks, refine_bend


def blocks_of(fit: PixelFit) -> LeftOutBlocks:
    maps = correlate_blocks(fit.fixed, fit.moving, block=24, reach=4)
    centres = maps.centres[maps.used]
    return LeftOutBlocks(maps.z().astype(float), centres, np.zeros_like(centres), 1.0, 24.0)


def test_improves_on_a_rough_start():
    fit = pair()
    refined = refine_bend(fit, blocks_of(fit), lambda which: 0.5 * a_bend())
    assert refined is not None
    assert refined.gain > 0
    assert np.median(errors(refined.weights)) < 0.7 * np.median(errors(0.5 * a_bend()))


def test_left_out_blocks_can_refuse_it():
    """The pixels of another tissue pull away from a start that the blocks confirm."""
    right = pair()
    spoilt = PixelFit([texture(5), texture(6)], right.moving, ALONG, ALONG, BASIS, NONE)
    assert refine_bend(spoilt, blocks_of(right), lambda which: a_bend()) is None


def test_blocks_left_out_together_do_not_overlap():
    blocks = blocks_of(pair())
    folds = blocks.folds()
    assert sum(int(f.sum()) for f in folds) == pytest.approx(len(blocks.centres) / 2, rel=0.2)
    for which in folds:
        centres = blocks.centres[which]
        apart = np.abs(centres[:, None] - centres[None]).max(-1) + 1e9 * np.eye(len(centres))
        assert apart.min() > 1.5 * blocks.side


def test_the_start_is_asked_for_without_what_is_tested():
    fit, asked = pair(), []

    def start(which: np.ndarray) -> np.ndarray:
        asked.append(which)
        return NONE

    refine_bend(fit, blocks_of(fit), start)
    assert len(asked) == len(blocks_of(fit).folds())
    assert not np.logical_and.reduce(asked).any()
