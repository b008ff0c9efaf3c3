#!/usr/bin/env bash
# Builds the messages on other Python versions in environments of their own, and loads them there.
#   tools/build_check.sh 3.12 3.13
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

# A version manager's shim may exist and refuse, so each candidate has to run.
find_python() {
  local candidate
  for candidate in "python$1" "$(pyenv root 2>/dev/null || true)/versions/$1".*/bin/python; do
    if "$candidate" -c '' 2>/dev/null; then echo "$candidate"; return; fi
  done
  return 1
}

for version in "$@"; do
  if ! python=$(find_python "$version"); then
    echo "Python $version: not on this machine, not checked"
    continue
  fi
  venv=$root/build/venv-$version
  [ -x "$venv/bin/pip" ] || "$python" -m venv "$venv"
  "$venv/bin/pip" install -qq -r "$root/requirements/ros-build.txt"
  "$venv/bin/python" "$root/tools/build_interfaces.py"
  (cd / && "$venv/bin/python" -c '
import sys
from actseg.msg import ActorMask
from rclpy.serialization import deserialize_message, serialize_message
assert deserialize_message(serialize_message(ActorMask(query_id="1")), ActorMask).query_id == "1"
print(f"Python {sys.version.split()[0]}: messages build and load")')
done
