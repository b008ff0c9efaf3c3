"""What `ros2 launch FILE ARGUMENT:=VALUE ...` does, without ros2cli, which is not on PyPI."""

import os
import sys

from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

from launch import LaunchDescription, LaunchService


def main() -> int:
    os.environ.setdefault("AMENT_PREFIX_PATH", sys.prefix)  # the wheels set no environment
    file, *arguments = sys.argv[1:]
    given = [tuple(argument.split(":=", 1)) for argument in arguments]
    service = LaunchService(argv=arguments)
    service.include_launch_description(
        LaunchDescription(
            [IncludeLaunchDescription(PythonLaunchDescriptionSource(file), launch_arguments=given)]
        )
    )
    return int(service.run())


if __name__ == "__main__":
    raise SystemExit(main())
