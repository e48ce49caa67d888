import numpy as np
import pytest

from napari_histreg.fusion import RULES, fuse_slides
from napari_histreg.fusion.average import PrincipalComponent
from napari_histreg.fusion.rule import Rule
from napari_histreg.fusion.wavelet import Wavelet
from napari_histreg.geometry import Region
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Translation
from napari_histreg.warping import Grid, warp_slide

RNG = np.random.default_rng(0)
NAMES = [spec.name for spec in RULES]


def texture(shape, seed):
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(seed).normal(size=shape)
    values = gaussian_filter(noise, 1.5) + 2 * gaussian_filter(noise, 12)
    return ((values - values.min()) / np.ptp(values) * 60000).astype(np.uint16)


@pytest.fixture(scope="module")
def pair():
    return open_slide(texture((1300, 1150), 0)), open_slide(texture((1300, 1150), 1))


@pytest.mark.parametrize("name", NAMES)
def test_tiles_leave_no_seams(name, pair):
    fused = fuse_slides(pair, name)
    whole = fused.read_level(0)[0]
    # The rule on the whole slide at once, with no tile anywhere, is what tiles must add up to.
    rule = next(spec for spec in RULES if spec.name == name).load()()
    planes = []
    for slide in pair:
        plane = slide.read_level(0)[0].astype(np.float32)
        overview = slide.read_level(slide.level_for_size())[0].astype(np.float32)
        low, high = np.percentile(overview, (0.5, 99.8)).astype(np.float32)
        planes.append(np.clip((plane - low) / (high - low), 0, 1))
    ones = [np.ones_like(plane) for plane in planes]
    level = pair[0].level_for_size()
    small = [p[:: 2**level, :: 2**level] for p in planes]
    fitted = rule.fitted(small, [np.ones_like(p) for p in small])
    expected = np.clip(fitted(planes, ones), 0, 1) * 255
    # One grey level of rounding; the principal component is learnt from slightly other overviews.
    assert np.abs(whole - expected).max() <= (3 if name == "pca" else 1)


@pytest.mark.parametrize("size", [pytest.param(2048, marks=pytest.mark.thorough), 2301])
def test_pyramids_may_go_in_other_steps(size):
    pair = phantom_pair(size, seed=1)
    warped = warp_slide(pair.moving, pair.fixed_to_moving, Grid.of(pair.fixed))
    assert warped.levels != pair.fixed.levels
    fused = fuse_slides([pair.fixed, warped], "average")
    assert max(fused.levels[-1].shape) <= 1024
    still = warp_slide(pair.fixed, Translation.identity(), Grid.of(pair.fixed))
    same = fuse_slides([still, warped], "average")
    region = Region(700, 800, 300, 200)
    difference = fused.read(0, region).astype(int) - same.read(0, region)
    # The brightness is measured on overviews that were reduced in other steps: a grey level.
    assert np.abs(difference).max() <= 1


def test_slides_of_unequal_size_are_refused():
    with pytest.raises(ValueError, match=r"do not lie on one grid \(\(60, 70\) and \(60, 71\)\)"):
        fuse_slides([open_slide(texture((60, 70), 0)), open_slide(texture((60, 71), 0))])


@pytest.mark.parametrize("name", NAMES)
def test_a_slide_fused_with_itself_is_itself(name):
    slide = open_slide(texture((300, 260), 3))
    fused = fuse_slides([slide, slide], name).read_level(0)[0].astype(float)
    original = slide.read_level(0)[0].astype(float)
    low, high = np.percentile(original, (0.5, 99.8))
    assert np.abs(fused - np.clip((original - low) / (high - low), 0, 1) * 255).max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_regions_equal_the_whole_to_the_last_bit(name, pair):
    fused, again = fuse_slides(pair, name), fuse_slides(pair, name)
    whole = fused.read_level(0)
    region = Region(317, 401, 611, 290)
    assert np.array_equal(again.read(0, region), whole[(slice(None), *region.slices)])


def test_details_of_both_survive_in_pyramid_and_wavelet_rules():
    left, right = np.zeros((256, 256)), np.zeros((256, 256))
    left[:, :128] = np.indices((256, 128)).sum(0) // 4 % 2
    right[:, 128:] = np.indices((256, 128)).sum(0) // 4 % 2
    slides = open_slide(left), open_slide(right)
    for name in ("laplacian", "gradient", "wavelet"):
        contrast = fuse_slides(slides, name).read_level(0)[0].astype(float)
        plain = fuse_slides(slides, "average").read_level(0)[0].astype(float)
        for half in (slice(20, 108), slice(148, 236)):
            # Full details on half the base: black clips a quarter of them, so 1.5 x is the most there can be.
            assert contrast[20:236, half].std() > 1.4 * plain[20:236, half].std()


def test_an_edge_comes_whole_from_the_slide_that_has_it():
    """Single strong pixels beside an edge win details one by one, but not by the gradients around."""
    edge = np.where(np.arange(128) < 64, 40.0, 200.0) * np.ones((128, 1))
    noise = 120 + 25.0 * (np.random.default_rng(1).random((128, 128)) > 0.95)
    slides = open_slide(edge), open_slide(noise)
    around = (0, slice(None), slice(60, 68))
    alone = fuse_slides([slides[0]] * 2, "average").read_level(0)[around].astype(float)
    kept = {}
    for name in ("laplacian", "gradient"):
        seen = fuse_slides(slides, name).read_level(0)[around].astype(float)
        # What a row adds to the mean of all is noise that came along.
        kept[name] = float((seen - seen.mean(axis=0)).std())
    assert kept["gradient"] < 0.7 * kept["laplacian"]
    assert np.ptp(alone.mean(axis=0)) > 200


def test_the_principal_component_favours_the_slide_that_varies_more():
    strong, weak = RNG.normal(size=(64, 64)), 0.1 * RNG.normal(size=(64, 64))
    ones = [np.ones((64, 64), np.float32)] * 2
    shares = PrincipalComponent().fitted([strong.astype(np.float32), weak.astype(np.float32)], ones).shares
    assert shares[0] > 0.9
    assert sum(shares) == pytest.approx(1)


def test_colours_are_fused_channel_by_channel_and_others_as_grey():
    rgb = open_slide(RNG.integers(0, 255, (64, 64, 3)).astype(np.uint8))
    many = open_slide(RNG.integers(0, 9999, (5, 64, 64)).astype(np.uint16))
    assert fuse_slides([rgb, rgb], "average").is_rgb
    mixed = fuse_slides([rgb, many], "average")
    assert [channel.name for channel in mixed.channels] == ["fused"]
    assert mixed.read_level(0).shape == (1, 64, 64)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a, b: fuse_slides([a]), "two slides"),
        (lambda a, b: fuse_slides([a, b]), "one grid"),
        (lambda a, b: fuse_slides([a, a], "magic"), "average, maximum"),
        (lambda a, b: fuse_slides([a, a], "wavelet", wavelet="db99"), "db99"),
        (lambda a, b: fuse_slides([a, a], "wavelet", depth=99), "depth"),
    ],
)
def test_wishes_that_cannot_be_met_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(open_slide(np.eye(40)), open_slide(np.eye(50)))


def test_a_rule_object_will_do_and_a_rule_without_a_way_says_so(pair):
    assert fuse_slides(pair, Wavelet(wavelet="haar", depth=1)).metadata["wavelet"] == "haar"
    with pytest.raises(TypeError, match="how to merge"):
        Rule()([], [])
