#!/usr/bin/env bash
# The tests of `make test` or `make thorough`, on a screen: test.sh PYTHON MARKERS [PYTEST ARGUMENTS...]
# Those with windows run beside the others, since a window waits about half of its time; what they say comes after.
# Then, with nothing beside them, those that measure how long something takes. Each part runs whatever became of the
# part before, and a part that failed makes it end with 1.
set -u
cd "$(dirname "$0")/.."
python=$1 markers=$2
shift 2

# Several processes share the machine already; many threads in each only wait for one another.
export OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1} OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}

part() { "$python" -m pytest "$@"; }
shared=(-n 2 --dist worksteal --durations 25)

said=$(mktemp)
# A process group of its own, so that Ctrl-C reaches it: a shell lets what it starts in the background ignore that.
set -m
part "${shared[@]}" -m "$markers and not alone" tests/plugin "$@" >"$said" 2>&1 &
windows=$!
set +m
trap 'kill -- -$windows 2>/dev/null; rm -f "$said"' EXIT
trap 'exit 130' INT TERM

failed=""
asked=$#
judge() { # 5: none of the tests that were asked for lies in this part
    [ "$2" = 0 ] || { [ "$2" = 5 ] && [ "$asked" -gt 0 ]; } || failed="$failed, $1"
}
part "${shared[@]}" -m "$markers" --ignore tests/plugin "$@"
judge "without windows" $?
wait "$windows"
code=$?
cat "$said"
judge "with windows" $code
part -m "$markers and alone" tests/plugin "$@"
judge "alone" $?

[ -z "$failed" ] || { echo "Tests failed: those ${failed#, }" >&2; exit 1; }
