"""Regions that are off are found where they were put, and nowhere else."""

import numpy as np
import pytest

from napari_histreg.quality.flags import flag_blocks

SIDE, STEP = 12, 10.0
Y, X = np.meshgrid(np.arange(SIDE) * STEP, np.arange(SIDE) * STEP, indexing="ij")
CENTRES = np.stack([Y, X], -1)
PART = (slice(2, 5), slice(6, 9))


def blocks():
    return {
        "shifts": np.random.default_rng(0).normal(0, 0.2, (SIDE, SIDE, 2)),
        "judged": np.ones((SIDE, SIDE), bool),
        "tissue": np.ones((SIDE, SIDE)),
        "other_tissue": np.ones((SIDE, SIDE)),
    }


def flags(values):
    return flag_blocks(CENTRES, **values, block=2 * STEP, diagonal=SIDE * STEP * 2**0.5)


def test_a_good_alignment_has_none():
    assert flags(blocks()) == ()


def test_a_part_that_has_moved_is_outlined_with_its_shift():
    values = blocks()
    values["shifts"][PART] += (9.0, -4.0)
    (flag,) = flags(values)
    assert flag.kind == "moved"
    assert flag.blocks == 9
    assert flag.low == (20.0 - STEP, 60.0 - STEP)
    assert flag.high == (40.0 + STEP, 80.0 + STEP)
    assert flag.shift == pytest.approx((9.0, -4.0), abs=0.4)
    assert flag.to_dict()["words"] == flag.words


def test_tissue_that_the_other_slide_lacks_is_missing():
    values = blocks()
    values["other_tissue"][PART] = 0.1
    values["judged"][PART] = False
    assert [flag.kind for flag in flags(values)] == ["missing"]


def test_silence_amid_agreement_is_no_match():
    values = blocks()
    values["judged"][PART] = False
    assert [flag.kind for flag in flags(values)] == ["no match"]


def test_where_most_is_silent_silence_means_nothing():
    values = blocks()
    values["judged"][:9] = False
    assert flags(values) == ()


def test_a_single_block_is_left_to_chance():
    values = blocks()
    values["shifts"][3, 3] += 50.0
    assert flags(values) == ()
