import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from napari_histreg.geometry import grid_points
from napari_histreg.methods.elastix.groupwise import ElastixGroupwise, read_stack
from napari_histreg.raster import Raster

SIDE, SPACING = 96, 4.0


def bent_copies(count, *, contrast):
    """One tissue, bent in another way in each image; for each, where the tissue's points lie in it."""
    rng = np.random.default_rng(0)
    tissue = gaussian_filter(rng.normal(size=(SIDE, SIDE)), 3)
    tissue /= tissue.std()
    grid = np.stack(np.mgrid[:SIDE, :SIDE]).astype(float)
    shifts = np.stack(
        [gaussian_filter(rng.normal(size=(count, SIDE, SIDE)), (0, 16, 16)) for _ in range(2)], 1
    )
    shifts *= 3.0 / shifts.std()
    shifts -= shifts.mean(0)
    images = []
    for k in range(count):
        pixels = map_coordinates(tissue, grid + shifts[k], order=3, mode="nearest")
        if contrast:
            pixels = rng.uniform(0.5, 2) * (-1) ** k * pixels + rng.normal()
        images.append(Raster(pixels.astype(np.float32), (SPACING, SPACING), (2.0, 2.0)))
    return images, shifts


def spread(images, shifts, bends):
    """How far the same tissue lies apart in the images, root mean square in pixels."""
    inner = grid_points(np.arange(20, 76, 4), np.arange(20, 76, 4)).reshape(-1, 2)
    world = inner * SPACING + 2.0
    tissue = []
    for k in range(len(images)):
        at = (world if bends is None else bends[k](world)) / SPACING - 0.5
        moved = [map_coordinates(shifts[k][axis], at.T, order=1) for axis in range(2)]
        tissue.append(at + np.stack(moved, 1))
    away = np.array(tissue) - np.mean(tissue, axis=0)
    return float(np.sqrt((away**2).sum(-1).mean()))


def test_a_stack_of_splines_is_taken_apart():
    found = {
        "TransformParameters": [str(v) for v in np.r_[np.zeros(98), np.full(49, 1.0), np.full(49, -2.0)]],
        "GridSize": ["7", "7"], "GridOrigin": ["-32.5", "-32.5"], "GridSpacing": ["32", "32"],
    }  # fmt: skip
    one, two = read_stack(found, 2)
    assert np.allclose(one([[30.0, 40.0]]), [[30, 40]])
    # elastix has x before y.
    assert np.allclose(two([[30.0, 40.0]]), [[28, 41]])


def test_what_cannot_be_aligned_at_once_is_named():
    pytest.importorskip("itk")
    image = Raster(np.zeros((20, 20), np.float32))
    with pytest.raises(ValueError, match="3 to 20 images"):
        ElastixGroupwise().estimate_group([image] * 2)
    with pytest.raises(ValueError, match="one frame"):
        ElastixGroupwise().estimate_group([image, image, Raster(np.zeros((20, 21), np.float32))])


@pytest.mark.thorough
@pytest.mark.slow
def test_copies_in_any_contrast_are_bent_to_their_mean():
    pytest.importorskip("itk")
    images, shifts = bent_copies(5, contrast=True)
    method = ElastixGroupwise(iterations=120, resolutions=3, grid_spacing_px=24)
    bends = method.estimate_group(images)
    before, after = spread(images, shifts, None), spread(images, shifts, bends)
    assert before > 2
    assert after < 0.45 * before
    inner = np.array([[150.0, 150.0], [250.0, 200.0]])
    assert np.abs(np.mean([bend(inner) - inner for bend in bends], axis=0)).max() < 0.5 * SPACING
