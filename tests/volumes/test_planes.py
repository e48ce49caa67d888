"""Planes come out the way radiologists look at them, whichever way the volume was stored."""

from itertools import permutations, product

import numpy as np
import pytest

from napari_histreg.errors import ReadError
from napari_histreg.volumes import Volume, plane_of


def stored(pixels, matrix, order, flips):
    """The same body stored along other axes and the other way round."""
    change = np.zeros((4, 4))
    change[3, 3] = 1
    for new, old in enumerate(order):
        change[old, new] = -1 if flips[new] else 1
        change[old, 3] += pixels.shape[old] - 1 if flips[new] else 0
    out = pixels.transpose(order)[tuple(slice(None, None, -1 if f else 1) for f in flips)]
    return Volume("v", np.ascontiguousarray(out), matrix @ change)


BODY = np.random.default_rng(0).integers(0, 99, (4, 5, 6))
PLACE = np.diag([3.0, 1.0, 2.0, 1.0])  # planes to the head, rows to the back, columns to the left


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("flips", list(product((False, True), repeat=3)))
def test_the_way_of_storing_does_not_show(order, flips):
    volume = stored(BODY, PLACE, order, flips)
    expected = {
        "axial": (BODY[1], (1.0, 2.0)),
        "coronal": (BODY[::-1, 2], (3.0, 2.0)),
        "sagittal": (BODY[::-1, :, 4], (3.0, 1.0)),
    }
    for number, (name, (pixels, spacing)) in enumerate(expected.items()):
        wanted = (1, 2, 4)[number]
        axis = order.index(number)
        index = BODY.shape[number] - 1 - wanted if flips[axis] else wanted
        plane = plane_of(volume, name, index)
        assert np.array_equal(plane.pixels, pixels)
        assert plane.spacing_mm == spacing
        assert plane.count == BODY.shape[number]
        # Each pixel knows where it lies.
        y, x = 1, 2
        place = plane.to_patient @ [y, x, 1]
        at = np.rint(np.linalg.inv(PLACE) @ place).astype(int)[:3]
        assert BODY[tuple(at)] == plane.pixels[y, x]


def test_the_usual_plane_and_the_middle_one():
    volume = stored(BODY, np.diag([1.0, 4.0, 1.0, 1.0]), (0, 1, 2), (False,) * 3)
    plane = plane_of(volume)
    assert (plane.name, plane.index, plane.count) == ("coronal", 2, 5)


def test_oblique_volumes_are_cut_along_their_own_voxels():
    c, s = np.cos(0.4), np.sin(0.4)
    turn = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    assert np.array_equal(plane_of(Volume("v", BODY, turn @ PLACE), "axial", 1).pixels, BODY[1])


def test_what_is_not_there_is_said():
    volume = Volume("v", BODY, PLACE, uneven="planes are missing.")
    with pytest.raises(ValueError, match="4 axial planes, 0 to 3, not 4"):
        plane_of(volume, "axial", 4)
    with pytest.raises(ValueError, match="axial, coronal, sagittal"):
        plane_of(volume, "oblique")
    with pytest.raises(ReadError, match="planes are missing"):
        plane_of(volume, "coronal")
    assert plane_of(volume).name == "axial"
    with pytest.raises(ValueError, match="single plane"):
        plane_of(Volume("v", BODY[:1], PLACE), None, 3)
