#!/usr/bin/env bash
# colcon build and colcon test against the ros-* wheels of a virtual environment: proves, on a machine
# without ROS, that what ROS users do works. With ROS installed, use plain colcon instead of this.
#   tools/colcon_build.sh [VENV [MORE COLCON OPTIONS]]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
venv=$(cd "${1:-$root/.venv}" && pwd)
out=$root/build/colcon
mkdir -p "$out"
cd "$out"  # colcon writes build/, install/ and log/ here

unset PYTHONPATH
export PATH=$venv/bin:$PATH AMENT_PREFIX_PATH=$venv CMAKE_PREFIX_PATH=$venv
colcon --log-base log build --base-paths "$root" --event-handlers console_direct- "${@:2}" \
  --cmake-args -DBUILD_TESTING=ON -DPython3_EXECUTABLE="$venv/bin/python" \
  -DPython3_FIND_VIRTUALENV=ONLY -DCMAKE_PROJECT_INCLUDE="$root/tools/wheel_compat.cmake"

# The workspace's own copy must be the one that is found, and its messages must load.
set +u  # colcon's scripts read variables that may be unset
source install/setup.bash
set -u
cd /
python - "$out" <<'PYTHON'
import sys
import actseg, actseg_core, actseg_ros
from actseg.msg import ActorMaskArray
from actseg.srv import AddQuery
from rclpy.serialization import deserialize_message, serialize_message

message = ActorMaskArray(detail="through the compiled type support")
assert deserialize_message(serialize_message(message), ActorMaskArray) == message
for package in (actseg, actseg_core, actseg_ros):
    assert package.__file__.startswith(sys.argv[1]), package.__file__
PYTHON
for executable in segmentation_node video_camera bag_camera recorder; do
  test -x "$out/install/actseg/lib/actseg/$executable"
done
# Before the environment's own, where sourcing has put it on the PATH.
test "$(command -v actseg)" = "$out/install/actseg/bin/actseg"
actseg models > /dev/null
test -d "$out/install/actseg/share/actseg/launch"
echo "colcon build: messages load, executables and launch files are installed"

# colcon test runs the tests; here a part of them, as all of them are run by make test-all. It returns 0
# where a test fails or none is found, so its results are read.
cd "$out"
colcon --log-base log test --base-paths "$root" --event-handlers console_direct- \
  --ctest-args -R '^(test_messages|launch)$' > /dev/null
colcon test-result --all | tee results.txt
for part in test_messages launch; do
  grep -qE "/$part\.xunit\.xml: [1-9][0-9]* tests, 0 errors, 0 failures" results.txt
done
