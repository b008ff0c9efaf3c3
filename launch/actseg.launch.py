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
# By RViz.
SHOWN = ("overlay", "mask", "instances", "points", "markers", "pose", "points_without_actors")

# Packages that need not be installed: the argument that asks for them, and what to do without.
OPTIONAL = {
    "rviz2": ("rviz", "leave out rviz:=true"),
    "v4l2_camera": ("v4l2", "play the camera with video:=0"),
}

# Given to the segmentation node only where they are not empty: what the parameters file says holds
# otherwise.
NODE_ARGUMENTS = ("preset", "checkpoint", "device", "sentence")


# Name: default, meaning; for those that choose, what they choose from.
ARGUMENTS = {
    # Where images come from: a topic, a USB camera, a recording.
    "image": ("camera/image_raw", "image topic of the camera (sensor_msgs/Image)"),
    "compressed": ("false", "take IMAGE/compressed (CompressedImage) in place of IMAGE", YES_NO),
    "cameras": ("", "several cameras: names with commas between, front,rear; empty: a single one"),
    "v4l2": ("", "USB camera (/dev/video0) for the package v4l2_camera; empty: none"),
    "v4l2_frame": ("camera", "frame_id of the USB camera's images, such as camera_optical_frame"),
    "bag": ("", "rosbag2 recording to play as the camera"),
    "bag_image": ("", "its image topic; empty: the only one"),
    "bag_depth": ("", "its aligned depth topic; empty: none"),
    "bag_camera_info": ("", "its camera_info topic; empty: none"),
    "use_sim_time": ("false", "time from /clock; with bag, play its stamps and its clock", YES_NO),
    # Depth, and what is made of it.
    "spatial": ("false", "place, points, markers of the actor from DEPTH and CAMERA_INFO", YES_NO),
    "depth": ("camera/depth/image_raw", "topic of depth images that are aligned with the image"),
    "camera_info": ("camera/camera_info", "camera_info topic of the image"),
    "depth_compressed": ("false", "take DEPTH/compressedDepth in place of DEPTH", YES_NO),
    # A file in place of the camera.
    "video": ("", "video, folder, webcam (0) or stream (rtsp://...) to play; empty: none"),
    "video_rate": ("0.0", "its frames per second; 0: its own"),
    "loop": ("true", "play it over and over", YES_NO),
    # The segmentation node, and who watches it.
    "sentence": ("", "active from the start; empty: none"),
    "preset": ("", "model; empty: as the parameters file says"),
    "checkpoint": ("", ".safetensors file in place of the preset"),
    "device": ("", "cpu, cuda, cuda:1; empty: parameters file"),
    "autostart": ("true", "start by itself; false: wait for a lifecycle manager", YES_NO),
    "namespace": ("", "of all nodes"),
    "params_file": (str(HERE / "params.yaml"), "parameters of all nodes"),
    "record": ("", "folder for overlay.mp4 and PNG; empty: none"),
    "rviz": ("false", "start RViz", YES_NO),
    "web": ("false", "a page, see docs/page.md", YES_NO),
    "fixed_frame": ("camera", "RViz's fixed frame: the images' frame_id, or one of the robot's"),
    "respawn": ("false", "start the segmentation node again if it ends", YES_NO),
    "log_level": ("info", "of all nodes"),
}
# What the segmentation node takes from a camera: its name, the argument, what comes behind it.
INPUTS = (
    ("~/image", "image", ""),
    ("~/image/compressed", "image", "/compressed"),
    ("~/depth", "depth", ""),
    ("~/depth/compressedDepth", "depth", "/compressedDepth"),
    ("~/camera_info", "camera_info", ""),
)


def arguments() -> list[DeclareLaunchArgument]:
    """All arguments with their defaults; `ros2 launch -s` shows them."""
    return [
        DeclareLaunchArgument(
            name, default_value=default, description=about, choices=choices[0] if choices else None
        )
        for name, (default, about, *choices) in ARGUMENTS.items()
    ]


def look_up(context: LaunchContext) -> list[Node]:
    """Refuse what cannot be started before anything is: a later error would leave orphans behind.

    Raises:
        RuntimeError: If a package is missing that is asked for, video_rate is no number, or
            cameras cannot be told apart.
    """
    camera_names(context)
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


