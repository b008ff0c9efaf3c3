"""launch/params.yaml, the tables of docs/node.md and a second RViz view, each from its source.

python tools/node_reference.py rewrites all of them; tests compare, and compare the lists of topics
and services with a running node.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo

from actseg_core.config import Config, OverlayConfig, StreamConfig
from actseg_ros.settings import (
    BagConfig,
    CameraConfig,
    LabelMaskConfig,
    NamedCameraConfig,
    RecorderConfig,
    SegmentationConfig,
    SpatialConfig,
    WebPageConfig,
    change_of,
)

ANSWERS = "reliable, volatile, depth 1"
ROOT = Path(__file__).resolve().parent.parent
PARAMS_FILE = ROOT / "launch" / "params.yaml"
PAGE = ROOT / "docs" / "node.md"
RVIZ = ROOT / "launch" / "actseg.rviz"
ROBOT_RVIZ = RVIZ.with_name("actseg_robot.rviz")
# In an optical frame z points ahead, in a robot's x, and z up (REP 103).
ROBOT_VIEW = {"Distance": 6, "Focal Point": {"X": 3, "Y": 0, "Z": 0.5}, "Pitch": 0.5, "Yaw": 3.14}
ROBOT_GROUND = {"Plane": "XY", "Offset": {"X": 5, "Y": 0, "Z": 0}}
Group = tuple[str, type[Config]]
NODES: dict[str, tuple[Group, ...]] = {
    "actseg": (
        ("", SegmentationConfig),
        ("stream", StreamConfig),
        ("overlay", OverlayConfig),
        ("spatial", SpatialConfig),
        ("label_mask", LabelMaskConfig),
        ("web", WebPageConfig),
    ),
    "camera": (("", CameraConfig),),
    "bag_camera": (("", BagConfig),),
    "recorder": (("", RecorderConfig),),
}


@dataclass(frozen=True)
class Topic:
    """A topic of the node.

    Attributes:
        name: Relative to the node.
        type: Package and message.
        qos: Reliability, durability, depth and what else is not the default.
        about: What it carries and when.
    """

    name: str
    type: str
    qos: str
    about: str


@dataclass(frozen=True)
class Service:
    """A service of the node; attributes as of Topic."""

    name: str
    type: str
    about: str


INPUTS = (
    Topic(
        "~/image",
        "sensor_msgs/Image",
        "best effort or reliable, volatile, depth 2",
        "the camera; remap it. Reliability by `image_reliability`, depth by `image_depth`",
    ),
    Topic(
        "~/image/compressed",
        "sensor_msgs/CompressedImage",
        "as `~/image`",
        "instead of it with `compressed: true`; JPEG, PNG, TIFF or WebP",
    ),
    Topic(
        "~/command",
        "std_msgs/String",
        "reliable, volatile, depth 10; transient local, too, once a latched publisher is there",
        "a sentence becomes the only active one; a text without a letter or digit clears. A "
        "latched command from before the node's start is obeyed",
    ),
    Topic(
        "~/depth",
        "sensor_msgs/Image",
        "by `spatial.depth_reliability`, volatile, depth 2",
        "aligned depth, 16UC1 [mm] or 32FC1 [m]; with `spatial.enabled`, and only while a 3-D "
        "output is subscribed to",
    ),
    Topic(
        "~/depth/compressedDepth",
        "sensor_msgs/CompressedImage",
        "as `~/depth`",
        "instead of it with `spatial.depth_compressed: true`; PNG, as image_transport's plugin "
        "compressedDepth packs it, not RVL",
    ),
    Topic(
        "~/camera_info",
        "sensor_msgs/CameraInfo",
        "as `~/depth`; transient local, too, once a latched publisher is there",
        "of `~/image`; with `spatial.enabled`. One that is sent once is enough",
    ),
)
OUTPUTS = (
    Topic(
        "~/result",
        "actseg/ActorMaskArray",
        ANSWERS,
        "one message per answered frame; one to acknowledge each change of sentences; one when "
        "the state changes to one without an answer",
    ),
    Topic(
        "~/answer",
        "std_msgs/String",
        ANSWERS,
        "the same in words, for people: at once when a state or the sentences change, else once a "
        "second. For programs `~/result`",
    ),
    Topic(
        "~/mask",
        "sensor_msgs/Image",
        ANSWERS,
        "mono8, 255 where any sentence's actor is; for answered frames, and an empty one with the "
        "first frame after the last sentence has gone",
    ),
    Topic("~/mask/compressed", "sensor_msgs/CompressedImage", ANSWERS, "the same as PNG"),
    Topic(
        "~/overlay",
        "sensor_msgs/Image",
        ANSWERS,
        "bgr8, for people; without a sentence the plain picture. Style by `overlay.*`",
    ),
    Topic("~/overlay/compressed", "sensor_msgs/CompressedImage", ANSWERS, "the same as JPEG"),
    Topic(
        "~/detections",
        "vision_msgs/Detection2DArray",
        ANSWERS,
        "box, sentence (`class_id`), confidence (`score`) and query id of each actor found, for "
        "answered frames; only where vision_msgs is installed",
    ),
    Topic(
        "~/label_mask",
        "sensor_msgs/Image",
        ANSWERS,
        "mono8: 0 = nobody, else the number of the sentence, for answered frames; where masks "
        "overlap the surer answer's ([planner.md](planner.md#in-a-nav2-costmap)). Like the next "
        "two of the camera image's size, or `label_mask.scale` of it",
    ),
    Topic(
        "~/confidence",
        "sensor_msgs/Image",
        ANSWERS,
        "mono8: how sure that answer is, 0 to 255 for 0 to 1; 0 where nobody is",
    ),
    Topic(
        "~/instances",
        "sensor_msgs/Image",
        ANSWERS,
        "mono16: one number per actor, its track id in `~/result` (above 65535 from 1 again); 0 = "
        "nobody. Of a network that knows no actors the number of the sentence",
    ),
    Topic(
        "~/label_info",
        "vision_msgs/LabelInfo",
        "reliable, transient local, depth 1",
        "the sentences' numbers, 1 to 255, and the confidence below which nobody is found; at "
        "each change, before the first image with a new number. A number that gets free is given "
        "again as late as can be; only where vision_msgs is installed",
    ),
    Topic(
        "~/status",
        "actseg/SegmentationStatus",
        "reliable, volatile, depth 1, deadline `status_deadline_s`, liveliness MANUAL_BY_TOPIC "
        "with `status_lease_s`",
        "10 Hz and on each change, from the thread that computes the masks",
    ),
    Topic(
        "~/centroid",
        "geometry_msgs/PointStamped",
        ANSWERS,
        "the actor's place [m]; see [3-D](#3-d)",
    ),
    Topic("~/points", "sensor_msgs/PointCloud2", ANSWERS, "the actor's points [m]"),
    Topic("~/markers", "visualization_msgs/MarkerArray", ANSWERS, "a box and a text for RViz"),
    Topic(
        "~/pose",
        "geometry_msgs/PoseStamped",
        ANSWERS,
        "the surest actor in `spatial.target_frame`; what Nav2's FollowObject takes as "
        "`pose_topic`",
    ),
    Topic(
        "~/detections_3d",
        "vision_msgs/Detection3DArray",
        ANSWERS,
        "box, sentence (`class_id`), confidence (`score`) and track id of each actor, in "
        "`spatial.target_frame`; only where vision_msgs is installed",
    ),
    Topic(
        "~/points_without_actors",
        "sensor_msgs/PointCloud2",
        ANSWERS,
        "all other points [m], for costmaps and octomaps that must not see who is followed",
    ),
    Topic(
        "/diagnostics",
        "diagnostic_msgs/DiagnosticArray",
        "reliable, volatile, depth 10",
        "1 Hz; see [Diagnostics](#diagnostics)",
    ),
)
SERVICES = (
    Service(
        "~/add_query",
        "actseg/AddQuery",
        "one more sentence, for ever or for `lifetime`; its id. The same sentence again keeps "
        "its id and renews its lifetime",
    ),
    Service("~/remove_query", "actseg/RemoveQuery", "one sentence less, by its id"),
    Service(
        "~/list_queries",
        "actseg/ListQueries",
        "the active sentences with state, confidence, unknown words and end of life",
    ),
    Service("~/clear", "std_srvs/Trigger", "no sentence at all"),
)
ACTIONS = (
    Service(
        "~/find",
        "actseg/Find",
        "look for a sentence's actor until it has been seen surely and for long enough: its box, "
        "track id and pose, or why not ([planner.md](planner.md#8-as-an-action))",
    ),
)


NAMED_CAMERA = "NAME"  # stands for a camera's name in the table of its parameters


def params_yaml() -> str:
    """The parameters file: every parameter with its default, range and help."""
    lines = [
        "# Every parameter with its default. `python tools/node_reference.py` writes this file.",
        "# Copy it, keep what you change, and give it as params_file:=... to the launch file.",
    ]
    for node, groups in NODES.items():
        lines += ["", f"/**/{node}:", "  ros__parameters:"]
        for prefix, config in groups:
            indent = "    "
            if prefix:
                lines.append(f"{indent}{prefix}:")
                indent += "  "
            for name, field in config.model_fields.items():
                lines.append(f"{indent}# {_help(field)}")
                lines.append(f"{indent}{name}: {_yaml(field.default)}")
        if node == "actseg":
            lines.append("    # With cameras: [front, rear], for each of them:")
            lines.append("    # front:")
            for name, field in NamedCameraConfig.model_fields.items():
                lines.append(f"    #   {name}: {_yaml(field.default)}  # {_help(field)}")
    return "\n".join(lines) + "\n"


def robot_rviz() -> str:
    """actseg.rviz with view and ground for a fixed frame of the robot, not of the camera."""
    content = yaml.safe_load(RVIZ.read_text(encoding="utf-8"))
    manager = content["Visualization Manager"]
    manager["Views"]["Current"] |= ROBOT_VIEW
    manager["Global Options"]["Fixed Frame"] = "base_link"
    (ground,) = (item for item in manager["Displays"] if item["Name"] == "Ground")
    ground |= ROBOT_GROUND
    # Each value on one line, as RViz writes them, the long one of the window's state, too.
    text = yaml.safe_dump(content, sort_keys=False, width=10**6)
    return f"# `python tools/node_reference.py` writes this file from actseg.rviz.\n{text}"


def table(node: str) -> str:
    """The Markdown table of one node's parameters; of segmentation_node, with when they change."""
    changes = node in ("actseg", NAMED_CAMERA)
    head = "| parameter | default | range | meaning |"
    lines = [f"{head} changes |" if changes else head, "|---" * (4 + changes) + "|"]
    for name, field in fields(node):
        default = _yaml(field.default)
        line = f"| `{name}` | `{default}` | {_range(field)} | {_text(field)} |"
        lines.append(f"{line} {change_of(name)} |" if changes else line)
    return "\n".join(lines)


