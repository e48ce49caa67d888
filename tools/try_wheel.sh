#!/usr/bin/env bash
# Installs a wheel into an empty environment, away from the checkout, and runs the demo: what is missing in it shows.
set -euo pipefail
wheel=$(realpath "${1:?which wheel?}")
checker=$(realpath "$(dirname "$0")/no_qt.py")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
uv venv --quiet
uv pip install --quiet "$wheel"
uv run --no-project --python .venv python "$checker"
uv run --no-project --python .venv histreg methods >/dev/null
