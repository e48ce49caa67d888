import numpy as np
import pytest

from napari_histreg.geometry import Region
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Affine, Projective, Rigid, Sequence, Translation
from napari_histreg.transforms.displacement import DisplacementField
from napari_histreg.warping import Grid, warp_slide


def smooth_field(size, step=40.0, most=6.0):
    rng = np.random.default_rng(3)
    shape = (int(size[0] / step) + 2, int(size[1] / step) + 2)
    values = rng.uniform(-most, most, (*shape, 2))
    return DisplacementField(values, spacing=(step, step), origin=(0.0, 0.0))


def transforms(shape):
    centre = ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
    turned = Rigid.of(angle_deg=33, centre=centre)
    return {
        "translation": Translation.of((3.3, -7.7)),
        "rigid": turned,
        "affine": Affine([[1.1, 0.2, -4], [-0.1, 0.7, 9], [0, 0, 1]]),
        "projective": Projective([[1, 0.02, 3], [0.01, 1, -5], [1e-5, 2e-5, 1]]),
        "field": smooth_field(shape),
        "sequence": Sequence.of(turned, smooth_field(shape)),
    }


def texture(shape, channels=1, dtype=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 250, (channels, *shape)).astype(dtype)


@pytest.mark.parametrize("kind", list(transforms((10, 10))))
@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
def test_read_tile_by_tile_equals_read_at_once_to_the_last_bit(kind, interpolation):
    shape = (700, 1100)
    slide = open_slide(texture(shape, 2, np.uint16))
    warped = warp_slide(slide, transforms(shape)[kind], Grid(shape), interpolation=interpolation)
    again = warp_slide(slide, transforms(shape)[kind], Grid(shape), interpolation=interpolation)
    whole = warped.read_level(0)
    tiled = np.empty_like(whole)
    for y in range(0, shape[0], 190):
        for x in range(0, shape[1], 333):
            region = Region(y, x, min(190, shape[0] - y), min(333, shape[1] - x))
            tiled[(slice(None), *region.slices)] = again.read(0, region)
    assert np.array_equal(whole, tiled)
    assert np.array_equal(warped.read(0, Region(5, 6, 50, 60), [1])[0], whole[1, 5:55, 6:66])


def test_half_a_turn_and_a_mirror_come_back_pixel_for_pixel():
    shape = (60, 90)
    board = ((np.indices(shape).sum(0) % 2) * 255).astype(np.uint8)
    board[:20, :30] //= 2
    turn = Affine([[-1, 0, shape[0] - 1], [0, -1, shape[1] - 1], [0, 0, 1]])
    mirror = Affine([[1, 0, 0], [0, -1, shape[1] - 1], [0, 0, 1]])
    for transform, expected in ((turn, board[::-1, ::-1]), (mirror, board[:, ::-1])):
        warped = warp_slide(open_slide(board), transform, Grid(shape))
        assert np.array_equal(warped.read_level(0)[0], expected)


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.uint16, np.int16, np.int32, np.uint32, np.float32, np.float64]
)
def test_labels_are_never_mixed_and_the_dtype_stays(dtype):
    labels = (np.indices((80, 80)).sum(0) // 13 * 17 % 101).astype(dtype)
    warped = warp_slide(
        open_slide(labels), Rigid.of(angle_deg=17, centre=(40, 40)), Grid((80, 80)), interpolation="nearest"
    )
    found = warped.read_level(0)
    assert found.dtype == dtype
    assert set(np.unique(found)) <= set(np.unique(labels)) | {0}


def test_large_labels_survive_exactly():
    labels = np.full((20, 20), 2**31 + 12345, np.uint32)
    warped = warp_slide(open_slide(labels), Translation.of((2, 2)), Grid((20, 20)), interpolation="nearest")
    assert warped.read_level(0)[0, 5, 5] == 2**31 + 12345


def test_brightfield_is_white_outside_and_fluorescence_black():
    white = warp_slide(
        open_slide(np.full((50, 50, 3), 100, np.uint8)), Translation.of((1000, 0)), Grid((40, 40))
    )
    black = warp_slide(
        open_slide(np.full((50, 50), 100, np.uint8)), Translation.of((1000, 0)), Grid((40, 40))
    )
    assert (white.read_level(0) == 255).all()
    assert (black.read_level(0) == 0).all()


def blob(shape, centre, sigma):
    y, x = np.indices(shape)
    return np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * sigma**2))


def centroid(plane):
    y, x = np.indices(plane.shape)
    total = plane.sum()
    return np.array([(y * plane).sum() / total, (x * plane).sum() / total])


@pytest.mark.parametrize("spacing", [0.7, 2.0, 5.0, 11.0])
def test_a_blob_lies_where_the_transform_says_on_every_level(spacing):
    moving = open_slide(blob((2400, 2000), (1310.0, 905.0), 60).astype(np.float32), pixel_size_um=0.5)
    fixed_to_moving = Affine([[0.9, 0.3, 20], [-0.25, 1.05, 30], [0, 0, 1]])
    expected = fixed_to_moving.inverse()([[1310 * 0.5, 905 * 0.5]])[0]
    warped = warp_slide(moving, fixed_to_moving, Grid((1500, 1500), (1.0, 1.0)).with_spacing(spacing))
    grid_origin = np.array([spacing / 2 - 0.5] * 2)
    for number, level in enumerate(warped.levels):
        found = centroid(warped.read_level(number)[0].astype(float))
        place = ((found + 0.5) * level.downsample - 0.5) * spacing + grid_origin
        # Levels of the source are means of 2 x 2, so positions hold to a small part of a pixel.
        assert np.abs(place - expected).max() < 0.1 * spacing * level.downsample[0]


def test_shrinking_averages_instead_of_skipping_pixels():
    noise = texture((1024, 1024), dtype=np.uint8, seed=5)
    slide = open_slide(noise)
    small = warp_slide(slide, Translation.identity(), Grid((1024, 1024)).with_spacing(12.0)).read_level(0)[0]
    inner = small[2:-2, 2:-2].astype(float)
    # The mean of 144 independent pixels deviates by 72 / 12 = 6; single pixels would deviate by 72.
    assert inner.std() < 12


def test_a_map_that_bends_is_followed_within_its_bound():
    shape = (400, 500)
    rows, columns = np.indices(shape).astype(np.float32)
    slide = open_slide(np.stack([rows, columns]))
    field = smooth_field(shape)
    warped = warp_slide(slide, field, Grid(shape)).read_level(0)
    points = np.stack([rows.ravel(), columns.ravel()], 1)
    inside = field(points)
    ok = ((inside > 1) & (inside < np.array(shape) - 2)).all(1)
    found = warped.reshape(2, -1).T
    # 0.05 px is promised; OpenCV 4 rounds positions to 1/32 px.
    assert np.linalg.norm(found - inside, axis=1)[ok].max() < 0.05 + 0.03


def test_the_result_has_the_pixel_size_that_it_is_given():
    slide = open_slide(np.zeros((6, 8), np.uint8))
    assert warp_slide(slide, Translation.identity(), Grid((6, 8)), pixel_size_um=0.5).pixel_size_um == (
        0.5,
        0.5,
    )
    assert warp_slide(slide, Translation.identity(), Grid((6, 8)), pixel_size_um=(0.5, 2)).pixel_size_um == (
        0.5,
        2,
    )
    with pytest.raises(ValueError, match="positive"):
        warp_slide(slide, Translation.identity(), Grid((6, 8)), pixel_size_um=0)
