"""Starts the segmentation node and, if wanted, a camera, a recorder, and RViz.

ros2 launch actseg actseg.launch.py video:=clip.mp4 rviz:=true sentence:="the dog running"
ros2 launch actseg actseg.launch.py v4l2:=/dev/video0 rviz:=true
ros2 launch actseg actseg.launch.py bag:=folder bag_image:=/camera/image_raw \
    bag_depth:=/camera/depth/image_raw bag_camera_info:=/camera/camera_info \
    use_sim_time:=true spatial:=true fixed_frame:=camera_optical_frame rviz:=true
"""

from pathlib import Path

from ament_index_python.packages import get_packages_with_prefixes
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    OpaqueFunction,
    SetEnvironmentVariable,
)
from launch.conditions import IfCondition
from launch.substitutions import (
    EnvironmentVariable,
    IfElseSubstitution,
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
# launch kills after 5 s by default; on a busy computer the node needs longer to let go of a model.
STOP_S = "20"

# Packages that need not be installed: the argument that asks for them, and what to do without.
OPTIONAL = {
    "rviz2": ("rviz", "leave out rviz:=true"),
    "v4l2_camera": ("v4l2", "play the camera with video:=0"),
}

# Given to the segmentation node only where they are not empty: what the parameters file says holds
# otherwise.
NODE_ARGUMENTS = ("preset", "checkpoint", "device", "sentence")


def arguments() -> list[DeclareLaunchArgument]:
    """All arguments with their defaults; `ros2 launch -s` shows them."""
    return [*input_arguments(), *depth_arguments(), *video_arguments(), *node_arguments()]


def input_arguments() -> list[DeclareLaunchArgument]:
    """Where images come from: a topic, a USB camera, a recording."""
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
            "v4l2",
            default_value="",
            description="USB camera (/dev/video0) for the package v4l2_camera; empty: none",
        ),
        DeclareLaunchArgument(
            "v4l2_frame",
            default_value="camera",
            description="frame_id of the USB camera's images, such as camera_optical_frame",
        ),
        DeclareLaunchArgument(
            "bag", default_value="", description="rosbag2 recording to play as the camera"
        ),
        DeclareLaunchArgument(
            "bag_image", default_value="", description="its image topic; empty: the only one"
        ),
        DeclareLaunchArgument(
            "bag_depth", default_value="", description="its aligned depth topic; empty: none"
        ),
        DeclareLaunchArgument(
            "bag_camera_info", default_value="", description="its camera_info topic; empty: none"
        ),
        DeclareLaunchArgument(
            "use_sim_time",
            default_value="false",
            choices=YES_NO,
            description="take the time from /clock; with bag, play its stamps and its clock",
        ),
    ]


def depth_arguments() -> list[DeclareLaunchArgument]:
    """Depth, and what is made of it."""
    return [
        DeclareLaunchArgument(
            "spatial",
            default_value="false",
            choices=YES_NO,
            description="place, points and markers of the actor from DEPTH and CAMERA_INFO",
        ),
        DeclareLaunchArgument(
            "depth",
            default_value="camera/depth/image_raw",
            description="topic of depth images that are aligned with the image",
        ),
        DeclareLaunchArgument(
            "camera_info",
            default_value="camera/camera_info",
            description="camera_info topic of the image",
        ),
    ]


def video_arguments() -> list[DeclareLaunchArgument]:
    """A file in place of the camera."""
    return [
        DeclareLaunchArgument(
            "video",
            default_value="",
            description="video, folder, webcam (0) or stream (rtsp://...) to play; empty: none",
        ),
        DeclareLaunchArgument(
            "video_rate", default_value="0.0", description="its frames per second; 0: its own"
        ),
        DeclareLaunchArgument(
            "loop", default_value="true", choices=YES_NO, description="play it over and over"
        ),
    ]


def node_arguments() -> list[DeclareLaunchArgument]:
    """The segmentation node, and who watches it."""
    return [
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
            "web", default_value="false", choices=YES_NO, description="a page, see docs/page.md"
        ),
        DeclareLaunchArgument(
            "fixed_frame",
            default_value="camera",
            description="RViz's fixed frame: the images' frame_id, or one of the robot's",
        ),
        DeclareLaunchArgument(
            "respawn",
            default_value="false",
            choices=YES_NO,
            description="start the segmentation node again if it ends",
        ),
        DeclareLaunchArgument("log_level", default_value="info", description="of all nodes"),
    ]


def look_up(context: LaunchContext) -> list[Node]:
    """Refuse what cannot be started before anything is: a later error would leave orphans behind.

    Raises:
        RuntimeError: If a package is missing that is asked for, or video_rate is no number.
    """
    for package, (argument, otherwise) in OPTIONAL.items():
        value = LaunchConfiguration(argument).perform(context)
        if value not in ("", "false") and package not in get_packages_with_prefixes():
            raise RuntimeError(
                f"{argument}:={value} needs the package {package}, which is not installed: sudo "
                f"apt install ros-$ROS_DISTRO-{package.replace('_', '-')}, or {otherwise}"
            )
    rate = LaunchConfiguration("video_rate").perform(context)
    try:
        float(rate)
    except ValueError:
        raise RuntimeError(f"video_rate must be a number [Hz], got {rate!r}") from None
    return []


def given(name: str) -> IfCondition:
    """Whether an argument is not empty."""
    return IfCondition(NotEqualsSubstitution(LaunchConfiguration(name), ""))


def sim_time() -> dict[str, ParameterValue]:
    """Of every node."""
    return {"use_sim_time": ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool)}


