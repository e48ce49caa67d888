"""Build the documentation site into site/: ``python tools/docsite/build.py``.

Strict: a broken link, a page that hangs nowhere, a public name without words and a picture without
alternative text end it with 1. Nothing is fetched while it runs, nor when the site is read.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).resolve().parent))

import checks  # noqa: E402
import pages  # noqa: E402


def main() -> int:
    """Gather the sources, let Sphinx build them, and look at what came out."""
    site = ROOT / "site"
    with tempfile.TemporaryDirectory() as folder:
        source, built = Path(folder) / "docs", Path(folder) / "built"
        pages.gather(ROOT, source)
        sphinx = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
        if subprocess.run([*sphinx, "-c", ROOT / "docs", source, built], check=False).returncode:
            return 1
        faults = checks.what_is_wrong(built)
        shutil.rmtree(built / ".doctrees", ignore_errors=True)
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(built, site)
    print("\n".join(faults) or f"The site is in {site / 'index.html'}.")
    return bool(faults)


if __name__ == "__main__":
    raise SystemExit(main())
