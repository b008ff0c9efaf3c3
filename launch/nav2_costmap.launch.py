"""What Nav2's semantic_segmentation_layer needs: the segmentation node and the camera's cloud.

ros2 launch actseg nav2_costmap.launch.py sentence:="person" image:=/camera/color/image_raw \
    depth:=/camera/aligned_depth_to_color/image_raw camera_info:=/camera/color/camera_info

The costmap's own parameters are in nav2_costmap.yaml; docs/planner.md says how they go together.
Every argument of actseg.launch.py can be given.
"""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

HERE = Path(__file__).resolve().parent


def generate_launch_description() -> LaunchDescription:
    """What ros2 launch calls."""
    arguments = [
        DeclareLaunchArgument(
            "sentence", default_value="person", description="a class of the costmap's parameters"
        ),
        DeclareLaunchArgument(
            "depth",
            default_value="camera/depth/image_raw",
            description="depth images of the image's size and stamps",
        ),
        DeclareLaunchArgument(
            "camera_info",
            default_value="camera/camera_info",
            description="camera_info topic of the image",
        ),
    ]
    cloud = Node(
        package="depth_image_proc",
        executable="point_cloud_xyz_node",
        name="camera_points",
        remappings=[
            ("image_rect", LaunchConfiguration("depth")),
            ("camera_info", LaunchConfiguration("camera_info")),
            ("points", "/actseg/camera_points"),
        ],
    )
    actseg = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(HERE / "actseg.launch.py"))
    )
    return LaunchDescription([*arguments, cloud, actseg])
