#!/usr/bin/env bash
# Installs the lowest versions that requirements/ and pyproject.toml's extras `train` and `deploy`
# allow into an environment of their own, builds the messages there and runs a selection of the tests.
#   tools/check_lowest.sh [FOLDER OF THE ENVIRONMENT]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
venv=${1:-$root/build/venv-lowest}
bin=$venv/bin
cd "$root"
# What another environment set up would be used in place of what is installed here.
unset PYTHONPATH LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE AMENT_PREFIX_PATH CMAKE_PREFIX_PATH

TESTS=(
  test/core/text test/core/video test/core/cli/test_segment.py
  test/core/datasets/test_coco.py test/core/datasets/test_custom.py
  test/core/datasets/test_mask_picture.py test/core/test_config.py
  test/ros/test_convert.py test/ros/test_convert_compressed.py test/ros/test_compressed.py
  test/ros/players/test_bag.py
)

[ -x "$bin/pip" ] || "${PYTHON:-python3.11}" -m venv "$venv"
"$bin/pip" install -qq uv
"$bin/python" > "$venv/wanted.txt" <<'P'
import tomllib
from pathlib import Path

extras = tomllib.loads(Path("pyproject.toml").read_text())["project"]["optional-dependencies"]
for name in ("runtime", "ros-build"):  # ros-build includes ros
    print(f"-r {Path('requirements', name).resolve()}.txt")
tests = [line for line in extras["dev"] if line.startswith(("pytest", "hypothesis", "psutil"))]
print(*extras["train"], *extras["deploy"], *tests, sep="\n")
P
index=$("$bin/pip" config get global.index-url 2>/dev/null || true)
[ -z "$index" ] || export UV_DEFAULT_INDEX=$index
# What is named here is taken at its lowest, what only comes along with it at its highest.
"$bin/uv" pip compile -q --python "$bin/python" --resolution lowest-direct --no-header \
  --no-annotate "$venv/wanted.txt" -o "$venv/lowest.txt"
# torch first: a machine without a GPU has a build of it without CUDA's libraries.
"$bin/pip" install -qq --constraint "$venv/lowest.txt" "$(grep '^torch==' "$venv/lowest.txt")"
"$bin/pip" install -qq --constraint "$venv/lowest.txt" -r "$venv/wanted.txt"
"$bin/python" tools/build_interfaces.py
"$bin/pip" list --format=freeze | grep -iE \
  '^(torch|numpy|opencv|gensim|safetensors|pydantic|pyyaml|av|typer|rich|rosbags|onnx)[a-z-]*==' | xargs
PYTHONPATH=$root "$bin/python" -m pytest -q -m "not slow" "${TESTS[@]}"
