"""A cohort made by hand: the maps, and so the errors, are known."""

import csv
import shutil

import numpy as np
import pytest

from napari_histreg.errors import DamagedFile, LandmarkError
from napari_histreg.landmarks import Landmarks, write_landmarks
from napari_histreg.landmarks.cohort import open_landmark_source
from napari_histreg.records.document import write_registration
from napari_histreg.records.record import Outcome, Registration, SlideRecord
from napari_histreg.registration.evaluation import evaluate_folder, write_scores
from napari_histreg.transforms import Similarity, Translation

TRUTH = Similarity.of(scale=1.2, angle_deg=30, mirrored=True, translation=(40, 9))
FIXED_SIZE, MOVING_SIZE = (0.5, 0.5), (0.25, 0.25)
OFF = {"case1": (3.0, 4.0), "case2": (0.0, 10.0), "deep/case3": (0.0, 0.0)}
"""How far each result is off, in µm of the fixed slide."""
POINTS = np.random.default_rng(3).uniform(0, 150, (12, 2))
PAIRS = Landmarks.of(POINTS, TRUTH(POINTS))


def slide(name, size):
    return SlideRecord(name, f"/slides/{name}", (300, 400), size, ("DAPI",), "aa")


def write_case(folder, name, off, verdict="accepted", sizes=(FIXED_SIZE, MOVING_SIZE)):
    wrong = Translation.of(np.negative(off)).then(TRUTH)
    stem = name.rsplit("/", 1)[-1]
    (folder / name).mkdir(parents=True)
    outcome = Outcome(wrong if verdict != "refused" else None, verdict, 0.8, ("It stands out.",))
    sides = slide(f"{stem}_he.ome.tif", sizes[0]), slide(f"{stem}_if.svs", sizes[1])
    write_registration(Registration(*sides, outcome, "auto"), folder / name / "registration.json")


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    for name, off in OFF.items():
        write_case(folder, name, off)
    return folder


def in_a_folder_by_pair(folder):
    for name in OFF:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_landmarks(
            PAIRS, folder / f"{name}.csv", fixed_pixel_size=FIXED_SIZE, moving_pixel_size=MOVING_SIZE
        )
    return folder


def in_a_folder_by_slide(folder, dialect="anhir"):
    for name in OFF:
        stem = name.rsplit("/", 1)[-1]
        write_landmarks(
            PAIRS,
            folder / f"{stem}_he.csv",
            dialect=dialect,
            moving_path=folder / f"{stem}_if.csv",
            fixed_pixel_size=FIXED_SIZE,
            moving_pixel_size=MOVING_SIZE,
        )
    return folder


def as_anhir_table(folder):
    in_a_folder_by_slide(folder)
    lines = ["Target image,Source image,Target landmarks,Source landmarks"]
    for name in OFF:
        stem = name.rsplit("/", 1)[-1]
        lines.append(f"slides/{stem}_he.ome.tif,slides/{stem}_if.svs,{stem}_he.csv,{stem}_if.csv")
    (folder / "cover.csv").write_text("\n".join(lines))
    return folder / "cover.csv"


def as_acrobat_table(folder):
    lines = ["anon_id,point_id,mpp_source,x_source,y_source,mpp_target,x_target,y_target"]
    for name in OFF:
        for k, (target, source) in enumerate(zip(PAIRS.fixed, PAIRS.moving, strict=True)):
            case = name.rsplit("/", 1)[-1]
            lines.append(f"{case},{k},0.25,{source[1]},{source[0]},0.5,{target[1]},{target[0]}")
    (folder / "acrobat.csv").write_text("\n".join(lines))
    return folder / "acrobat.csv"


@pytest.mark.parametrize(
    "layout", [in_a_folder_by_pair, in_a_folder_by_slide, as_anhir_table, as_acrobat_table]
)
def test_every_layout_gives_the_errors_that_were_made(results, tmp_path, layout):
    (tmp_path / "truth").mkdir()
    found = evaluate_folder(results, open_landmark_source(layout(tmp_path / "truth")))
    assert [s.problem for s in found.scores] == ["", "", ""]
    assert [s.name for s in found.scores] == sorted(OFF)
    for score in found.scores:
        np.testing.assert_allclose(score.error.errors_um, np.hypot(*OFF[score.name]), atol=1e-6)
    summary = found.to_dict()["summary"]
    # 5, 10 and 0 µm are 10, 20 and 0 px of a diagonal of 500 px.
    assert summary["average_median_rtre"] == pytest.approx((10 + 20 + 0) / 3 / 500)
    assert summary["median_median_rtre"] == pytest.approx(10 / 500)
    assert summary["average_robustness"] == 1.0


