from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from group_truth import Truth, corner_motion, placed, record, rigid_stack
from napari_histreg.errors import MissingPixelSize, RegistrationError
from napari_histreg.groups.assembly import assemble
from napari_histreg.groups.wishes import Wishes
from napari_histreg.transforms import Affine, Similarity

FIVE = Truth.random(5)
ALL = list(combinations(range(5), 2))
# Turned by 40 degrees about the middle: what a round piece of tissue might suggest.
TURNED = Similarity.of(angle_deg=40.0, centre=(500, 500))


def wrong(truth, i, j):
    return Affine(TURNED.then(truth.between(i, j)).matrix)


def test_exact_links_give_the_truth_whatever_the_pose_and_mirror():
    found = assemble(FIVE.slides, FIVE.links(ALL))
    assert [member.verdict for member in found.members] == ["accepted"] * 5
    assert max(FIVE.errors(placed(found.members), found.template).values()) < 1e-6
    assert max(loop.remainder for loop in found.loops) < 1e-6


@pytest.mark.thorough
def test_all_links_together_are_better_than_one_alone():
    errors, alone = [], []
    for seed in range(20):
        links = FIVE.links(ALL, noise=2.0, seed=seed)
        found = assemble(FIVE.slides, links, Wishes(frame=0))
        errors += [error for k, error in FIVE.errors(placed(found.members), 0).items() if k]
        direct = {0: Affine.identity()} | {link.moving: link.outcome.fixed_to_moving for link in links[:4]}
        alone += [error for k, error in FIVE.errors(direct, 0).items() if k]
    assert np.mean(errors) < 0.8 * np.mean(alone)


@pytest.mark.parametrize("bad", ALL[:4])
def test_a_wrong_accepted_link_is_found_by_the_loops_and_moves_nobody(bad):
    right = FIVE.links(ALL, noise=1.0)
    spoilt = [
        FIVE.link(*bad, wrong=wrong(FIVE, *bad), confidence=1.0) if link.ends == bad else link
        for link in right
    ]
    without = assemble(FIVE.slides, [link for link in right if link.ends != bad], Wishes(frame=4))
    found = assemble(FIVE.slides, spoilt, Wishes(frame=4))
    link = next(link for link in found.links if link.ends == bad)
    assert (link.state, link.weight) == ("contradicted", 0.0)
    assert [member.verdict for member in found.members] == ["accepted"] * 5
    for ours, theirs in zip(found.members, without.members, strict=True):
        assert corner_motion(ours.frame_to_slide, theirs.frame_to_slide) < 1.0
    said = " ".join(found.members[bad[0]].reasons)
    assert f"contradict its alignment with s{bad[1]}.tif" in said


@pytest.mark.parametrize("kind", ["aside", "turned"])
@pytest.mark.parametrize("bad", ALL[::3])
def test_a_link_that_is_only_a_little_wrong_is_found_where_links_are_none_too_good(bad, kind):
    # 3 % aside or 5 degrees, which nobody sees at a glance, among links that are off by 2 µm each.
    spoil = Similarity.of(
        angle_deg=5.0 if kind == "turned" else 0.0,
        translation=(42.0, 0.0) if kind == "aside" else (0.0, 0.0),
        centre=(500.0, 500.0),
    )
    right = FIVE.links(ALL, noise=2.0, seed=4)
    at = ALL.index(bad)
    wrong = FIVE.link(*bad, wrong=Affine(spoil.matrix @ FIVE.between(*bad).matrix))
    others = [link for link in right if link.ends != bad]
    found = assemble(FIVE.slides, [*right[:at], wrong, *right[at + 1 :]], Wishes(frame=4))
    without = assemble(FIVE.slides, others, Wishes(frame=4))
    link = next(link for link in found.links if link.ends == bad)
    assert (link.state, link.weight) == ("contradicted", 0.0)
    for ours, theirs in zip(found.members, without.members, strict=True):
        assert corner_motion(ours.frame_to_slide, theirs.frame_to_slide) < 1.0


def test_a_slide_that_fits_nowhere_is_refused_by_itself_and_harms_nobody():
    links = FIVE.links(ALL, noise=1.0)
    foreign = [replace(link, outcome=replace(link.outcome, verdict="refused")) if 2 in link.ends else link
               for link in links]  # fmt: skip
    found = assemble(FIVE.slides, foreign, Wishes(frame=0))
    four = assemble(FIVE.slides, [link for link in links if 2 not in link.ends], Wishes(frame=0))
    assert [member.verdict for member in found.members] == [
        "accepted", "accepted", "refused", "accepted", "accepted",
    ]  # fmt: skip
    assert found.members[2].frame_to_slide is None
    assert "refused with s0.tif, s1.tif, s3.tif, s4.tif" in found.members[2].reasons[0]
    for k in (0, 1, 3, 4):
        ours, theirs = (group.members[k].frame_to_slide for group in (found, four))
        assert corner_motion(ours, theirs) < 1e-9