def topics_table(topics: tuple[Topic, ...], direction: str) -> str:
    """The Markdown table of the segmentation node's topics."""
    lines = [f"| {direction} | type | QoS | |", "|---|---|---|---|"]
    lines += [f"| `{item.name}` | {item.type} | {item.qos} | {item.about} |" for item in topics]
    return "\n".join(lines)


def services_table(kind: str, services: tuple[Service, ...]) -> str:
    """The Markdown table of the segmentation node's services or actions."""
    lines = [f"| {kind} | type | |", "|---|---|---|"]
    lines += [f"| `{item.name}` | {item.type} | {item.about} |" for item in services]
    return "\n".join(lines)


def fields(node: str) -> Iterator[tuple[str, FieldInfo]]:
    """Full name and definition of each parameter of a node, or of one of several cameras."""
    groups = ((NAMED_CAMERA, NamedCameraConfig),) if node == NAMED_CAMERA else NODES[node]
    for prefix, config in groups:
        for name, field in config.model_fields.items():
            yield (f"{prefix}.{name}" if prefix else name), field


def with_tables(page: str) -> str:
    """A page with the text after each mark, such as `parameters NODE`, replaced by its table."""
    tables = {f"parameters {node}": table(node) for node in (*NODES, NAMED_CAMERA)} | {
        "topics in": topics_table(INPUTS, "in"),
        "topics out": topics_table(OUTPUTS, "out"),
        "services": services_table("service", SERVICES),
        "actions": services_table("action", ACTIONS),
    }
    for mark, content in tables.items():
        start, end = f"<!-- {mark} -->\n", "<!-- end -->"
        before, found, rest = page.partition(start)
        if found:
            _, _, after = rest.partition(end)
            page = f"{before}{start}{content}\n{end}{after}"
    return page


def _text(field: FieldInfo) -> str:
    return " ".join((field.description or "").split()).replace("|", "\\|")


def _help(field: FieldInfo) -> str:
    limits = _range(field)
    return f"{_text(field)} [{limits}]" if limits else _text(field)


def _range(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(get_args(field.annotation))
    rules: dict[str, Any] = {}
    for rule in field.metadata:
        rules |= {key: getattr(rule, key) for key in ("ge", "gt", "le") if hasattr(rule, key)}
    if "le" not in rules:
        return ""
    low = f"{rules['ge']:g}" if "ge" in rules else f"above {rules['gt']:g}"
    return f"{low} to {rules['le']:g}" if rules["le"] < 1e6 else f"{low} to {rules['le']:.0e}"


def _yaml(value: Any) -> str:
    return json.dumps(value)


def main() -> int:
    """Rewrite the files."""
    ROBOT_RVIZ.write_text(robot_rviz(), encoding="utf-8")
    PARAMS_FILE.write_text(params_yaml(), encoding="utf-8")
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
