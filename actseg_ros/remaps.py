"""Remappings that fit no name of a node: ROS ignores them in silence; we do not."""

import difflib
import sys
from collections.abc import Iterator, Sequence

from rclpy.expand_topic_name import expand_topic_name
from rclpy.node import Node

# Given to all nodes of a robot alike, whether they use them or not.
COMMON = ("tf", "tf_static", "clock", "rosout", "parameter_events", "diagnostics")
OPTIONS = ("-r", "--remap")
# Topics and services of the segmentation node; a test compares them with those of its page.
# What an action is made of; to rename one, each of these has to be remapped.
ACTION = ("send_goal", "cancel_goal", "get_result", "feedback", "status")
SEGMENTATION = (
    *("~/image", "~/image/compressed", "~/command", "~/depth", "~/camera_info", "~/result"),
    *("~/mask", "~/mask/compressed", "~/overlay", "~/overlay/compressed", "~/detections"),
    *("~/status", "~/centroid", "~/points", "~/markers", "/diagnostics", "~/add_query"),
    *("~/remove_query", "~/list_queries", "~/clear", "~/answer", "~/pose", "~/detections_3d"),
    *("~/label_mask", "~/label_info", "~/confidence", "~/instances"),
    *(
        "~/depth/compressedDepth",
        "~/points_without_actors",
        *(f"~/find/_action/{part}" for part in ACTION),
    ),
)


def unused_remaps(node: Node, names: Sequence[str], arguments: Sequence[str] | None = None) -> str:
    """The remappings on the command line that match nothing, and what was probably meant.

    Args:
        node: Whose names they are.
        names: Of its topics and services, as its documentation gives them: ~/image.
        arguments: Of the command line; None: this process's.

    Returns:
        One line; empty if every remapping fits.
    """
    name, namespace = node.get_name(), node.get_namespace()
    known = {expand_topic_name(item, name, namespace): item for item in names}
    common = {
        expand_topic_name(f"{slash}{item}", name, namespace)
        for item in COMMON
        for slash in ("", "/")
    }
    unused = []
    for rule in _rules(sys.argv if arguments is None else arguments):
        old, _, new = rule.partition(":=")
        target, _, old = old.rpartition(":")
        if target not in ("", name) or old.startswith("__"):
            continue
        try:
            full = expand_topic_name(old, name, namespace)
        except Exception:  # ROS has refused what is no name at all
            continue
        if full not in known and full not in common:
            unused.append(f"{old}:={new} fits no name of this node{_meant(old, new, names)}")
    return "; ".join(unused)


def _rules(arguments: Sequence[str]) -> Iterator[str]:
    """What follows each -r between --ros-args and --."""
    is_ros = False
    for option, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if option in ("--ros-args", "--"):
            is_ros = option == "--ros-args"
        elif is_ros and option in OPTIONS:
            yield value


def _meant(old: str, new: str, names: Sequence[str]) -> str:
    likely = f"~/{old.lstrip('~/')}", f"~/{old.rpartition('/')[2]}"
    near = [name for name in likely if name in names]
    near = near or difflib.get_close_matches(likely[0], names, 1, 0.75)
    return f": did you mean {near[0]}:={new}?" if near else f", which has {', '.join(names)}"
