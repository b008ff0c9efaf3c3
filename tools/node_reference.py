"""launch/params.yaml, the tables of docs/node.md and a second RViz view, each from its source.

python tools/node_reference.py rewrites all of them; tests compare.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo

from actseg_core.config import Config, OverlayConfig, StreamConfig
from actseg_ros.settings import (
    BagConfig,
    CameraConfig,
    RecorderConfig,
    SegmentationConfig,
    SpatialConfig,
    change_of,
)

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
    ),
    "camera": (("", CameraConfig),),
    "bag_camera": (("", BagConfig),),
    "recorder": (("", RecorderConfig),),
}


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
    return f"# `python -m actseg_ros.reference` writes this file from actseg.rviz.\n{text}"


def table(node: str) -> str:
    """The Markdown table of one node's parameters; of segmentation_node, with when they change."""
    changes = node == "actseg"
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


def services_table() -> str:
    """The Markdown table of the segmentation node's services."""
    lines = ["| service | type | |", "|---|---|---|"]
    lines += [f"| `{item.name}` | {item.type} | {item.about} |" for item in SERVICES]
    return "\n".join(lines)


def fields(node: str) -> Iterator[tuple[str, FieldInfo]]:
    """Full name and definition of each parameter of a node."""
    for prefix, config in NODES[node]:
        for name, field in config.model_fields.items():
            yield (f"{prefix}.{name}" if prefix else name), field


def with_tables(page: str) -> str:
    """A page with the text after each mark, such as `parameters NODE`, replaced by its table."""
    tables = {f"parameters {node}": table(node) for node in NODES} | {
        "topics in": topics_table(INPUTS, "in"),
        "topics out": topics_table(OUTPUTS, "out"),
        "services": services_table(),
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
