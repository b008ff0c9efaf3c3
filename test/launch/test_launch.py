"""The launch folder against the code; with launch_ros where it is installed, without it always."""

import ast
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
import yaml
from catkin_pkg.package import parse_package
from node_reference import NODES, OUTPUTS, fields, params_yaml, robot_rviz
from rclpy.context import Context
from rclpy.node import Node

from actseg_ros.parameters import declare, refuse_unknown

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "launch"
LAUNCH_FILE = FOLDER / "actseg.launch.py"
TREE = ast.parse(LAUNCH_FILE.read_text())
# Executable, node name in the launch file, module of the node.
EXECUTABLES = {
    "segmentation_node": "actseg",
    "video_camera": "camera",
    "bag_camera": "bag_camera",
    "recorder": "recorder",
}


def calls(name: str) -> Iterator[ast.Call]:
    for node in ast.walk(TREE):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
            yield node


def keyword(call: ast.Call, name: str) -> Any:
    for item in call.keywords:
        if item.arg == name:
            return item.value
    return None


def text(node: Any) -> str:
    return node.value if isinstance(node, ast.Constant) else ""


def our_nodes() -> dict[str, ast.Call]:
    return {
        text(keyword(call, "executable")): call
        for call in calls("Node")
        if text(keyword(call, "package")) == "actseg"
    }


def module_of(executable: str) -> str:
    """File of a node below actseg_ros, without its ending."""
    return executable if executable == "segmentation_node" else f"players/{executable}"


def private_topics(executable: str) -> set[str]:
    """Names that begin with ~/ in the module of a node and those that it is put together from."""
    modules = [module_of(executable)]
    if executable == "segmentation_node":
        modules += ["publishers", "commands", "images", "spatial/inputs", "spatial/output"]
    source = "".join((ROOT / "actseg_ros" / f"{name}.py").read_text() for name in modules)
    return set(re.findall(r'"(~/[a-zA-Z_/]+)"', source))


def test_executables_are_those_that_are_installed() -> None:
    cmake = (ROOT / "CMakeLists.txt").read_text()
    installed = re.search(r"foreach\(node IN ITEMS ([a-z_. ]+)\)", cmake)
    assert installed
    modules = [name.replace(".", "/") for name in installed[1].split()]
    assert modules == [module_of(name) for name in EXECUTABLES]
    assert set(our_nodes()) == set(EXECUTABLES)


@pytest.mark.parametrize("executable", EXECUTABLES)
def test_each_executable_is_a_module_with_a_main(executable: str) -> None:
    tree = ast.parse((ROOT / "actseg_ros" / f"{module_of(executable)}.py").read_text())
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert "main" in functions


@pytest.mark.parametrize("executable", EXECUTABLES)
def test_node_names_are_those_of_the_parameters_file(executable: str) -> None:
    assert text(keyword(our_nodes()[executable], "name")) == EXECUTABLES[executable]
    assert EXECUTABLES[executable] in NODES


@pytest.mark.parametrize("executable", EXECUTABLES)
def test_remapped_topics_exist_in_the_code(executable: str) -> None:
    if executable == "segmentation_node":
        remapped = {name for name, _, _ in ast.literal_eval(_assigned("INPUTS"))}
    else:
        pairs = keyword(our_nodes()[executable], "remappings").elts
        remapped = {text(pair.elts[0]) for pair in pairs}
    assert remapped
    assert remapped <= private_topics(executable)


@pytest.mark.parametrize("executable", EXECUTABLES)
def test_parameters_that_are_set_are_declared(executable: str) -> None:
    declared = {name for name, _ in fields(EXECUTABLES[executable])}
    given = {
        text(key)
        for item in ast.walk(keyword(our_nodes()[executable], "parameters"))
        if isinstance(item, ast.Dict)
        for key in item.keys
    }
    if executable == "segmentation_node":
        given |= set(ast.literal_eval(_assigned("NODE_ARGUMENTS")))
        given |= {
            text(node.slice)
            for node in ast.walk(TREE)
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
        }
    assert given
    assert given <= declared


def _assigned(name: str) -> ast.expr:
    for node in TREE.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return node.value
    raise AssertionError(f"{name} is not assigned in the launch file")


def test_every_configuration_read_is_an_argument_declared() -> None:
    declared = set(arguments())
    read = {
        text(call.args[0]) for name in ("LaunchConfiguration", "given") for call in calls(name)
    }
    read |= set(ast.literal_eval(_assigned("NODE_ARGUMENTS")))
    read |= {argument for _, argument, _ in ast.literal_eval(_assigned("INPUTS"))}
    assert read - {""} == declared
    assert {"image", "preset", "checkpoint", "device", "video", "rviz", "namespace"} <= declared
    assert {"params_file", "respawn", "bag", "v4l2", "spatial", "web", "use_sim_time"} <= declared


