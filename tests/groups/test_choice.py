from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from group_truth import Truth
from napari_histreg.groups.choice import AnyOrder, InOrder
from napari_histreg.groups.loops import detours, neighbours_of
from napari_histreg.groups.placement import components


def played(choice, truth, damaged=(), refused=()):
    """Align what a choice asks for until it is content; pairs with damaged slides are refused."""
    links = []
    for _ in range(30):
        pairs = choice.further(links)
        if not pairs:
            return links
        for ends in pairs:
            assert ends[0] < ends[1]
            assert ends not in [link.ends for link in links]
            link = truth.link(*ends)
            if set(ends) & set(damaged) or ends in refused:
                link = replace(link, outcome=replace(link.outcome, verdict="refused"))
            links.append(link)
    raise AssertionError("the choice is never content")


def in_loops(links):
    counting = [link for link in links if link.counts]
    neighbours = neighbours_of(counting)
    return all(next(detours(neighbours, *link.ends), None) is not None for link in counting)


def test_sections_are_linked_to_their_neighbours_and_the_next_but_one():
    links = played(InOrder(8), Truth.random(8))
    assert sorted(link.ends for link in links) == [(i, j) for i, j in combinations(range(8), 2) if j - i <= 2]


@pytest.mark.parametrize("damaged", [(3,), (3, 4), (3, 4, 5), (1, 6), (0, 1), (10, 11)])
def test_damaged_sections_are_bridged(damaged):
    links = played(InOrder(12), Truth.random(12), damaged)
    counting = [link for link in links if link.counts]
    assert components(counting, 12)[0] == [k for k in range(12) if k not in damaged]
    assert in_loops(links)
    # A damaged section costs few pairs: these are the slow ones.
    assert sum(bool(set(link.ends) & set(damaged)) for link in links) <= 4 * len(damaged)


def test_where_neighbours_do_not_fit_farther_sections_join_the_halves():
    links = played(InOrder(8), Truth.random(8), refused={(3, 4), (2, 4), (3, 5)})
    counting = [link for link in links if link.counts]
    assert len(components(counting, 8)[0]) == 8
    assert sum(i <= 3 < j for i, j in (link.ends for link in counting)) >= 2


@pytest.mark.parametrize("count", [2, 3, 5, 6, 10, 17])
def test_slides_in_no_order_are_spanned_by_loops(count):
    rng = np.random.default_rng(count)
    distances = rng.random((count, count))
    distances = (distances + distances.T) / 2
    links = played(AnyOrder(distances), Truth.random(count))
    assert len(components(links, count)[0]) == count
    assert count == 2 or in_loops(links)
    assert len(links) <= max(10, 3 * count)


def test_a_slide_that_fits_nowhere_is_given_up_after_some_tries():
    distances = np.ones((12, 12))
    links = played(AnyOrder(distances), Truth.random(12), damaged=(7,))
    tried = [link for link in links if 7 in link.ends]
    assert 3 <= len(tried) <= 8
    assert len(components([link for link in links if link.counts], 12)[0]) == 11
