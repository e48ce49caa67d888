import json
import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from napari_histreg.errors import Cancelled, LandmarkError, WriteError
from napari_histreg.quality.report import write_report
from napari_histreg.records.record import Outcome, Registration, SlideRecord, Step
from napari_histreg.samples import phantom_pair
from napari_histreg.slides.slide import Channel

EVIL = '"><script>document.title="stolen"</script><img src=http://evil.example/x>'


def recorded(pair, transform, **what):
    """A registration of the pair as `register` would record it."""
    outcome = {
        "verdict": "accepted",
        "confidence": 0.97,
        "reasons": ("Everything agrees.",),
        "landmarks": None,
    }
    outcome |= {name: what.pop(name) for name in list(what) if name in outcome}
    steps = (
        Step("pose_search", {"mirror": True}, {"channels": ["red"], "poses": {"best_z": 1.23456}}, (), 0.5),
    )
    return Registration(
        fixed=SlideRecord.of(pair.fixed),
        moving=SlideRecord.of(pair.moving),
        outcome=Outcome(transform, **outcome),
        **{"method": "sift", "parameters": {"ratio": 0.8, "limit": float("inf")}, "steps": steps, **what},
    )


@pytest.fixture(scope="module")
def pair():
    return phantom_pair(1024, seed=2)


@pytest.fixture(scope="module")
def small():
    """A pair for what does not depend on how much there is to see."""
    return phantom_pair(512, seed=2)


