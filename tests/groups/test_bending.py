from itertools import combinations

import numpy as np
import pytest

from group_truth import Truth, rigid_stack
from napari_histreg.groups.assembly import assemble
from napari_histreg.groups.bending import bend_members, unfolded
from napari_histreg.groups.group import Link
from napari_histreg.groups.wishes import Wishes
from napari_histreg.records.record import Outcome
from napari_histreg.transforms import DisplacementField, Sequence

LINE = np.linspace(0, 1000, 21)
INSIDE = np.stack(np.meshgrid(np.linspace(200, 800, 7), np.linspace(200, 800, 7)), -1).reshape(-1, 2)


def waves(rng, height):
    """A smooth displacement over the frame."""
    y, x = np.meshgrid(LINE, LINE, indexing="ij")
    phase = rng.uniform(0, 6.28, 4)
    values = np.stack(
        [np.sin(y / 170 + phase[0]) * np.cos(x / 230 + phase[1]),
         np.cos(y / 210 + phase[2]) * np.sin(x / 190 + phase[3])], -1
    )  # fmt: skip
    return height * values


def bent_group(truth, pairs, *, noise, seed=0, unbent=()):
    """Slides that are bent against the frame, and pairs that know it up to noise."""
    rng = np.random.default_rng(seed)
    bends = []
    for k, pose in enumerate(truth.to_frame):
        values = np.zeros((21, 21, 2)) if k in unbent else waves(rng, 12.0)
        bends.append(DisplacementField(values, spacing=(50, 50), base=pose.inverse()))
    links = []
    for i, j in pairs:
        error = DisplacementField(waves(rng, noise), spacing=(50, 50))
        transform = Sequence.of(bends[i].inverse(), error, bends[j])
        links.append(Link(i, j, Outcome(transform, "accepted", 0.99, (), None)))
    return bends, links


def error_of(members, bends, template):
    """Largest mean error between the template and any other slide, in the template's units."""
    found = []
    for k, member in enumerate(members):
        here = members[template].frame_to_slide(INSIDE)
        truth = bends[k](bends[template].inverse()(here))
        found.append(np.linalg.norm(member.frame_to_slide(INSIDE) - truth, axis=1).mean())
    return max(found)


def test_slides_bend_by_what_all_pairs_say():
    truth = Truth.random(5, stretch=0.0, turn=20.0)
    bends, links = bent_group(truth, list(combinations(range(5), 2)), noise=3.0, unbent=(0,))
    found = assemble(truth.slides, links, Wishes(frame=0))
    members, bend = bend_members(found.members, found.links, found.template, ordered=False)
    assert bend.pairs == 10
    assert bend.after < 0.5 * bend.before
    assert bend.notes == ()
    straight, bent = error_of(found.members, bends, 0), error_of(members, bends, 0)
    assert straight > 5
    # Better than a single pair, whose field is off by about 2.1 on average.
    assert bent < 2.0
    assert np.abs(members[0].frame_to_slide(INSIDE) - found.members[0].frame_to_slide(INSIDE)).max() < 0.1


def test_without_bent_pairs_nothing_bends():
    truth = Truth.random(4)
    found = assemble(truth.slides, truth.links(combinations(range(4), 2)))
    assert bend_members(found.members, found.links, found.template, ordered=False) == (found.members, None)


def test_sections_are_bent_about_their_mean():
    truth = rigid_stack(8)
    pairs = [(i, j) for i, j in combinations(range(8), 2) if j - i <= 2]
    _, links = bent_group(truth, pairs, noise=0.5)
    found = assemble(truth.slides, links, Wishes(ordered=True, model="rigid"))
    members, bend = bend_members(found.members, found.links, found.template, ordered=True)
    assert bend.after < 0.6 * bend.before
    total = sum(member.frame_to_slide.values for member in members)
    # Where every section is seen, the mean displacement is none.
    assert np.abs(total[16:24, 16:24]).max() < 0.3 * np.abs(members[0].frame_to_slide.values).max()


def test_a_bend_that_folds_the_tissue_is_not_taken():
    rng = np.random.default_rng(1)
    member = assemble(Truth.random(2).slides, Truth.random(2).links([(0, 1)])).members[1]
    steep = 20 * waves(rng, 12.0)
    assert DisplacementField(steep, spacing=(50, 50)).folding().minimum < 0
    gentle = unfolded(member, steep, (50.0, 50.0))
    assert gentle is None or gentle.folding().minimum > 0.2
    assert unfolded(member, 50 * steep, (50.0, 50.0)) is None
    assert unfolded(member, 0.05 * steep, (50.0, 50.0)).folding().minimum > 0.2


@pytest.mark.parametrize("ordered", [True, False])
def test_a_refused_slide_is_left_alone(ordered):
    truth = Truth.random(4, stretch=0.0)
    _, links = bent_group(truth, list(combinations(range(3), 2)), noise=0.0)
    links.append(truth.link(2, 3, verdict="refused"))
    found = assemble(truth.slides, links, Wishes(ordered=ordered, frame=0))
    members, _ = bend_members(found.members, found.links, 0, ordered=ordered)
    assert members[3].frame_to_slide is None
