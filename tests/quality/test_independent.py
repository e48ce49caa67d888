import csv
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import spearmanr

from napari_histreg.errors import Cancelled
from napari_histreg.quality.independent import check_alignment
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Affine, Similarity, Translation, fit_affine


@pytest.fixture(scope="module")
def pair():
    return phantom_pair(2048, seed=6)


# One shift per representation shows its sign and size; the others are the same law again.
@pytest.mark.parametrize(
    ("shift", "representation"),
    [
        ((4.0, -3.0), "directions"),
        ((-25.0, 10.0), "contrast"),
        pytest.param((0.0, 0.0), "directions", marks=pytest.mark.thorough),
        pytest.param((-25.0, 10.0), "directions", marks=pytest.mark.thorough),
        pytest.param((0.0, 0.0), "contrast", marks=pytest.mark.thorough),
        pytest.param((4.0, -3.0), "contrast", marks=pytest.mark.thorough),
    ],
)
def test_a_known_shift_is_measured_with_its_sign(pair, representation, shift):
    # what lies at x in the fixed slide is put where x + shift lies: the error is the shift turned round
    wrong = Translation.of(shift).then(pair.fixed_to_moving)
    found = check_alignment(pair.fixed, pair.moving, wrong, representation=representation)
    assert found.judged_share > 0.7
    median = np.median(found.shifts[found.judged], axis=0)
    # a tenth of a pixel of the fine look (0.8 µm), half of one for contrast, which is coarser
    np.testing.assert_allclose(median, -np.array(shift), atol=0.1 if representation == "directions" else 0.4)
    assert found.unit == "um"


def test_a_turn_is_followed_to_the_rim(pair):
    centre = np.array(pair.fixed.size) / 2
    wrong = Similarity.of(angle_deg=4, centre=centre).then(pair.fixed_to_moving)
    found = check_alignment(pair.fixed, pair.moving, wrong)
    assert found.judged_share > 0.7
    at = found.centres[found.judged]
    expected = Similarity.of(angle_deg=4, centre=centre).inverse()(at) - at
    error = np.linalg.norm(found.shifts[found.judged] - expected, axis=1)
    assert np.median(error) < 0.4


def test_unrelated_slides_never_look_aligned(pair):
    other = phantom_pair(2048, seed=99)
    found = check_alignment(pair.fixed, other.moving, pair.fixed_to_moving)
    # outlines agree here and there by chance, but never where they should
    assert found.judged_share < 0.35
    assert found.median is None or found.median > 0.02 * found.diagonal


def test_unrelated_real_tissue_is_not_judged(shared):
    folder = shared / "data"
    fixed = open_slide(folder / "shg" / "1B_A1_he.png")
    for other in ("shg/1B_B7_shg.png", "shg/pancreas16_shg.png", "restained/Lung1_dapi.png"):
        found = check_alignment(fixed, open_slide(folder / other), Affine.identity())
        assert found.judged_share < 0.15, other


class Moved:
    """A moving slide part of whose tissue was cut out and laid down elsewhere."""

    def __init__(self, pair, level, low, high, shift):
        self.spacing = pair.fixed.spacing(level)[0]
        planes = pair.fixed.read_level(level).copy()
        a, b = (np.round(np.array(v) / self.spacing).astype(int) for v in (low, high))
        d = np.round(np.array(shift) / self.spacing).astype(int)
        piece = planes[:, a[0] : b[0], a[1] : b[1]].copy()
        planes[:, a[0] : b[0], a[1] : b[1]] = 243
        planes[:, a[0] + d[0] : b[0] + d[0], a[1] + d[1] : b[1] + d[1]] = piece
        self.shift = d * self.spacing
        self.slide = open_slide(np.moveaxis(planes, 0, -1), pixel_size_um=self.spacing)


