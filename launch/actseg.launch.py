"""Starts the segmentation node and, if wanted, a video as the camera, a recorder, and RViz.

ros2 launch actseg actseg.launch.py video:=clip.mp4 rviz:=true sentence:="the dog running"
"""

from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    OpaqueFunction,
    SetEnvironmentVariable,
)
from launch.conditions import IfCondition
from launch.substitutions import (
    EnvironmentVariable,
    LaunchConfiguration,
    NotEqualsSubstitution,
)
from launch_ros.actions import Node, PushRosNamespace
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription

HERE = Path(__file__).resolve().parent
TRANSPORT = "FASTDDS_BUILTIN_TRANSPORTS"
YES_NO = ["true", "false"]
RESPAWN_DELAY_S = 2.0

# Given to the segmentation node only where they are not empty: what the parameters file says holds
# otherwise.
NODE_ARGUMENTS = ("preset", "checkpoint", "device", "sentence")


def arguments() -> list[DeclareLaunchArgument]:
    """All arguments with their defaults; `ros2 launch -s` shows them."""
    return [
        DeclareLaunchArgument(
            "image",
            default_value="camera/image_raw",
            description="image topic of the camera (sensor_msgs/Image)",
        ),
        DeclareLaunchArgument(
            "compressed",
            default_value="false",
            choices=YES_NO,
            description="take IMAGE/compressed (sensor_msgs/CompressedImage) in place of IMAGE",
        ),
        DeclareLaunchArgument(
            "video",
            default_value="",
            description="video, image folder or webcam (0) to play as the camera; empty: none",
        ),
        DeclareLaunchArgument(
            "video_rate", default_value="0.0", description="its frames per second; 0: its own"
        ),
        DeclareLaunchArgument(
            "loop", default_value="true", choices=YES_NO, description="play it over and over"
        ),
        DeclareLaunchArgument(
            "sentence", default_value="", description="active from the start; empty: none"
        ),
        DeclareLaunchArgument(
            "preset", default_value="", description="model; empty: as the parameters file says"
        ),
        DeclareLaunchArgument(
            "checkpoint", default_value="", description=".safetensors file in place of the preset"
        ),
        DeclareLaunchArgument(
            "device", default_value="", description="cpu, cuda, cuda:1; empty: parameters file"
        ),
        DeclareLaunchArgument(
            "autostart",
            default_value="true",
            choices=YES_NO,
            description="configure and activate by itself; false: wait for a lifecycle manager",
        ),
        DeclareLaunchArgument(
            "namespace", default_value="", description="of all nodes, for several cameras"
        ),
        DeclareLaunchArgument(
            "params_file",
            default_value=str(HERE / "params.yaml"),
            description="parameters of all nodes",
        ),
        DeclareLaunchArgument(
            "record", default_value="", description="folder for overlay.mp4 and PNG; empty: none"
        ),
        DeclareLaunchArgument(
            "rviz", default_value="false", choices=YES_NO, description="start RViz"
        ),
        DeclareLaunchArgument(
            "respawn",
            default_value="false",
            choices=YES_NO,
            description="start the segmentation node again if it ends",
        ),
        DeclareLaunchArgument("log_level", default_value="info", description="of all nodes"),
    ]


def given(name: str) -> IfCondition:
    """Whether an argument is not empty."""
    return IfCondition(NotEqualsSubstitution(LaunchConfiguration(name), ""))


def segmentation(context: LaunchContext) -> list[Node]:
    """The node itself."""
    values = {name: LaunchConfiguration(name).perform(context) for name in NODE_ARGUMENTS}
    chosen = {
        name: ParameterValue(value, value_type=str) for name, value in values.items() if value
    }
    chosen["autostart"] = ParameterValue(LaunchConfiguration("autostart"), value_type=bool)
    chosen["compressed"] = ParameterValue(LaunchConfiguration("compressed"), value_type=bool)
    node = Node(
        package="actseg",
        executable="segmentation_node",
        name="actseg",
        parameters=[LaunchConfiguration("params_file"), chosen],
        remappings=[
            ("~/image", LaunchConfiguration("image")),
            ("~/image/compressed", [LaunchConfiguration("image"), "/compressed"]),
        ],
        respawn=LaunchConfiguration("respawn").perform(context) == "true",
        respawn_delay=RESPAWN_DELAY_S,
        output="screen",
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
    )
    return [node]


def camera() -> Node:
    """A video in place of a camera."""
    return Node(
        package="actseg",
        executable="video_camera",
        name="camera",
        condition=given("video"),
        parameters=[
            LaunchConfiguration("params_file"),
            {
                "source": ParameterValue(LaunchConfiguration("video"), value_type=str),
                "rate_hz": ParameterValue(LaunchConfiguration("video_rate"), value_type=float),
                "loop": ParameterValue(LaunchConfiguration("loop"), value_type=bool),
            },
        ],
        remappings=[("~/image_raw", LaunchConfiguration("image"))],
        output="screen",
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
    )


def recorder() -> Node:
    """The overlay as MP4 and PNG."""
    return Node(
        package="actseg",
        executable="recorder",
        name="recorder",
        condition=given("record"),
        parameters=[
            LaunchConfiguration("params_file"),
            {"folder": ParameterValue(LaunchConfiguration("record"), value_type=str)},
        ],
        remappings=[("~/image", "actseg/overlay")],
        output="screen",
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
    )


def rviz() -> Node:
    """RViz with overlay, mask and camera image."""
    return Node(
        package="rviz2",
        executable="rviz2",
        name="rviz",
        condition=IfCondition(LaunchConfiguration("rviz")),
        arguments=["-d", str(HERE / "actseg.rviz")],
        remappings=[
            ("/actseg/overlay", "actseg/overlay"),
            ("/actseg/mask", "actseg/mask"),
            ("/camera/image_raw", LaunchConfiguration("image")),
        ],
        output="log",
    )


def generate_launch_description() -> LaunchDescription:
    """What ros2 launch calls."""
    nodes = GroupAction(
        [
            PushRosNamespace(LaunchConfiguration("namespace")),
            OpaqueFunction(function=segmentation),
            camera(),
            recorder(),
            rviz(),
        ]
    )
    # Camera and node must agree: with Fast DDS's default shared memory segment nearly all
    # best-effort images of 640x480 are lost. A camera started elsewhere needs the same setting.
    transport = SetEnvironmentVariable(
        TRANSPORT, EnvironmentVariable(TRANSPORT, default_value="LARGE_DATA")
    )
    return LaunchDescription([*arguments(), transport, nodes])