def segmentation(context: LaunchContext) -> list[Node]:
    """The node itself."""
    values = {name: LaunchConfiguration(name).perform(context) for name in NODE_ARGUMENTS}
    chosen = {
        name: ParameterValue(value, value_type=str) for name, value in values.items() if value
    }
    chosen["autostart"] = ParameterValue(LaunchConfiguration("autostart"), value_type=bool)
    chosen["compressed"] = ParameterValue(LaunchConfiguration("compressed"), value_type=bool)
    chosen["spatial.enabled"] = ParameterValue(LaunchConfiguration("spatial"), value_type=bool)
    if LaunchConfiguration("web").perform(context) == "true":  # else the parameters file holds
        chosen["web.enabled"] = True
    node = Node(
        package="actseg",
        executable="segmentation_node",
        name="actseg",
        parameters=[LaunchConfiguration("params_file"), chosen, sim_time()],
        remappings=[
            ("~/image", LaunchConfiguration("image")),
            ("~/image/compressed", [LaunchConfiguration("image"), "/compressed"]),
            ("~/depth", LaunchConfiguration("depth")),
            ("~/camera_info", LaunchConfiguration("camera_info")),
        ],
        respawn=LaunchConfiguration("respawn").perform(context) == "true",
        respawn_delay=RESPAWN_DELAY_S,
        sigterm_timeout=STOP_S,
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


def bag_camera() -> Node:
    """A recording in place of a camera; with use_sim_time it brings its own clock and stamps."""
    with_clock = LaunchConfiguration("use_sim_time")
    return Node(
        package="actseg",
        executable="bag_camera",
        name="bag_camera",
        condition=given("bag"),
        parameters=[
            LaunchConfiguration("params_file"),
            {
                "path": ParameterValue(LaunchConfiguration("bag"), value_type=str),
                "image": ParameterValue(LaunchConfiguration("bag_image"), value_type=str),
                "depth": ParameterValue(LaunchConfiguration("bag_depth"), value_type=str),
                "camera_info": ParameterValue(
                    LaunchConfiguration("bag_camera_info"), value_type=str
                ),
                "loop": ParameterValue(LaunchConfiguration("loop"), value_type=bool),
                "clock": ParameterValue(with_clock, value_type=bool),
                "stamps": IfElseSubstitution(with_clock, "recorded", "now"),
            },
        ],
        remappings=[
            ("~/image_raw", LaunchConfiguration("image")),
            ("~/image_raw/compressed", [LaunchConfiguration("image"), "/compressed"]),
            ("~/depth", LaunchConfiguration("depth")),
            ("~/camera_info", LaunchConfiguration("camera_info")),
        ],
        output="screen",
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
    )


def usb_camera() -> Node:
    """The driver of the package v4l2_camera, which is not part of this package."""
    return Node(
        package="v4l2_camera",
        executable="v4l2_camera_node",
        name="camera",
        condition=given("v4l2"),
        parameters=[
            {
                "video_device": ParameterValue(LaunchConfiguration("v4l2"), value_type=str),
                "camera_frame_id": ParameterValue(
                    LaunchConfiguration("v4l2_frame"), value_type=str
                ),
                "image_size": [640, 480],
            }
        ],
        # Its versions differ in whether the topics are private.
        remappings=[
            (f"{private}{name}", topic)
            for private in ("", "~/")
            for name, topic in (
                ("image_raw", LaunchConfiguration("image")),
                ("image_raw/compressed", [LaunchConfiguration("image"), "/compressed"]),
                ("camera_info", LaunchConfiguration("camera_info")),
            )
        ],
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
            sim_time(),
        ],
        remappings=[("~/image", "actseg/overlay")],
        output="screen",
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
    )


def rviz(context: LaunchContext) -> list[Node]:
    """RViz with overlay, mask, camera image, points and markers."""
    frame = LaunchConfiguration("fixed_frame").perform(context)
    is_optical = frame == "camera" or "optical" in frame  # z ahead (REP 103), else x ahead, z up
    name = "actseg.rviz" if is_optical else "actseg_robot.rviz"
    namespace = LaunchConfiguration("namespace").perform(context)
    title = f"actseg {namespace} - RViz" if namespace else "actseg - RViz"
    node = Node(
        package="rviz2",
        executable="rviz2",
        name="rviz",
        condition=IfCondition(LaunchConfiguration("rviz")),
        arguments=["-d", str(HERE / name), "-f", frame, "-t", title],
        parameters=[sim_time()],
        remappings=[
            ("/actseg/overlay", "actseg/overlay"),
            ("/actseg/mask", "actseg/mask"),
            ("/actseg/points", "actseg/points"),
            ("/actseg/markers", "actseg/markers"),
            ("/camera/image_raw", LaunchConfiguration("image")),
        ],
        output="log",
    )
    return [node]


def generate_launch_description() -> LaunchDescription:
    """What ros2 launch calls."""
    nodes = GroupAction(
        [
            PushRosNamespace(LaunchConfiguration("namespace")),
            OpaqueFunction(function=segmentation),
            camera(),
            bag_camera(),
            usb_camera(),
            recorder(),
            OpaqueFunction(function=rviz),
        ]
    )
    # Camera and node must agree: with Fast DDS's default shared memory segment nearly all
    # best-effort images of 640x480 are lost. A camera started elsewhere needs the same setting.
    transport = SetEnvironmentVariable(
        TRANSPORT, EnvironmentVariable(TRANSPORT, default_value="LARGE_DATA")
    )
    return LaunchDescription([*arguments(), OpaqueFunction(function=look_up), transport, nodes])