def test_a_region_moved_on_purpose_is_found(pair):
    low, high = (150.0, 120.0), (290.0, 280.0)
    moved = Moved(pair, 1, low, high, (14.0, 10.0))
    half = 0.5 * moved.spacing - 0.5 * pair.fixed.world_pixel_size[0]
    found = check_alignment(pair.fixed, moved.slide, Translation.of((-half, -half)))
    flags = [flag for flag in found.flags if flag.kind == "moved"]
    assert flags, found.flags
    flag = flags[0]
    # the region's blocks overlap its rim by up to a block
    np.testing.assert_allclose(flag.low, low, atol=found.block)
    np.testing.assert_allclose(flag.high, high, atol=found.block)
    np.testing.assert_allclose(flag.shift, moved.shift, atol=1.5)
    assert found.median < 0.5


def test_missing_tissue_is_found(pair):
    moved = Moved(pair, 1, (150.0, 120.0), (300.0, 290.0), (0.0, 0.0))
    planes = moved.slide.read_level(0).copy()
    a, b = (np.round(np.array(v) / moved.spacing).astype(int) for v in ((150, 120), (300, 290)))
    planes[:, a[0] : b[0], a[1] : b[1]] = 243
    holed = open_slide(np.moveaxis(planes, 0, -1), pixel_size_um=moved.spacing)
    half = 0.5 * moved.spacing - 0.5 * pair.fixed.world_pixel_size[0]
    found = check_alignment(pair.fixed, holed, Translation.of((-half, -half)))
    assert "missing" in [flag.kind for flag in found.flags]
    intact = check_alignment(pair.fixed, moved.slide, Translation.of((-half, -half)))
    assert intact.flags == ()


def test_figures_are_json_and_progress_rises(pair):
    import json

    seen = []
    found = check_alignment(
        pair.fixed, pair.moving, pair.fixed_to_moving, progress=lambda f, m: seen.append(f)
    )
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert values["judged_blocks"] == len(values["shifts"]) == found.judged.sum()

    def stop(fraction, message):
        raise Cancelled

    with pytest.raises(Cancelled):
        check_alignment(pair.fixed, pair.moving, pair.fixed_to_moving, progress=stop)


def _table(path):
    rows = list(csv.reader(path.open()))[1:]
    return np.array([[float(row[2]), float(row[1])] for row in rows])


@pytest.mark.thorough
@pytest.mark.slow
def test_it_ranks_alignments_of_real_sections_as_their_landmarks_do(shared):
    folder = shared / "data" / "serial"
    names = [f"grey_lung_lesion_{stain}" for stain in ("cc10", "cd31", "ki67")]
    rng = np.random.default_rng(0)
    errors, medians = [], []
    for one, other in combinations(names, 2):
        a, b = _table(folder / f"{one}.csv"), _table(folder / f"{other}.csv")
        count = min(len(a), len(b))
        a, b = a[:count], b[:count]
        fixed, moving = open_slide(folder / f"{one}.jpg"), open_slide(folder / f"{other}.jpg")
        for share in (0.0, 0.01, 0.025):
            away = rng.normal(size=2)
            away *= share * np.hypot(*fixed.shape) / np.linalg.norm(away)
            wrong = Translation.of(away).then(fit_affine(a, b))
            errors.append(np.median(np.linalg.norm(wrong.inverse()(b) - a, axis=1)))
            median = check_alignment(fixed, moving, wrong).median
            medians.append(np.inf if median is None else median)
    assert spearmanr(errors, medians).statistic >= 0.9


def test_the_same_section_restained(shared):
    folder = shared / "data" / "restained"
    fixed, moving = open_slide(folder / "Lung1_ihc.png"), open_slide(folder / "Lung1_dapi.png")
    for representation in ("directions", "contrast"):
        found = check_alignment(fixed, moving, Affine.identity(), representation=representation)
        # the tissue is bent by about a pixel between the stainings
        assert found.median < 1.5, representation
        assert found.unit == "px"
