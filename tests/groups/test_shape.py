"""The shape of a stack: what alignment to neighbours takes away, and what keep_shape leaves."""

from dataclasses import replace

import numpy as np
import pytest

from group_truth import SIZE, Truth, placed, record
from napari_histreg.errors import RegistrationError
from napari_histreg.groups.assembly import assemble
from napari_histreg.groups.group import Link
from napari_histreg.groups.shape import smooth_trend
from napari_histreg.groups.wishes import Wishes
from napari_histreg.landmarks import Landmarks
from napari_histreg.records.record import Outcome
from napari_histreg.transforms import Affine, Rigid

COUNT = 25
MIDDLE = COUNT // 2
SECTIONS = np.arange(COUNT)
CURVE = 1.1 * (SECTIONS - MIDDLE) ** 2
"""How far the tissue's middle is aside in each section, in µm: a banana with nearly 160 µm of sag."""

PAIRS = [(k, k + d) for d in (1, 2) for k in range(COUNT - d)]
CENTRE = np.array([[SIZE / 2, SIZE / 2]])


def banana(*, jitter_um=20.0, jitter_deg=2.0, seed=0):
    """A curved piece of tissue whose sections lie on their images as in the block, but for some jitter.

    Returns
    -------
    Truth
        Where the sections lie in the block.
    list of Link
        What their images say: neighbours fit where the tissue fits, so the curve is taken for shift.
    """
    rng = np.random.default_rng(seed)
    block = [
        Affine(
            Rigid.of(
                angle_deg=float(rng.uniform(-jitter_deg, jitter_deg)),
                translation=rng.uniform(-jitter_um, jitter_um, 2),
                centre=(SIZE / 2, SIZE / 2),
            ).matrix
        )
        for _ in range(COUNT)
    ]
    truth = Truth(tuple(record(k) for k in range(COUNT)), tuple(block))
    line = np.linspace(100, 900, 5)
    points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    links = []
    for i, j in PAIRS:
        # The same tissue lies `CURVE` aside in the block.
        aside = np.eye(3)
        aside[0, 2] = CURVE[j] - CURVE[i]
        found = Affine(np.linalg.inv(block[j].matrix) @ aside @ block[i].matrix)
        pairs = Landmarks.of(points, found(points), confidence=np.full(len(points), 0.5))
        links.append(Link(i, j, Outcome(found, "accepted", 0.98, ("made",), pairs)))
    return truth, links


def in_block(truth, members):
    """Return how far each section lies from its place in the block, seen from the middle one, in µm."""
    found = placed(members)
    away = []
    for k in SECTIONS:
        here = truth.to_frame[MIDDLE](found[MIDDLE](found[k].inverse()(CENTRE)))
        away.append(np.linalg.norm(here - truth.to_frame[k](CENTRE)))
    return np.array(away)


def test_neighbours_straighten_a_banana_and_keep_shape_leaves_it_curved():
    truth, links = banana()
    straight = assemble(truth.slides, links, Wishes(ordered=True, frame=MIDDLE, model="rigid"))
    kept = assemble(truth.slides, links, Wishes(ordered=True, frame=MIDDLE, model="rigid", keep_shape=4.0))
    without, with_shape = in_block(truth, straight.members), in_block(truth, kept.members)
    # The whole sag is lost, and no loop tells: they all close.
    assert without[0] > 0.9 * CURVE[0]
    assert max(loop.remainder for loop in straight.loops) < 1e-6
    # What is left is of the size of the jitter's own mean over the window.
    assert np.median(with_shape) < 15
    assert with_shape.max() < 0.3 * CURVE[0]


def test_jitter_is_taken_out_all_the_same():
    truth, links = banana()
    kept = assemble(truth.slides, links, Wishes(ordered=True, frame=MIDDLE, model="rigid", keep_shape=4.0))
    # The same spot of the tissue, as it lies on each slide and in the frame.
    spots = [truth.to_frame[k].inverse()(np.add(CENTRE, (CURVE[k], 0.0))) for k in SECTIONS]
    found = placed(kept.members)
    seen = [found[k].inverse()(spots[k])[0] for k in SECTIONS]

    def jumps(values):
        return np.abs(np.diff(values, n=2, axis=0)).mean()

    assert jumps([spot[0] for spot in spots]) > 10
    assert jumps(seen) < 0.15 * jumps([spot[0] for spot in spots])


def test_a_wide_window_keeps_less_of_the_shape_and_more_of_the_alignment():
    truth, links = banana(jitter_um=0.0, jitter_deg=0.0)
    worst = [
        in_block(
            truth,
            assemble(
                truth.slides, links, Wishes(ordered=True, frame=MIDDLE, model="rigid", keep_shape=width)
            ).members,
        ).max()
        for width in (2.0, 6.0, 20.0)
    ]
    assert worst[0] < worst[1] < worst[2]
    assert worst[0] < 0.05 * CURVE[0]


def test_a_turn_that_grows_along_the_stack_is_kept_too():
    truth, links = banana(jitter_um=0.0, jitter_deg=0.0)
    # Sections that are each turned by a quarter of a degree more: a twisted piece of tissue.
    twisted = []
    for link in links:
        turn = Rigid.of(angle_deg=0.25 * (link.moving - link.fixed), centre=(SIZE / 2, SIZE / 2))
        points = link.outcome.landmarks.fixed
        pairs = Landmarks.of(points, turn(points))
        twisted.append(replace(link, outcome=Outcome(turn, "accepted", 0.98, ("made",), pairs)))
    wishes = Wishes(ordered=True, frame=MIDDLE, model="rigid")
    free = placed(assemble(truth.slides, twisted, wishes).members)
    kept = placed(assemble(truth.slides, twisted, replace(wishes, keep_shape=4.0)).members)
    assert abs(free[0].angle_deg) == pytest.approx(0.25 * MIDDLE, abs=0.01)
    assert abs(kept[0].angle_deg) < 0.05


def test_sections_that_were_put_on_their_glass_anyhow_are_refused():
    truth, links = banana(jitter_deg=0.0)
    over = np.diag([-1.0, 1.0, 1.0])
    over[0, 2] = SIZE
    turned = []
    for link in links:
        if 7 in link.ends:
            found = link.outcome.fixed_to_moving
            there = found.then(Affine(over)) if link.moving == 7 else Affine(over).then(found)
            link = replace(link, outcome=replace(link.outcome, fixed_to_moving=there, landmarks=None))
        turned.append(link)
    with pytest.raises(RegistrationError, match=r"s7\.tif lies face down"):
        assemble(truth.slides, turned, Wishes(ordered=True, frame=MIDDLE, model="rigid", keep_shape=4.0))


def test_a_line_is_a_trend_and_noise_is_not():
    rng = np.random.default_rng(0)
    z = np.arange(60.0)
    noise = rng.normal(0, 1, (60, 1))
    assert np.allclose(smooth_trend(z, 3 * z[:, None] + 1, 5.0), 3 * z[:, None] + 1)
    assert np.abs(smooth_trend(z, noise, 5.0)).mean() < 0.3
