#!/usr/bin/env bash
# On a machine with ROS 2: makes WORKSPACE/actseg_venv with the Python packages that rosdep cannot
# install. It sees the distribution's own packages, and nothing outside that folder is changed. The
# installed executables find it by themselves, with ros2 run and ros2 launch, too.
#   . /opt/ros/DISTRIBUTION/setup.bash && src/actseg/tools/robot_setup.sh [--slim] [WORKSPACE]
# The workspace is the current folder if none is given. pip reads its settings as ever, so
# PIP_EXTRA_INDEX_URL may name PyTorch's own index for a torch without CUDA. --slim leaves torch out,
# without which the default model runs, and keeps the distribution's OpenCV.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
requirements=$root/requirements/runtime.txt slim=
if [ "${1:-}" = --slim ]; then
  requirements=$root/requirements/slim.txt slim=1
  shift
fi
workspace=$(cd "${1:-.}" && pwd)
venv=$workspace/actseg_venv
stop() { echo "robot_setup: $1" >&2; exit 1; }

python=$(command -v python3) || stop "python3 is missing"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
  || stop "$python is older than Python 3.10"
"$python" -c 'import rclpy' 2>/dev/null \
  || stop "$python cannot import rclpy: source /opt/ros/DISTRIBUTION/setup.bash first, outside of conda and other environments"
[ "$workspace" != "$root" ] \
  || stop "give the workspace, the folder above src: $0 WORKSPACE"

"$python" -m venv --system-site-packages "$venv" \
  || stop "no virtual environment could be made: apt install python3-venv"
touch "$venv/COLCON_IGNORE"

# cv_bridge is compiled against the distribution's NumPy. It is kept; where it is older than we can
# use, the newest that cv_bridge's compiled code still works with takes its place, for actseg alone.
constraints=$venv/constraints.txt
"$python" - > "$constraints" <<'PYTHON'
try:
    import numpy
except ImportError:
    pass
else:
    major, minor = map(int, numpy.__version__.split(".")[:2])
    if (major, minor) >= (1, 26):
        print(f"numpy=={numpy.__version__}")
    else:
        print("numpy>=1.26,<2")
PYTHON
if [ -n "$slim" ]; then echo 'av<19' >> "$constraints"; fi  # FFmpeg in 19 takes 30 MB more
"$venv/bin/python" -m pip install --quiet --constraint "$constraints" 'numpy>=1.26'
if [ -n "$slim" ] && "$venv/bin/python" -c 'import cv2; cv2.DISOpticalFlow_create' 2>/dev/null; then
  grep -v '^opencv-python' "$requirements" > "$venv/requirements.txt"
  requirements=$venv/requirements.txt
fi
"$venv/bin/python" -m pip install --quiet --constraint "$constraints" --requirement "$requirements"

"$venv/bin/python" - <<'PYTHON'
import cv2, numpy, onnxruntime, rclpy
for name, module in (("NumPy", numpy), ("OpenCV", cv2)):
    print(f"{name} {module.__version__} ({module.__file__.rpartition('-packages/')[0]}-packages)")
try:
    import cv_bridge
except ImportError as error:
    print(f"cv_bridge does not load ({error}); rosbags-image takes its place")
PYTHON
if [ -n "$slim" ]; then
  "$venv/bin/python" -I -m pip uninstall --quiet --yes pip  # without --slim this script brings it back
else
  "$venv/bin/python" -c 'import torch'
fi
cat <<TEXT
$venv is ready, $(du -sm "$venv" | cut -f1) MB. In $workspace:
  colcon build --packages-select actseg && . install/setup.bash && actseg doctor
TEXT