def test_a_slide_that_wrong_links_hold_each_in_another_place_is_refused():
    rng = np.random.default_rng(3)
    links = FIVE.links(ALL, noise=1.0)
    lost = []
    for link in links:
        if 2 in link.ends:
            turned = Similarity.of(angle_deg=float(rng.uniform(30, 330)), centre=(500, 500))
            link = FIVE.link(*link.ends, wrong=Affine(turned.then(FIVE.between(*link.ends)).matrix))
        lost.append(link)
    found = assemble(FIVE.slides, lost, Wishes(frame=0))
    assert found.members[2].verdict in ("refused", "doubtful")
    assert max(error for k, error in FIVE.errors(placed(found.members), 0).items() if k != 2) < 2.0


def test_a_doubtful_link_that_a_loop_confirms_is_trusted_and_one_alone_is_not():
    links = FIVE.links(ALL, noise=1.0)
    doubtful = [FIVE.link(i, j, verdict="doubtful", confidence=0.3) if 4 in (i, j) else link
                for (i, j), link in zip(ALL, links, strict=True)]  # fmt: skip
    assert assemble(FIVE.slides, doubtful).members[4].verdict == "accepted"
    alone = [link for link in doubtful if 4 not in link.ends or link.ends == (3, 4)]
    found = assemble(FIVE.slides, alone)
    assert found.members[4].verdict == "doubtful"
    assert "No closed loop checks its place: it hangs on s3.tif alone." in found.members[4].reasons


def test_two_slides_are_a_group_without_loops():
    found = assemble(FIVE.slides[:2], FIVE.links([(0, 1)]))
    assert [member.verdict for member in found.members] == ["accepted"] * 2
    assert found.loops == ()


def test_a_group_of_which_no_pair_was_aligned_is_refused_as_a_whole():
    links = [FIVE.link(0, 1, verdict="refused", confidence=0.1)]
    with pytest.raises(RegistrationError, match="No two slides"):
        assemble(FIVE.slides[:2], links)


@pytest.mark.parametrize("model", ["rigid", "similarity"])
def test_stiff_models_keep_their_kind(model):
    truth = rigid_stack(6)
    pairs = [(i, j) for i, j in combinations(range(6), 2) if j - i <= 2]
    found = assemble(truth.slides, truth.links(pairs, noise=2.0), Wishes(ordered=True, model=model))
    for transform in placed(found.members).values():
        values = np.linalg.svd(transform.linear, compute_uv=False)
        assert values[0] == pytest.approx(values[1], rel=1e-9)
        assert model == "similarity" or values[0] == pytest.approx(1.0, rel=1e-9)
    assert max(truth.errors(placed(found.members), found.template).values()) < 5.0


@pytest.mark.thorough
def test_a_chain_with_next_but_one_links_drifts_less_than_the_chain_alone():
    truth = rigid_stack(24)
    chain = [(k, k + 1) for k in range(23)]
    both = chain + [(k, k + 2) for k in range(22)]
    ends: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(5):
        for which, pairs in ((True, both), (False, chain)):
            links = truth.links(pairs, noise=2.0, seed=seed)
            found = assemble(truth.slides, links, Wishes(ordered=True, frame=0, model="rigid"))
            ends[which].append(truth.errors(placed(found.members), 0)[23])
    assert np.mean(ends[True]) < 0.85 * np.mean(ends[False])


def test_the_mean_shape_lies_between_all():
    found = assemble(FIVE.slides, FIVE.links(ALL), Wishes(frame="mean"))
    total = np.zeros((2, 2))
    for transform in placed(found.members).values():
        values, vectors = np.linalg.eigh(transform.linear.T @ transform.linear)
        total += (vectors * np.log(values)) @ vectors.T
    assert np.abs(total).max() < 1e-9
    assert max(FIVE.errors(placed(found.members), found.template).values()) < 1e-6


def test_wishes_that_cannot_be_met_are_named():
    links = FIVE.links(ALL)
    with pytest.raises(ValueError, match="'elastic'"):
        assemble(FIVE.slides, links, Wishes(model="elastic"))
    with pytest.raises(ValueError, match="in their order"):
        assemble(FIVE.slides, links, Wishes(keep_shape=5.0))
    with pytest.raises(ValueError, match="positive"):
        assemble(FIVE.slides, links, Wishes(ordered=True, keep_shape=-1.0))
    mixed = (*FIVE.slides[:4], record(4, pixel_size=None))
    with pytest.raises(MissingPixelSize, match=r"s4\.tif does not say"):
        assemble(mixed, links, Wishes(model="rigid"))


@pytest.mark.thorough
def test_near_and_far_links_are_told_apart_by_the_loops():
    truth = rigid_stack(30)
    errors: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        links = [truth.link(k, k + 1, rng, noise=1.5) for k in range(29)]
        links += [truth.link(k, k + 2, rng, noise=3.0) for k in range(28)]
        found = assemble(truth.slides, links, Wishes(ordered=True, model="rigid"))
        near, far = (np.hypot(found.noise[0], distance * found.noise[1]) for distance in (1, 2))
        assert far > 1.5 * near
        alone = assemble(truth.slides, links[:29], Wishes(ordered=True, model="rigid"))
        for which, group in ((True, found), (False, alone)):
            errors[which].append(max(truth.errors(placed(group.members), 15).values()))
    # Far links that are worse than near ones help a little, and do no harm.
    assert np.mean(errors[True]) < 1.05 * np.mean(errors[False])