@pytest.fixture(scope="module")
def written(pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    evil = replace(pair.moving, name=EVIL, channels=(Channel("DAPI"), Channel(EVIL), Channel("c")))
    record = recorded(pair, pair.fixed_to_moving, reasons=(EVIL,), parameters={"ratio": 0.8, EVIL: EVIL})
    return write_report(record, folder / "report.html", pair.fixed, evil, landmarks=pair.landmarks(12))


def test_the_page_is_one_small_file_that_fetches_nothing(written):
    page, _ = written
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size < 5_000_000
    assert set(re.findall(r'(?:src|href)="([a-z]+:)', text)) == {"data:"}
    assert "url(" not in text
    assert "default-src 'none'" in text
    assert sorted(p.name for p in page.parent.iterdir()) == ["report.html", "report.json"]


def test_names_from_outside_are_escaped(written):
    text = written[0].read_text(encoding="utf-8")
    assert "<script>document.title" not in text
    assert "&lt;script&gt;" in text
    assert text.count("<script>") == 1


def test_a_pathologist_reads_no_python(small, tmp_path):
    page, _ = write_report(
        recorded(
            small, small.fixed_to_moving, parameters={"scale_range": 2.6, "mirror": True, "start": None}
        ),
        tmp_path / "r.html",
        small.fixed,
        small.moving,
        landmarks=small.landmarks(9),
    )
    text = page.read_text(encoding="utf-8")
    # What is drawn is not read, and what the page itself is made of is no word of ours.
    shown = unescape(re.sub(r"<(style|script)>.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL))
    for python in (
        "['",
        "{'",
        "True",
        "None",
        "nan",
        "jacobian_",
        "entropy_",
        " ssim",
        " nmi",
        " l1 ",
        "scale_range",
    ):
        assert python not in shown, python
    assert not re.search(r"\de[-+]\d", shown), "a power of ten"
    assert not re.search(r"\d um\b", shown)
    for name in ("SSIM", "NMI", "MAE", "RMSE", "NCC", "Dice", "TRE", "normalised mutual information"):
        assert name in shown
    assert "Scale range 2.6 Mirror yes Start –" in " ".join(shown.split())
    # The steps are there for those who want them, folded away.
    assert re.search(r"<details><summary>Steps</summary>.*Pose search.*best z 1\.23", text, re.DOTALL)
    assert "<details open" not in text


def test_the_twin_holds_the_same_numbers(written, pair):
    values = json.loads(written[1].read_text(encoding="utf-8"), parse_constant=lambda c: pytest.fail(c))
    assert values["verdict"] == "accepted"
    assert values["independent_check"]["median"] < 0.5
    assert values["target_error"]["px"]["max"] == pytest.approx(0, abs=1e-6)
    assert values["target_error"]["robustness"] == 1.0
    assert values["similarity"]["tissue"]["after"]["ncc"] > values["similarity"]["tissue"]["before"]["ncc"]
    assert values["overlap"]["after"]["dice"] > 0.85
    assert values["deformation"]["folded"] == 0
    assert values["fixed"]["size_px"] == list(pair.fixed.shape)


def test_landmarks_that_made_the_alignment_are_judged_with_each_left_out(small, tmp_path):
    pair = small
    pairs = pair.landmarks(9)
    fixed = pairs.fixed.copy()
    fixed[4] += 30 * np.array(pair.fixed.world_pixel_size)
    pairs = replace(pairs, fixed=fixed)
    record = recorded(
        pair, pair.fixed_to_moving, method="landmarks", landmarks=pairs, parameters={"model": "affine"}
    )
    page, twin = write_report(record, tmp_path / "r.html", pair.fixed, pair.moving)
    values = json.loads(twin.read_text(encoding="utf-8"))
    assert values["target_error"] is None
    worst = max(values["left_out_error"]["landmarks"], key=lambda row: row["px"])
    assert worst["name"] == pairs.names[4]
    # The others know nothing of the point that was moved by 30 px in y and in x.
    assert worst["px"] == pytest.approx(30 * np.sqrt(2), rel=1e-6)
    assert "Landmarks left out in turn" in page.read_text(encoding="utf-8")


def test_landmarks_that_made_the_alignment_cannot_judge_it(pair, tmp_path):
    pairs = pair.landmarks(9)
    record = recorded(pair, pair.fixed_to_moving, landmarks=pairs)
    with pytest.raises(LandmarkError, match="made from these landmarks"):
        write_report(
            record, tmp_path / "r.html", pair.fixed, pair.moving, landmarks=pairs.subset(np.arange(9) < 5)
        )
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_without_transform_says_so(small, tmp_path):
    pair = small
    record = recorded(pair, None, verdict="refused", confidence=None, reasons=("Nothing agrees.",))
    page, twin = write_report(record, tmp_path / "r.html", pair.fixed, pair.moving)
    text = page.read_text(encoding="utf-8")
    assert "Refused" in text
    assert "Nothing agrees." in text
    assert "curtain" in text
    assert json.loads(twin.read_text())["independent_check"] is None


def test_a_folder_that_is_not_there_is_named(pair, tmp_path):
    record = recorded(pair, None, verdict="refused")
    with pytest.raises(WriteError, match="nowhere"):
        write_report(record, tmp_path / "nowhere" / "r.html", pair.fixed, pair.moving)


def test_stopping_leaves_nothing_behind(pair, tmp_path):
    def stop(fraction, message):
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_report(
            recorded(pair, pair.fixed_to_moving), tmp_path / "r.html", pair.fixed, pair.moving, progress=stop
        )
    assert list(tmp_path.iterdir()) == []


def test_a_bent_transform_has_its_maps(small, tmp_path):
    from napari_histreg.transforms import Sequence
    from waves import Wave

    bent = Sequence.of(Wave(2.0, 90.0), small.fixed_to_moving)
    page, _ = write_report(recorded(small, bent), tmp_path / "r.html", small.fixed, small.moving)
    assert "Local change of area" in page.read_text(encoding="utf-8")


def test_in_a_browser_the_curtain_moves_and_nothing_goes_wrong(written, tmp_path):
    browser = next((b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), None)
    if browser is None:
        pytest.skip("no Chromium here")
    text = written[0].read_text(encoding="utf-8")
    probe = """<script>
      const bar = document.querySelector('input[type=range]');
      const over = document.querySelector('.over'), box = document.querySelector('.curtain');
      bar.value = 20; bar.dispatchEvent(new Event('input'));
      const slid = over.style.clipPath;
      const area = box.getBoundingClientRect();
      box.setPointerCapture = () => {};
      box.dispatchEvent(new PointerEvent('pointerdown',
        {clientX: area.left + 0.75 * area.width, clientY: area.top + 5, bubbles: true}));
      const sizes = [...document.images].map((i) => i.naturalWidth);
      document.body.setAttribute('data-probe', JSON.stringify(
        {slid, dragged: over.style.clipPath, title: document.title, smallest: Math.min(...sizes)}));
    </script></body>"""
    copy = tmp_path / "probe.html"
    copy.write_text(text.replace("</body>", probe), encoding="utf-8")
    done = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000",
            "--dump-dom", copy.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r'data-probe="([^"]*)"', done.stdout)
    assert found, done.stderr
    values = json.loads(found.group(1).replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">"))
    assert "20%" in values["slid"]
    assert "75%" in values["dragged"]
    assert values["smallest"] > 0
    assert values["title"] != "stolen"
    assert "CONSOLE" not in done.stderr
