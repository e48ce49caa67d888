#!/usr/bin/env bash
# Run the cases of a generator of bad files, where there is one: bad_files.sh PYTHON HISTREG [FOLDER].
# The generator (make_bad.py, run_bad.py) belongs to no release; without it this says so and ends well.
set -euo pipefail
python=$1 histreg=$2 folder=${3:-${HISTREG_BAD_FILES:-../shared/tools/hostile}}
if [ ! -f "$folder/make_bad.py" ]; then
  echo "skipped: no generator of bad files in $folder (set HISTREG_BAD_FILES to its folder)"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$histreg" demo -o "$work/demo" >"$work/demo.txt"
"$python" "$folder/make_bad.py" "$work/bad" "$work/demo" >"$work/made.txt"
"$python" "$folder/run_bad.py" "$work/bad" "fork:$histreg" "$work/results.jsonl" >"$work/said.txt" || true
"$python" - "$work/results.jsonl" "$work/bad/manifest.json" <<'END'
import json
import sys

results = [json.loads(line) for line in open(sys.argv[1])]
wanted = len(json.load(open(sys.argv[2])))
bad = [one for one in results if one.get("prob")]
for one in bad:
    print(one["id"], *one["prob"], "|", one["err"])
skipped = sum("skipped" in one for one in results)
print(f"{len(results)} of {wanted} bad files tried, {skipped} not possible here, {len(bad)} ended otherwise than they may")
sys.exit(bool(bad) or len(results) < wanted)
END
