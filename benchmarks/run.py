"""Run all benchmarks, or those named: python benchmarks/run.py [startup pyramid accuracy …]."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ALL = ("startup", "pyramid", "accuracy", "warping", "verdict", "refusal", "whole_slide")


def main() -> int:
    names = sys.argv[1:] or [name for name in ALL if (HERE / f"{name}.py").exists()]
    failed = []
    for name in names:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, HERE / f"{name}.py"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