def camera_names(context: LaunchContext) -> list[str]:
    """The names of several cameras; one empty name for a single one.

    Raises:
        RuntimeError: If a name is missing or comes twice, or all would have the same topic.
    """
    text = LaunchConfiguration("cameras").perform(context)
    names = [name.strip() for name in text.split(",")]
    if names == [""]:
        return names
    if not all(names) or len(set(names)) != len(names):
        raise RuntimeError(
            f"cameras must be different names with commas between, such as front,rear; got {names}"
        )
    for _, argument, _ in INPUTS:
        topic = LaunchConfiguration(argument).perform(context)
        if topic.startswith("/") and len(names) > 1:
            raise RuntimeError(
                f"{argument}:={topic} would be the topic of every camera: leave out the leading "
                f"slash, then it is below each camera's name, /{names[0]}{topic}"
            )
    return names


def node_topic(context: LaunchContext, camera: str, name: str) -> str:
    """The full name of what the segmentation node publishes about a camera."""
    namespace = LaunchConfiguration("namespace").perform(context).strip("/")
    return "/" + "/".join(filter(None, (namespace, "actseg", camera, name)))


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
    chosen["spatial.depth_compressed"] = ParameterValue(
        LaunchConfiguration("depth_compressed"), value_type=bool
    )
    if LaunchConfiguration("web").perform(context) == "true":  # else the parameters file holds
        chosen["web.enabled"] = True
    cameras = camera_names(context)
    if cameras != [""]:
        chosen["cameras"] = cameras
    remappings = [
        (
            f"~/{camera}{name[1:]}" if camera else name,
            [f"{camera}/" if camera else "", LaunchConfiguration(argument), ending],
        )
        for camera in cameras
        for name, argument, ending in INPUTS
    ]
    node = Node(
        package="actseg",
        executable="segmentation_node",
        name="actseg",
        parameters=[LaunchConfiguration("params_file"), chosen, sim_time()],
        remappings=remappings,
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


def recorder(folder: str, overlay: str) -> Node:
    """The overlay as MP4 and PNG."""
    return Node(
        package="actseg",
        executable="recorder",
        name="recorder",
        condition=given("record"),
        parameters=[
            LaunchConfiguration("params_file"),
            {"folder": ParameterValue(folder, value_type=str)},
            sim_time(),
        ],
        remappings=[("~/image", overlay)],
        output="screen",
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
    )


def rviz(context: LaunchContext, camera: str = "") -> Node:
    """RViz with what the node publishes about a camera, and the camera's image."""
    frame = LaunchConfiguration("fixed_frame").perform(context)
    is_optical = frame == "camera" or "optical" in frame  # z ahead (REP 103), else x ahead, z up
    name = "actseg.rviz" if is_optical else "actseg_robot.rviz"
    where = " ".join(filter(None, (LaunchConfiguration("namespace").perform(context), camera)))
    return Node(
        package="rviz2",
        executable="rviz2",
        name="rviz",
        condition=IfCondition(LaunchConfiguration("rviz")),
        arguments=[
            *("-d", str(HERE / name), "-f", frame),
            *("-t", f"actseg {where} - RViz" if where else "actseg - RViz"),
        ],
        parameters=[sim_time()],
        remappings=[
            *((f"/actseg/{topic}", node_topic(context, camera, topic)) for topic in SHOWN),
            ("/camera/image_raw", LaunchConfiguration("image")),
        ],
        output="log",
    )


def around(context: LaunchContext) -> list[GroupAction]:
    """What goes with each camera, in its namespace: a source, a recorder, a window of RViz."""
    record = LaunchConfiguration("record").perform(context)
    return [
        GroupAction(
            [
                PushRosNamespace(name),
                camera(),
                bag_camera(),
                usb_camera(),
                recorder(str(Path(record) / name), node_topic(context, name, "overlay")),
                rviz(context, name),
            ]
        )
        for name in camera_names(context)
    ]


def generate_launch_description() -> LaunchDescription:
    """What ros2 launch calls."""
    nodes = GroupAction(
        [
            PushRosNamespace(LaunchConfiguration("namespace")),
            OpaqueFunction(function=segmentation),
            OpaqueFunction(function=around),
        ]
    )
    # Camera and node must agree: with Fast DDS's default shared memory segment nearly all
    # best-effort images of 640x480 are lost. A camera started elsewhere needs the same setting.
    transport = SetEnvironmentVariable(
        TRANSPORT, EnvironmentVariable(TRANSPORT, default_value="LARGE_DATA")
    )
    return LaunchDescription([*arguments(), OpaqueFunction(function=look_up), transport, nodes])
