"""What every method in the table promises, tried on two stains of one synthetic tissue."""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from napari_histreg.errors import RegistrationError
from napari_histreg.methods import METHODS, Estimate, Method, MethodSpec
from napari_histreg.progress import Cancelled
from napari_histreg.raster import Raster
from napari_histreg.transforms import Similarity, Transform, Translation
from phantoms import Pair, pair

Found = Callable[[MethodSpec, str], Estimate]

SPACING = 0.5
NEARLY = Translation.of((0.5, -0.7))
"""A start that is off by this, in µm, is nearly right."""


@pytest.fixture(params=METHODS, ids=lambda spec: spec.name)
def spec(request: pytest.FixtureRequest) -> MethodSpec:
    found: MethodSpec = request.param
    if not found.is_available:
        pytest.skip(f"{', '.join(found.missing)} is not installed: {found.install_line}")
    return found


@pytest.fixture(scope="module")
def pairs() -> dict[str, Pair]:
    """One pair for each thing that a method may or may not be able to find."""
    common = {"spacings": (SPACING, SPACING * 1.1), "island": True}
    return {
        "shift": pair(shift=(5.0, -3.0), **common),
        "turn": pair(angle_deg=6.0, shift=(2.0, 3.0), **common),
        "any": pair(angle_deg=131.0, scale=1.15, shift=(4.0, -6.0), **common),
        "mirror": pair(angle_deg=50.0, mirrored=True, shift=(-3.0, 5.0), **common),
    }


def reach(spec: MethodSpec) -> list[str]:
    """Name the pairs that a method says it aligns without a start."""
    names = ["shift"]
    if spec.rotation_deg >= 6:
        names.append("turn")
    if spec.rotation_deg >= 180 and spec.scale_range[1] > 1.15:
        names.append("any")
    if spec.mirror and spec.rotation_deg >= 180:
        names.append("mirror")
    return names


@dataclass(frozen=True, eq=False)
class Run:
    """What a method found on a pair, and what it told of itself meanwhile."""

    estimate: Estimate
    told: list[tuple[float, str]]
    used: list[float]


@pytest.fixture(scope="module")
def ran(pairs: dict[str, Pair]) -> Callable[[MethodSpec, str], Run]:
    """Run a method on a pair, once."""

    @functools.cache
    def run(spec: MethodSpec, name: str) -> Run:
        told: list[tuple[float, str]] = []
        used = [time.process_time()]

        def tell(fraction: float, message: str) -> None:
            told.append((fraction, message))
            used.append(time.process_time())

        case = pairs[name]
        result = estimate(spec, case.fixed, case.moving, case.fixed_to_moving, progress=tell)
        return Run(result, told, used)

    return run


@pytest.fixture(scope="module")
def found(ran: Callable[[MethodSpec, str], Run]) -> Found:
    """Give what a method finds on a pair; computed once."""
    return lambda spec, name: ran(spec, name).estimate


def default(spec: MethodSpec) -> Method:
    return spec.load()()


def estimate(spec: MethodSpec, fixed: Raster, moving: Raster, truth: Transform, **more: Any) -> Estimate:
    """Run a method by its defaults; one that must be given a start gets one that is nearly right."""
    if spec.needs_start:
        more["initial"] = NEARLY.then(truth)
    return default(spec).estimate(fixed, moving, **more)


def test_recovers_a_known_transform(spec: MethodSpec, pairs: dict[str, Pair], found: Found) -> None:
    for name in reach(spec):
        error_um = float(np.median(pairs[name].errors(found(spec, name).fixed_to_moving)))
        assert error_um <= spec.tolerance_px * SPACING, name


@pytest.mark.thorough
def test_goes_on_from_a_start(spec: MethodSpec, pairs: dict[str, Pair]) -> None:
    case = pairs["mirror"]
    angle = 0.0 if spec.kinds == ("translation",) or spec.needs_start else 2.0
    nearly = Similarity.of(angle_deg=angle, translation=NEARLY.shift, centre=(64.0, 64.0))
    start = nearly.then(case.fixed_to_moving)
    result = default(spec).estimate(case.fixed, case.moving, initial=start)
    error_um = float(np.median(case.errors(result.fixed_to_moving)))
    assert error_um <= spec.tolerance_px * SPACING


@pytest.mark.thorough
def test_exchanged_images_give_the_inverse(spec: MethodSpec, pairs: dict[str, Pair], found: Found) -> None:
    name = reach(spec)[-1]
    case = pairs[name]
    there = found(spec, name).fixed_to_moving
    back = estimate(spec, case.moving, case.fixed, case.fixed_to_moving.inverse()).fixed_to_moving
    points = case.fixed.to_world(np.mgrid[30:226:5j, 30:226:5j].reshape(2, -1).T)
    # Each way may be off by the tolerance.
    assert np.median(np.linalg.norm(back(there(points)) - points, axis=1)) <= 2 * spec.tolerance_px * SPACING


