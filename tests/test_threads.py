"""How many threads a process takes, and what it hands on to others."""

import subprocess
import sys

import pytest

from napari_histreg.threads import ENVIRONMENT, limited_environment, processor_count, thread_count


def test_the_user_says_how_many(monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, "3")
    assert (thread_count(), thread_count(most=2)) == (3, 2)
    monkeypatch.delenv(ENVIRONMENT)
    assert thread_count() == processor_count()


@pytest.mark.parametrize("said", ["0", "-1", "many", "1.5"])
def test_what_is_no_number_is_said(monkeypatch, said):
    monkeypatch.setenv(ENVIRONMENT, said)
    with pytest.raises(ValueError, match=ENVIRONMENT):
        thread_count()


def test_a_worker_gets_its_share_and_no_setting_that_slows_it(monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "16")
    handed_on = limited_environment(4)
    assert "MALLOC_TRIM_THRESHOLD_" not in handed_on
    assert (handed_on["OPENBLAS_NUM_THREADS"], handed_on[ENVIRONMENT]) == ("1", "4")
    assert "PATH" in handed_on


def test_the_command_line_is_loaded_without_numpy_so_that_its_threads_can_be_set():
    asked = "import sys, napari_histreg.cli.app; print('numpy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "False"
