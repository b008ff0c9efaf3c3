#!/usr/bin/env bash
# The wheels of a ROS distribution on another Python, in an environment of their own without torch: builds
# the messages, loads them, and passes the chain test with the model that ships.
#   tools/build_check.sh kilted:3.13 jazzy:3.12
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
development=${VENV:-$root/.venv}  # has the photograph for the clip, unless ACTSEG_CAT_CLIP names one
# Of the environment from which this was called.
unset PYTHONPATH LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE AMENT_PREFIX_PATH CMAKE_PREFIX_PATH

# A version manager's shim may exist and refuse, so each candidate has to run.
find_python() {
  local candidate
  for candidate in "python$1" "$(pyenv root 2>/dev/null || true)/versions/$1".*/bin/python; do
    if "$candidate" -c '' 2>/dev/null; then echo "$candidate"; return; fi
  done
  return 1
}

for wanted in "$@"; do
  distribution=${wanted%%:*} version=${wanted##*:}
  case $distribution in
    kilted) wheels=$root/requirements/ros-build.txt ;;
    jazzy) wheels=$root/requirements/jazzy.txt ;;
    *) echo "build_check: $wanted: say kilted:VERSION or jazzy:VERSION" >&2; exit 2 ;;
  esac
  if ! python=$(find_python "$version"); then
    echo "$wanted: Python $version is not on this machine, not checked"
    continue
  fi
  start=$SECONDS
  venv=$root/build/venv-$distribution-$version
  [ -x "$venv/bin/pip" ] || "$python" -m venv "$venv"
  "$venv/bin/pip" install -qq -r "$wheels" -r "$root/requirements/slim.txt" \
    hypothesis pytest pytest-timeout
  "$venv/bin/python" "$root/tools/build_interfaces.py"
  (cd / && "$venv/bin/python" -c '
import sys
from actseg.msg import ActorMask
from rclpy.serialization import deserialize_message, serialize_message
assert deserialize_message(serialize_message(ActorMask(query_id="1")), ActorMask).query_id == "1"
print(f"Python {sys.version.split()[0]}: messages build and load")')
  clip=${ACTSEG_CAT_CLIP:-}
  if [ -z "$clip" ]; then
    clip=$venv/cat.mp4
    PYTHONPATH=$root "$development/bin/python" "$root/test/support/cat_clip.py" "$clip"
  fi
  (cd "$root" && ACTSEG_CAT_CLIP=$clip "$venv/bin/python" -m pytest -q -p no:cacheprovider \
    test/ros/test_chain.py -k the_model_that_ships)
  echo "$wanted: the chain test passes, $((SECONDS - start)) s"
done
