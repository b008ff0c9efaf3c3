"""One segmentation node per camera, each in its camera's namespace, all with the same arguments.

ros2 launch actseg cameras.launch.py cameras:=front,rear sentence:="the person in red"

takes /front/camera/image_raw and /rear/camera/image_raw, and answers on /front/actseg/result and
/rear/actseg/result. Every argument of actseg.launch.py can be given; topics without a leading
slash are the camera's own.
"""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

from launch import LaunchContext, LaunchDescription

HERE = Path(__file__).resolve().parent


def one_per_camera(context: LaunchContext) -> list[IncludeLaunchDescription]:
    """actseg.launch.py in each namespace; what was given on the command line reaches all."""
    names = [name.strip() for name in LaunchConfiguration("cameras").perform(context).split(",")]
    if not all(names) or len(set(names)) != len(names):
        raise RuntimeError(
            f"cameras must be different names with commas between, such as front,rear; got {names}"
        )
    file = str(HERE / "actseg.launch.py")
    # A source of its own for each: launch reads one only once, and a node may not start twice.
    return [
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(file), launch_arguments={"namespace": name}.items()
        )
        for name in names
    ]


def generate_launch_description() -> LaunchDescription:
    """What ros2 launch calls."""
    cameras = DeclareLaunchArgument(
        "cameras", description="namespaces with commas between, one per camera: front,rear"
    )
    return LaunchDescription([cameras, OpaqueFunction(function=one_per_camera)])
