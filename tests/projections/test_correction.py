import numpy as np

from napari_histreg.projections.correction import Correction, guess_kind

ROWS = np.linspace(0, 1, 40)[:, None] * np.ones(50)


def test_dark_flat_and_logarithm():
    truth = ROWS
    dark, flat = np.full((40, 50), 100.0), 1000 + 300 * np.random.default_rng(0).random((40, 50))
    counts = dark + (flat - dark) * np.exp(-truth)
    done = Correction("intensity", dark, flat).apply(counts)
    assert np.allclose(done.pixels, truth, atol=1e-5)
    assert (done.missing, done.zingers) == (0, 0)


def test_nan_zingers_and_dead_pixels_are_repaired_and_counted():
    rng = np.random.default_rng(0)
    counts = 1000 * np.exp(-ROWS) + rng.normal(0, 5, (40, 50))
    clean = Correction("intensity", flat=np.full((40, 50), 1000.0)).apply(counts)
    bad = counts.copy()
    bad[5, 5], bad[20, 30], bad[30, 10] = np.nan, 60000, 0
    done = Correction("intensity", flat=np.full((40, 50), 1000.0)).apply(bad)
    assert (done.missing, done.zingers) == (2, 1)
    assert np.abs(done.pixels - clean.pixels).max() < 0.05


def test_fine_structure_is_no_zinger():
    frame = np.zeros((40, 50))
    frame[10:30, 25] = 1
    frame[18:22, 10:14] = 1
    done = Correction("absorption").apply(frame)
    assert done.zingers == 0
    assert np.array_equal(done.pixels, frame)


def test_a_frame_of_nan_is_not_usable():
    done = Correction("absorption").apply(np.full((10, 10), np.nan))
    assert not done.usable
    assert np.isfinite(done.pixels).all()


def test_without_a_flat_field_the_open_beam_is_taken():
    done = Correction("intensity").apply(
        np.where(np.abs(np.arange(60) - 30) < 10, 50.0, 200.0) * np.ones((20, 1))
    )
    assert np.allclose(done.pixels[:, 30], np.log(4), atol=1e-5)
    assert np.allclose(done.pixels[:, 2], 0, atol=1e-5)


def test_line_integrals_with_negative_noise_are_no_intensities():
    frame = np.random.default_rng(0).normal(0, 0.1, (40, 50))
    frame[:, 20:30] += 1
    assert guess_kind(frame) == "absorption"
