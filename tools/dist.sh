#!/usr/bin/env bash
# Builds sdist and wheel, and uses them as a stranger would: the wheel is made of the sdist in pip's
# own build environment, holds the same files as one made of this folder, and works in an environment
# with nothing but it and what it asks for: a clip is segmented, and the chain test passes.
#   tools/dist.sh [FOLDER TO WRITE TO [DEVELOPMENT ENVIRONMENT]]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:-$root/dist}"
out=$(cd "${1:-$root/dist}" && pwd)
development=$(cd "${2:-$root/.venv}" && pwd)
work=$(mktemp -d "$out/.work-XXXXXX")
trap 'rm -rf "$work"' EXIT
step() { printf 'dist: %s (%d s so far)\n' "$1" "$SECONDS"; }
# Of the environment from which this was called; a stranger has none of it.
unset PYTHONPATH LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE AMENT_PREFIX_PATH CMAKE_PREFIX_PATH

step "sdist"
"$development/bin/python" -m venv "$work/builder"
"$work/builder/bin/pip" install -qq build
"$work/builder/bin/python" -m build --sdist --outdir "$work/sdist" "$root" > "$work/log" 2>&1 \
  || { cat "$work/log" >&2; exit 1; }
sdist=$(ls "$work"/sdist/*.tar.gz)
step "wheel of the sdist"
"$work/builder/bin/pip" wheel -qq --no-deps --wheel-dir "$work/wheel" "$sdist"
wheel=$(ls "$work"/wheel/*.whl)
step "wheel of this folder"
"$development/bin/pip" wheel -qq --no-deps --no-build-isolation --wheel-dir "$work/here" "$root"
"$development/bin/python" "$root/tools/check_dist.py" "$sdist" "$wheel" "$work"/here/*.whl

step "an environment with the wheel alone"
"$development/bin/python" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile "$wheel"
cd "$work"
venv/bin/actseg --help > /dev/null
venv/bin/actseg doctor > log || { cat log >&2; exit 1; }
step "actseg segment"
PYTHONPATH=$root "$development/bin/python" "$root/test/support/cat_clip.py" clip.mp4
venv/bin/actseg segment clip.mp4 "the cat" "a person" --output answers > log
venv/bin/python - <<'PYTHON'
import json
from pathlib import Path

found = {"the cat": [], "a person": []}
for line in Path("answers/answers.jsonl").read_text().splitlines():
    answer = json.loads(line)
    found[answer["sentence"]].append(answer["found"])
assert Path("answers/overlay.mp4").stat().st_size > 0
assert all(found["the cat"]) and len(found["the cat"]) == 9, found
assert not any(found["a person"]) and len(found["a person"]) == 9, found
PYTHON

step "the chain test"
tar xzf "$sdist"
cd actseg-*/
rm -r actseg_core actseg_ros  # what is tested is the wheel
"$work/venv/bin/pip" install -qq --no-compile hypothesis pytest pytest-timeout
ACTSEG_CAT_CLIP=$work/clip.mp4 "$work/venv/bin/python" -m pytest -q -p no:cacheprovider test/ros/test_chain.py

mv "$sdist" "$wheel" "$out"
step "$(basename "$sdist") and $(basename "$wheel") are in $out"