@pytest.mark.thorough
def test_same_input_gives_the_same_answer(spec: MethodSpec, pairs: dict[str, Pair], found: Found) -> None:
    """Also leaves the input alone: it is made read-only and compared."""
    case = pairs["shift"]
    before = [(r.pixels.copy(), r.mask.copy()) for r in (case.fixed, case.moving)]
    for raster in (case.fixed, case.moving):
        raster.pixels.setflags(write=False)
        raster.mask.setflags(write=False)
    points = np.array([[0.0, 0.0], [100.0, 20.0], [30.0, 90.0]])
    again = estimate(spec, case.fixed, case.moving, case.fixed_to_moving)
    first = found(spec, "shift")
    np.testing.assert_array_equal(again.fixed_to_moving(points), first.fixed_to_moving(points))
    assert again.score == first.score
    for raster, (pixels, mask) in zip((case.fixed, case.moving), before, strict=True):
        np.testing.assert_array_equal(raster.pixels, pixels)
        np.testing.assert_array_equal(raster.mask, mask)


def blanks() -> dict[str, Raster]:
    shape = (128, 128)
    textured = np.random.default_rng(0).random(shape).astype(np.float32)
    half = np.full(shape, np.nan, np.float32)
    return {
        "constant": Raster(np.full(shape, 7.0, np.float32)),
        "nan": Raster(half),
        "infinite": Raster(np.full(shape, np.inf, np.float32)),
        "masked": Raster(textured, mask=np.zeros(shape, bool)),
        "one pixel": Raster(np.ones((1, 1), np.float32)),
        "line": Raster(np.ones((1, 10000), np.float32)),
    }


@pytest.mark.parametrize("kind", list(blanks()))
def test_nothing_to_align_is_an_error(spec: MethodSpec, pairs: dict[str, Pair], kind: str) -> None:
    tissue, blank = pairs["shift"].fixed, blanks()[kind]
    for images in ((tissue, blank), (blank, tissue), (blank, blank)):
        with pytest.raises(RegistrationError) as error:
            default(spec).estimate(*images)
        assert type(error.value) is not RegistrationError
        assert "\n" not in str(error.value)
        assert str(error.value).endswith(".")


def test_unrelated_images_are_refused(spec: MethodSpec, pairs: dict[str, Pair]) -> None:
    other = pair(seed=77, spacings=(SPACING, SPACING), island=True)
    with pytest.raises(RegistrationError):
        estimate(spec, pairs["shift"].fixed, other.moving, other.fixed_to_moving)


def test_masked_and_missing_pixels_do_not_matter(spec: MethodSpec, pairs: dict[str, Pair]) -> None:
    case = pairs["shift"]
    pixels = case.moving.pixels.copy()
    mask = np.ones(pixels.shape, bool)
    pixels[:20], mask[:20] = 50.0, False
    pixels[-15:, -40:] = np.nan
    dirty = Raster(pixels, case.moving.spacing, case.moving.origin, mask)
    result = estimate(spec, case.fixed, dirty, case.fixed_to_moving)
    assert float(np.median(case.errors(result.fixed_to_moving))) <= spec.tolerance_px * SPACING


def test_progress_runs_from_start_to_end(spec: MethodSpec, ran: Callable[[MethodSpec, str], Run]) -> None:
    run = ran(spec, "shift")
    fractions = [f for f, _ in run.told]
    # A cancel is heard at the next report. Processor time, as other work may hold up the clock on the wall.
    assert np.diff(run.used).max() < 2.0
    assert len(run.told) >= 3
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0
    assert fractions[-1] == 1
    assert all(m for _, m in run.told)


@pytest.mark.parametrize("after", [0.0, 0.4, pytest.param(0.85, marks=pytest.mark.thorough)])
def test_a_cancel_passes_through(spec: MethodSpec, pairs: dict[str, Pair], after: float) -> None:
    def stop(fraction: float, message: str) -> None:
        if fraction >= after:
            raise Cancelled

    case = pairs["shift"]
    with pytest.raises(Cancelled):
        estimate(spec, case.fixed, case.moving, case.fixed_to_moving, progress=stop)


def test_parameters_survive_json(spec: MethodSpec) -> None:
    method = default(spec)
    assert type(method).model_validate_json(method.model_dump_json()) == method


def test_parameters_come_as_text_and_have_bounds_and_words(spec: MethodSpec) -> None:
    """The command line hands over strings; a form needs a title, a help text and limits."""
    cls = spec.load()
    method = cls()
    for key, info in cls.model_fields.items():
        assert info.title, key
        assert info.description, key
        value = getattr(method, key)
        if isinstance(value, bool | int | float | str):
            assert getattr(cls.model_validate({key: str(value)}), key) == value
        schema = cls.model_json_schema()["properties"][key]
        if schema.get("type") in ("integer", "number"):
            low = schema.get("minimum", schema.get("exclusiveMinimum"))
            high = schema.get("maximum", schema.get("exclusiveMaximum"))
            for outside in (low - 1, high + 1):
                with pytest.raises(ValueError, match=key):
                    cls.model_validate({key: outside})
    with pytest.raises(ValueError, match="no_such_parameter"):
        cls.model_validate({"no_such_parameter": 1})


def test_the_row_tells_the_truth(spec: MethodSpec, found: Found) -> None:
    cls = spec.load()
    assert cls.name == spec.name
    assert spec.doi
    assert cls.__doc__
    result = found(spec, "shift").fixed_to_moving
    assert isinstance(result, Transform)
    assert result.kind in spec.kinds or spec.nonrigid
