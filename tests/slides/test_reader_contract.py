"""Every reader of the table: the same picture in each kind of file gives the same slide."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from napari_histreg.errors import ReadError
from napari_histreg.geometry import Region
from napari_histreg.slides import open_slide
from napari_histreg.slides.fingerprint import fingerprint
from napari_histreg.slides.opening import READERS, _load
from slides.slide_files import CASES, rgb


@pytest.fixture(scope="module", params=CASES, ids=[case.name for case in CASES])
def case_and_path(request, tmp_path_factory):
    case = request.param
    path = tmp_path_factory.mktemp("slide") / f"phantom{case.suffix}"
    case.write(path)
    return case, path


def open_files(folder: Path) -> list[str]:
    """Files of `folder` that this process holds open; other systems than Linux do not tell."""
    held: list[str] = []
    if not Path("/proc/self/fd").is_dir():
        return held
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(entry)  # noqa: PTH115 - the target need not be a path
        except OSError:
            continue
        if target.startswith(str(folder)):
            held.append(target)
    return held


def test_table_is_complete():
    assert len({spec.name for spec in READERS}) == len(READERS)
    # What needs an extra has tests of its own, which run where the extra is installed.
    assert {case.reader for case in CASES} == {spec.name for spec in READERS if spec.extra is None}
    for spec in READERS:
        assert callable(_load(spec))
        assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in spec.suffixes)


def test_same_picture(case_and_path):
    case, path = case_and_path
    truth = case.truth()
    with open_slide(path) as slide:
        assert slide.shape == truth.shape[1:]
        assert slide.dtype == truth.dtype
        assert slide.is_rgb == case.is_rgb
        assert slide.background == (255 if case.is_rgb else 0)
        assert slide.path == str(path)
        assert len(slide.channels) == len(truth)
        if case.pixel_size_um is None:
            assert slide.pixel_size_um is None
        else:
            assert slide.pixel_size_um == pytest.approx((case.pixel_size_um,) * 2, rel=1e-6)
        if case.names:
            assert tuple(channel.name for channel in slide.channels) == case.names
        pixels = slide.read_level(0)
        assert pixels.dtype == truth.dtype
        difference = np.abs(pixels.astype(float) - truth)
        assert difference.max() <= case.tolerance
        assert difference.mean() <= case.tolerance / 4


def test_levels(case_and_path):
    case, path = case_and_path
    truth = case.truth().astype(float)
    with open_slide(path) as slide:
        assert max(slide.levels[-1].shape) <= 1024
        assert len(slide.levels) >= case.native_levels
        for k, level in enumerate(slide.levels):
            assert level.downsample == (2.0**k, 2.0**k)
            assert all(abs(n - full / 2**k) < 1 for n, full in zip(level.shape, slide.shape, strict=True))
            pixels = slide.read_level(k).astype(float)
            assert pixels.shape == (len(slide.channels), *level.shape)
            # Block means of the truth, away from the far edge; each of k levels rounds by up to 0.5.
            f, (height, width) = (
                2**k,
                (min(n, full // 2**k) for n, full in zip(level.shape, slide.shape, strict=True)),
            )
            means = truth[:, : height * f, : width * f].reshape(len(truth), height, f, width, f).mean((2, 4))
            assert np.abs(pixels[:, :height, :width] - means).max() <= case.tolerance + 0.5 * k + 0.5


def test_regions_and_channels(case_and_path):
    _, path = case_and_path
    with open_slide(path) as slide:
        for k in range(len(slide.levels)):
            whole = slide.read_level(k)
            height, width = slide.levels[k].shape
            for region in (
                Region(height // 3, width // 4, 97, 61),
                Region(0, width - 5, height, 5),
                Region(7, 0, 1, width),
            ):
                part = slide.read(k, region)
                inner = region.clipped((height, width))
                assert np.array_equal(part[:, : inner.height, : inner.width], whole[(..., *inner.slices)])
            last = len(slide.channels) - 1
            assert np.array_equal(
                slide.read(k, Region(3, 4, 50, 60), [last, 0]), whole[[last, 0], 3:53, 4:64]
            )
        outside = slide.read(0, Region(-3, -2, 5, 5))
        assert (outside[:, :3] == slide.background).all()
        assert np.array_equal(outside[:, 3:, 2:], slide.read(0, Region(0, 0, 2, 3)))


def test_reads_from_threads(case_and_path):
    _, path = case_and_path
    with open_slide(path) as slide:
        wholes = [slide.read_level(k) for k in range(len(slide.levels))]
        fresh = open_slide(path)

        def read(seed):
            rng = np.random.default_rng(seed)
            k = int(rng.integers(len(wholes)))
            height, width = wholes[k].shape[1:]
            y, x = int(rng.integers(height - 20)), int(rng.integers(width - 20))
            region = Region(y, x, int(rng.integers(1, 300)), int(rng.integers(1, 300))).clipped(
                (height, width)
            )
            return np.array_equal(fresh.read(k, region), wholes[k][(..., *region.slices)])

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(read, range(60)))
        fresh.close()


def test_close_frees_all(case_and_path):
    _, path = case_and_path
    slide = open_slide(path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda y: slide.read(0, Region(y, 0, 20, 20)), range(0, 160, 20)))
    slide.read_level(len(slide.levels) - 1)
    slide.close()
    assert open_files(path.parent) == []
    for level in (0, len(slide.levels) - 1):
        with pytest.raises(ReadError, match="has been closed"):
            slide.read(level, Region(0, 0, 4, 4))
    slide.close()


def test_result_can_be_written_to(case_and_path):
    _, path = case_and_path
    with open_slide(path) as slide:
        before = slide.read(0, Region(5, 5, 8, 8)).copy()
        slide.read(0, Region(5, 5, 8, 8))[...] = 0
        assert np.array_equal(slide.read(0, Region(5, 5, 8, 8)), before)


def test_fingerprint(case_and_path):
    _, path = case_and_path
    with open_slide(path) as slide, open_slide(path, pixel_size_um=9.0, name="x") as again:
        assert fingerprint(slide) == fingerprint(again)
        assert again.pixel_size_um == (9.0, 9.0)
    with open_slide(rgb(seed=77)) as other, open_slide(path) as slide:
        assert fingerprint(slide) != fingerprint(other)
