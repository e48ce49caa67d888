"""The worker that takes the place of the real one in tests of cohorts."""

import sys
from pathlib import Path

FAKE_WORKER = (sys.executable, str(Path(__file__).with_name("cohorts") / "fake_worker.py"))
