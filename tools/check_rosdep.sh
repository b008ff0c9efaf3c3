#!/usr/bin/env bash
# Asks rosdep itself, with a copy of github.com/ros/rosdistro in place of the network, whether every key
# of package.xml has a package on the living distributions, and writes tools/rosdep_keys.txt.
#   tools/check_rosdep.sh FOLDER_OF_ROSDISTRO     (a git work tree; rosdep on the PATH or ROSDEP=...)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
rosdistro=$(cd "${1:?which folder of ros/rosdistro?}" && pwd)
rosdep=${ROSDEP:-rosdep} python=${PYTHON:-$root/.venv/bin/python}
platforms=(
  humble:ubuntu:jammy jazzy:ubuntu:noble kilted:ubuntu:noble lyrical:ubuntu:resolute
  jazzy:debian:bookworm lyrical:debian:trixie
)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

printf "yaml file://$rosdistro/rosdep/%s.yaml\n" base python > "$work/20-copy.list"
export ROSDEP_SOURCE_PATH=$work ROSDISTRO_INDEX_URL=file://$rosdistro/index-v4.yaml ROS_HOME=$work/home
"$rosdep" update > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
keys=$("$python" - "$root" <<'P'
import sys
from catkin_pkg.package import parse_package

package = parse_package(sys.argv[1])
kinds = ("buildtool_depends", "build_depends", "exec_depends", "test_depends")
print(*sorted({depend.name for kind in kinds for depend in getattr(package, kind)}))
P
)
for platform in "${platforms[@]}"; do
  IFS=: read -r distribution system release <<< "$platform"
  # shellcheck disable=SC2086  # one argument per key
  ROS_DISTRO=$distribution ROS_VERSION=2 ROS_PYTHON_VERSION=3 "$rosdep" resolve \
    --os="$system:$release" --rosdistro "$distribution" $keys > "$work/answers" 2>&1 \
    || { cat "$work/answers" >&2; exit 1; }
  [ "$(grep -c '^#ROSDEP' "$work/answers")" = "$(wc -w <<< "$keys")" ] \
    || { echo "check_rosdep: $platform does not know every key" >&2; cat "$work/answers" >&2; exit 1; }
done
{
  echo "# Keys of package.xml, each of which rosdep $("$rosdep" --version 2>&1) resolves on all of"
  printf '#   %s\n' "${platforms[@]}"
  echo "# with ros/rosdistro of $(git -C "$rosdistro" log -1 --format='%cs, %h' 2>/dev/null || echo "an unknown day"); tools/check_rosdep.sh writes this file."
  tr ' ' '\n' <<< "$keys"
} > "$root/tools/rosdep_keys.txt"
