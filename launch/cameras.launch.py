"""Several cameras in one process, with one set of weights.

ros2 launch actseg cameras.launch.py cameras:=front,rear sentence:="the person in red"

takes /front/camera/image_raw and /rear/camera/image_raw, and answers on /actseg/front/result and
/actseg/rear/result. Every argument of actseg.launch.py can be given; input topics are below each
camera's name, and video, bag and v4l2 are played once for each.
"""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

from launch import LaunchDescription

HERE = Path(__file__).resolve().parent


def generate_launch_description() -> LaunchDescription:
    """What ros2 launch calls."""
    cameras = DeclareLaunchArgument(
        "cameras", description="names with commas between, one per camera: front,rear"
    )
    actseg = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(HERE / "actseg.launch.py"))
    )
    return LaunchDescription([cameras, actseg])