def test_the_table_holds_every_pair_with_its_figures(results, tmp_path):
    write_case(results, "case4", (0, 0), verdict="refused")
    (tmp_path / "truth").mkdir()
    found = evaluate_folder(results, open_landmark_source(in_a_folder_by_pair(tmp_path / "truth")))
    write_scores(found.scores, tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert float(rows["case1"]["median_um"]) == pytest.approx(5)
    assert float(rows["case1"]["max_px"]) == pytest.approx(10)
    assert rows["case4"]["verdict"] == "refused"
    assert rows["case4"]["median_um"] == ""
    assert "no landmarks" in rows["case4"]["problem"]


def test_refused_pairs_do_not_count_as_aligned(tmp_path):
    write_case(tmp_path / "results", "case1", (0, 0), verdict="refused")
    (tmp_path / "truth").mkdir()
    found = evaluate_folder(
        tmp_path / "results", open_landmark_source(in_a_folder_by_pair(tmp_path / "truth"))
    )
    assert found.usable == ()
    assert found.to_dict()["summary"] is None
    assert "not aligned" in found.scores[0].problem


def test_one_bad_pair_does_not_stop_the_others(results, tmp_path):
    (tmp_path / "truth").mkdir()
    truth = in_a_folder_by_pair(tmp_path / "truth")
    header = "name,enabled,fixed_x_px,fixed_y_px,moving_x_px,moving_y_px"
    (truth / "case1.csv").write_text(f"{header}\na,1,x,2,3,4\n")
    (results / "case2" / "registration.json").write_text("{")
    found = {s.name: s for s in evaluate_folder(results, open_landmark_source(truth)).scores}
    assert "line 2, column fixed_x_px" in found["case1"].problem
    assert "is not JSON" in found["case2"].problem
    assert found["case2"].verdict == ""
    assert found["deep/case3"].problem == ""


def test_micrometres_need_pixel_sizes(tmp_path):
    write_case(tmp_path / "results", "case1", (0, 0), sizes=(FIXED_SIZE, None))
    (tmp_path / "truth").mkdir()
    source = open_landmark_source(as_acrobat_table(tmp_path / "truth"))
    assert "case1_if.svs is unknown" in evaluate_folder(tmp_path / "results", source).scores[0].problem


def test_moved_images_of_anhir_are_known_by_name_unless_two_rows_share_it(results, tmp_path):
    (tmp_path / "truth").mkdir()
    table = as_anhir_table(tmp_path / "truth")
    table.write_text(table.read_text().replace("slides/case1", "elsewhere/case1"))
    found = {s.name: s for s in evaluate_folder(results, open_landmark_source(table)).scores}
    assert found["case1"].problem == ""
    first = next(line for line in table.read_text().splitlines() if "case1" in line)
    table.write_text(table.read_text() + "\n" + first.replace("elsewhere", "there"))
    found = {s.name: s for s in evaluate_folder(results, open_landmark_source(table)).scores}
    assert "lines 2 and 5" in found["case1"].problem


def test_what_is_no_cohort_is_refused(results, tmp_path):
    (tmp_path / "one.csv").write_text("name,enabled,fixed_x_px,fixed_y_px,moving_x_px,moving_y_px\n")
    with pytest.raises(LandmarkError, match="no table of many pairs"):
        open_landmark_source(tmp_path / "one.csv")
    (tmp_path / "short.csv").write_text("Target image,Source image,Target landmarks\n")
    with pytest.raises(LandmarkError, match="Source landmarks is missing"):
        open_landmark_source(tmp_path / "short.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DamagedFile, match=r"no registration\.json"):
        evaluate_folder(tmp_path / "empty", open_landmark_source(tmp_path / "empty"))


def test_landmarks_that_made_a_result_do_not_judge_it(results, tmp_path):
    (tmp_path / "truth").mkdir()
    truth = in_a_folder_by_pair(tmp_path / "truth")
    shutil.copy(truth / "case1.csv", results / "case1" / "landmarks.csv")
    found = {s.name: s for s in evaluate_folder(results, open_landmark_source(truth)).scores}
    assert found["case1"].error is None
    assert "made from these landmarks" in found["case1"].problem
    assert found["case2"].error is not None
