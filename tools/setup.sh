#!/usr/bin/env bash
# Makes .venv and installs the project with the extra named as first argument.
# uv where it can be had, since it takes seconds; pip otherwise. Bytecode is compiled once, here: itk and napari
# take many seconds to import without.
set -euo pipefail
cd "$(dirname "$0")/.."
extra=${1:?which extra?}
python=${PYTHON:-python3}
venv=.venv
stamp=$venv/.installed-$extra

if [ -f "$stamp" ] && [ "$stamp" -nt pyproject.toml ]; then exit 0; fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "napari-histreg needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1)." >&2
    echo "Install a newer one and run: make PYTHON=python3.12 ..." >&2
    exit 1
}
if [ ! -x $venv/bin/python ] || ! $venv/bin/python -m pip --version >/dev/null 2>&1; then
    rm -rf $venv
    if ! "$python" -m venv $venv; then
        rm -rf $venv
        echo "Python's venv module is not complete. On Debian run: sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi
echo "Installing napari-histreg[$extra] into $venv ..."
if $venv/bin/python -m uv --version >/dev/null 2>&1 || $venv/bin/python -m pip install --quiet uv 2>/dev/null; then
    $venv/bin/python -m uv pip install --quiet --compile-bytecode --python $venv/bin/python -e ".[$extra]"
else
    $venv/bin/python -m pip install --quiet -e ".[$extra]"
fi
if [ "$extra" = test ] || [ "$extra" = dev ]; then
    # Training is tested where PyTorch can be had without CUDA. This local version exists as a CPU wheel only, so it
    # can never bring 3 GB of a graphics card's libraries; where pip does not find it, those tests skip with a reason.
    $venv/bin/python -m pip install --quiet --retries 0 --timeout 5 "torch==2.13.0+cpu" 2>/dev/null || true
fi
touch "$stamp"