def arguments() -> dict[str, ast.Tuple]:
    """Name to default, meaning and choices."""
    table = _assigned("ARGUMENTS")
    return {text(key): value for key, value in zip(table.keys, table.values, strict=True)}


def test_every_argument_is_described() -> None:
    for name, value in arguments().items():
        assert len(text(value.elts[1])) > 8, name


def test_the_transport_is_set_for_all_processes() -> None:
    assert _assigned("TRANSPORT").value == "FASTDDS_BUILTIN_TRANSPORTS"
    (setting,) = calls("SetEnvironmentVariable")
    assert "LARGE_DATA" in ast.unparse(setting)


def test_the_parameters_file_is_read_off_the_settings() -> None:
    assert (FOLDER / "params.yaml").read_text() == params_yaml(), (
        "run python tools/node_reference.py"
    )


DISPLAYED = {
    "Image": "sensor_msgs/Image",
    "MarkerArray": "visualization_msgs/MarkerArray",
    "PointCloud2": "sensor_msgs/PointCloud2",
    "Pose": "geometry_msgs/PoseStamped",
}
RVIZ_FILES = ("actseg.rviz", "actseg_robot.rviz")


def rviz_content(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


def display(content: Any, name: str) -> Any:
    (found,) = [
        item for item in content["Visualization Manager"]["Displays"] if item["Name"] == name
    ]
    return found


def test_rviz_shows_topics_that_exist() -> None:
    shown = topics_shown(rviz_content("actseg.rviz"))
    assert shown.pop("/camera/image_raw") == "sensor_msgs/Image"
    assert "~/image_raw" in private_topics("video_camera")
    assert {name.replace("/actseg/", "~/") for name in shown} == {
        *("~/overlay", "~/mask", "~/instances", "~/points", "~/markers", "~/pose"),
        "~/points_without_actors",
    }
    # test_interface.py compares these with those of the running node.
    published = {item.name.replace("~", "/actseg"): item.type for item in OUTPUTS}
    assert shown == {name: published[name] for name in shown}
    remapped = ast.literal_eval(_assigned("SHOWN"))
    assert {f"/actseg/{name}" for name in remapped} == set(shown)


@pytest.mark.parametrize("name", RVIZ_FILES)
def test_rviz_subscribes_with_a_qos_that_its_topics_offer(name: str) -> None:
    for shown in rviz_content(name)["Visualization Manager"]["Displays"]:
        if "/actseg/" in shown.get("Topic", {}).get("Value", ""):
            assert shown["Topic"]["Reliability Policy"] == "Reliable"
            assert shown["Topic"]["Durability Policy"] == "Volatile"


def topics_shown(content: Any) -> dict[str, str]:
    """Topic to the message type of the display that shows it, as rviz_default_plugins has it."""
    displays = content["Visualization Manager"]["Displays"]
    return {
        shown["Topic"]["Value"]: DISPLAYED[shown["Class"].rpartition("/")[2]]
        for shown in displays
        if "Topic" in shown
    }


def docked(state: bytes) -> list[str]:
    """Names of the docks in a saved state of QMainWindow that are shown, in their order."""
    found = []
    for match in re.finditer(rb"\xfb(....)", state, re.DOTALL):
        length, start = int.from_bytes(match[1], "big"), match.end()
        flags = state[start + length]
        if 0 < length < 200 and length % 2 == 0 and flags & 1:
            found.append(state[start : start + length].decode("utf-16-be"))
    return found


@pytest.mark.parametrize("name", RVIZ_FILES)
def test_rviz_opens_with_its_panels_arranged(name: str) -> None:
    content = rviz_content(name)
    window = content["Window Geometry"]
    state = bytes.fromhex(window["QMainWindow State"])
    # Qt finds a dock by its object name, which RViz makes the panel's: UTF-16 in the saved state.
    docks = [panel["Name"] for panel in content["Panels"]]
    docks += [
        item["Name"]
        for item in content["Visualization Manager"]["Displays"]
        if item["Class"].endswith("/Image")
    ]
    assert sorted(docks) == ["Camera", "Displays", "Ids", "Mask", "Overlay", "Time"]
    assert sorted(docked(state)) == sorted(docks)
    assert [window["Hide Left Dock"], window["Hide Right Dock"]] == [False, False]


@pytest.mark.parametrize("name", RVIZ_FILES)
def test_rviz_colours_points_as_the_overlay_does(name: str) -> None:
    assert display(rviz_content(name), "Actor's points")["Color Transformer"] == "RGB8"


def test_the_view_for_a_robots_frame_is_read_off_the_other_one() -> None:
    assert (FOLDER / "actseg_robot.rviz").read_text() == robot_rviz(), (
        "run python tools/node_reference.py"
    )


def eye(content: Any) -> tuple[Any, Any]:
    """Where RViz's orbit view looks from and to, as its updateCamera computes it."""
    view = content["Visualization Manager"]["Views"]["Current"]
    focus = np.array([view["Focal Point"][axis] for axis in "XYZ"], float)
    yaw, pitch = view["Yaw"], view["Pitch"]
    towards = np.array([math.cos(yaw) * math.cos(pitch), math.sin(yaw) * math.cos(pitch)])
    return focus + view["Distance"] * np.array([*towards, math.sin(pitch)]), focus


@pytest.mark.parametrize(
    ("name", "actor", "up"),
    [
        ("actseg.rviz", (0.0, 0.0, 3.0), (0.0, -1.0, 0.0)),  # z ahead, y down
        ("actseg_robot.rviz", (3.0, 0.0, 0.5), (0.0, 0.0, 1.0)),  # x ahead, z up
    ],
)
def test_rviz_looks_at_an_actor_ahead_from_behind_and_above(
    name: str, actor: tuple[float, ...], up: tuple[float, ...]
) -> None:
    place, focus = eye(rviz_content(name))
    assert np.allclose(focus, actor)
    assert (place - focus) @ np.array(up) > 1.0
    ground = display(rviz_content(name), "Ground")
    assert ground["Plane"] == {"actseg.rviz": "XZ", "actseg_robot.rviz": "XY"}[name]


def test_packages_are_looked_up_before_anything_is_started() -> None:
    (function,) = [
        node
        for node in TREE.body
        if isinstance(node, ast.FunctionDef) and node.name == "generate_launch_description"
    ]
    (description,) = [
        call
        for call in ast.walk(function)
        if getattr(call, "func", None) is not None
        and getattr(call.func, "id", "") == "LaunchDescription"
    ]
    order = [ast.unparse(item) for item in description.args[0].elts]
    assert order.index("OpaqueFunction(function=look_up)") < order.index("nodes")
    assert set(ast.literal_eval(_assigned("OPTIONAL"))) == packages_started() - {"actseg"}


def packages_started() -> set[str]:
    return {text(keyword(call, "package")) for call in calls("Node")}


def test_package_xml_names_every_package_that_is_started() -> None:
    declared = {item.name for item in parse_package(str(ROOT)).exec_depends}
    assert packages_started() - {"actseg"} == {"rviz2", "v4l2_camera"}
    assert packages_started() - {"actseg"} <= declared


def test_the_usb_cameras_frame_is_not_rvizs() -> None:
    (driver,) = [call for call in calls("Node") if text(keyword(call, "package")) == "v4l2_camera"]
    given = ast.unparse(keyword(driver, "parameters"))
    assert "'camera_frame_id': ParameterValue(LaunchConfiguration('v4l2_frame')" in given
    assert "fixed_frame" not in given


@pytest.mark.parametrize("namespace", ["/", "/front", "/robot/left"])
@pytest.mark.parametrize("name", NODES)
def test_the_parameters_file_reaches_its_node_in_any_namespace(
    name: str, namespace: str, tmp_path: Path
) -> None:
    content = yaml.safe_load((FOLDER / "params.yaml").read_text())
    values = content[f"/**/{name}"]["ros__parameters"]
    changed = {
        "actseg": "hang_s",
        "camera": "rate_hz",
        "bag_camera": "rate",
        "recorder": "picture_every_s",
    }[name]
    values[changed] = 12.5
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump(content))
    context = Context()
    rclpy.init(args=["--ros-args", "--params-file", str(file)], context=context)
    node = Node(name, namespace=namespace, context=context)
    try:
        for prefix, config in NODES[name]:
            declare(node, config, prefix)
        refuse_unknown(node)
        assert node.get_parameter(changed).value == 12.5
    finally:
        node.destroy_node()
        context.try_shutdown()


def test_several_cameras_include_the_launch_file_that_is_there() -> None:
    source = (FOLDER / "cameras.launch.py").read_text()
    ast.parse(source)
    assert f'"{LAUNCH_FILE.name}"' in source
    assert 'DeclareLaunchArgument(\n        "cameras"' in source and "cameras" in arguments()


def test_with_launch_ros_the_description_is_made() -> None:
    pytest.importorskip("launch_ros", reason="launch_ros is not on PyPI")
    from launch.actions import DeclareLaunchArgument
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    description = get_launch_description_from_python_launch_file(str(LAUNCH_FILE))
    names = {item.name for item in description.entities if isinstance(item, DeclareLaunchArgument)}
    assert names == set(arguments())
