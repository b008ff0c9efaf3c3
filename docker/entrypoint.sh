#!/usr/bin/env bash
# Sources ROS and the workspace, then becomes the command.
set -e
source "/opt/ros/$ROS_DISTRO/setup.bash"
source /workspace/install/setup.bash
exec "$@"
