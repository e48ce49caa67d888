"""Rasters seen through transforms, with SciPy as the oracle."""

import numpy as np
import pytest
from scipy import ndimage

from napari_histreg.raster import Raster
from napari_histreg.transforms import (
    Affine,
    Bijection,
    Projective,
    Rigid,
    Similarity,
    Transform,
    Translation,
    resample,
    resampling,
)


def smooth(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Noise without detail below about four pixels."""
    noise = np.random.default_rng(seed).normal(size=shape)
    return ndimage.gaussian_filter(noise, 2).astype(np.float32) * 10


def oracle(moving: Raster, transform: Transform, frame: Raster, order: int) -> np.ndarray:
    rows, columns = np.indices(frame.shape)
    world = frame.to_world(np.stack([rows.ravel(), columns.ravel()], 1))
    at = moving.to_pixel(transform(world)).T
    return ndimage.map_coordinates(moving.pixels.astype(float), at, order=order, mode="nearest").reshape(
        frame.shape
    )


TURN = Similarity.of(scale=0.9, angle_deg=33, mirrored=True, translation=(30, 260))
TRANSFORMS = {
    "similarity": TURN,
    "affine": Affine([[0.8, 0.1, 5], [-0.2, 0.9, 60], [0, 0, 1]]),
    "projective": Projective([[0.8, 0.1, 5], [-0.2, 0.9, 60], [4e-4, 1e-4, 1]]),
    "not a matrix": Bijection(TURN, TURN.inverse()),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_linear_interpolation_is_that_of_scipy(name: str) -> None:
    moving = Raster(smooth((180, 150)), (1.5, 1.25), (3, -4))
    frame = Raster(np.zeros((200, 170)), (1.0, 1.0), (-10, 5))
    seen = resample(moving, TRANSFORMS[name], frame)
    assert seen.mask.mean() > 0.1
    # OpenCV 4 rounds places to 1/32 pixel; the signal's slope stays below 2 per pixel.
    expected = oracle(moving, TRANSFORMS[name], frame, 1)
    np.testing.assert_allclose(seen.pixels[seen.mask], expected[seen.mask], atol=2 * 1.5 / 32)
    assert seen.spacing == frame.spacing
    assert seen.origin == frame.origin


def test_tiles_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    moving, frame = Raster(smooth((180, 150))), Raster(np.zeros((200, 170)))
    whole = resample(moving, TURN, frame)
    monkeypatch.setattr(resampling, "TILE", 37)
    tiled = resample(moving, TURN, frame)
    # The places within a tile are rounded to float32 from another corner: 1e-5 px.
    np.testing.assert_allclose(tiled.pixels, whole.pixels, atol=1e-3)
    assert np.array_equal(tiled.mask, whole.mask)


def test_pieces_of_large_images_fit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    moving, frame = Raster(smooth((180, 150))), Raster(np.zeros((200, 170)))
    whole = resample(moving, TURN, frame)
    monkeypatch.setattr(resampling, "REMAP_LIMIT", 40)
    np.testing.assert_allclose(resample(moving, TURN, frame).pixels, whole.pixels, atol=1e-3)


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        (Rigid.of(angle_deg=180, centre=(2, 3)), lambda p: p[::-1, ::-1]),
        (Rigid.of(mirrored=True, centre=(2, 3)), lambda p: p[:, ::-1]),
        (Translation.identity(), lambda p: p),
    ],
)
def test_half_turns_and_mirrors_move_whole_pixels(transform: Transform, expected: object, order: int) -> None:
    board = (np.indices((5, 7)).sum(0) % 2).astype(np.float32)
    seen = resample(Raster(board), transform, Raster(board), order=order)
    np.testing.assert_allclose(seen.pixels, expected(board), atol=1e-6)
    assert seen.mask.all()


def test_labels_are_never_blended() -> None:
    labels = np.random.default_rng(0).choice([0.0, 7, 900], (60, 60))
    small = Raster(np.zeros((20, 20)), (3.0, 3.0), (1, 1))
    seen = resample(Raster(labels), Rigid.of(angle_deg=20, centre=(30, 30)), small, order=0)
    assert set(np.unique(seen.pixels)) <= {0.0, 7.0, 900.0}


def test_shrinking_smooths_first() -> None:
    # Lines of one pixel: sampled every eighth pixel without smoothing they would be all black or white.
    lines = np.tile(np.array([0, 1], np.float32), (160, 80))
    frame = Raster(np.zeros((20, 20)), (8.0, 8.0), (3.5, 3.5))
    for transform in (Translation.identity(), Rigid.of(angle_deg=90, centre=(79.5, 79.5))):
        seen = resample(Raster(lines), transform, frame).pixels
        np.testing.assert_allclose(seen[1:-1, 1:-1], 0.5, atol=0.01)
        # At the border the lines meet their own reflection.
        np.testing.assert_allclose(seen, 0.5, atol=0.05)


def test_the_mask_travels_along() -> None:
    mask = np.zeros((50, 50), bool)
    mask[10:20, 30:40] = True
    seen = resample(Raster(np.ones((50, 50)), mask=mask), Translation.of((5, -3)), Raster(np.zeros((50, 60))))
    expected = np.zeros((50, 60), bool)
    expected[5:15, 33:43] = True
    assert np.array_equal(seen.mask, expected)


def test_outside_is_filled_and_not_valid() -> None:
    seen = resample(Raster(np.ones((4, 4))), Translation.of((2, 0)), Raster(np.ones((4, 4))), fill=9)
    assert seen.pixels.tolist() == [[1] * 4, [1] * 4, [9] * 4, [9] * 4]
    assert seen.mask[:2].all()
    assert not seen.mask[2:].any()
    far = resample(Raster(np.ones((4, 4))), Translation.of((99, 0)), Raster(np.ones((4, 4))))
    assert not far.mask.any()


def test_points_without_an_image_are_not_valid() -> None:
    tilt = Projective([[1, 0, 0], [0, 1, 0], [0, 1, -2]])
    seen = resample(Raster(np.ones((4, 4))), tilt, Raster(np.ones((4, 4))))
    assert not seen.mask[:, 2].any()
    assert np.isfinite(seen.pixels).all()


def test_the_order_is_0_1_or_3() -> None:
    with pytest.raises(ValueError, match="order"):
        resample(Raster(np.ones((4, 4))), Translation.identity(), Raster(np.ones((4, 4))), order=2)
