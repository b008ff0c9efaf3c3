"""A remapping that fits nothing is named, with what was probably meant."""

from collections.abc import Iterator

import pytest
import rclpy
from node_reference import ACTIONS, INPUTS, OUTPUTS, SERVICES
from rclpy.context import Context
from rclpy.node import Node

from actseg_ros.remaps import ACTION, SEGMENTATION, unused_remaps


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    context = Context()
    rclpy.init(context=context)
    made = Node("actseg", namespace="/front", context=context)
    yield made
    made.destroy_node()
    context.try_shutdown()


def told(node: Node, *rules: str) -> str:
    arguments = ["node.py", "--ros-args"]
    for rule in rules:
        arguments += ["-r", rule]
    return unused_remaps(node, SEGMENTATION, arguments)


def test_the_names_are_those_of_the_page() -> None:
    parts = {f"{item.name}/_action/{part}" for item in ACTIONS for part in ACTION}
    assert set(SEGMENTATION) == {item.name for item in (*INPUTS, *OUTPUTS, *SERVICES)} | parts


@pytest.mark.parametrize(
    "rule",
    [
        *("~/image:=/cam/image_raw", "/front/actseg/image:=/cam", "actseg/image:=/cam"),
        *("actseg:~/image:=/cam", "other:image:=/cam", "__ns:=/front", "__node:=actseg"),
        *("/tf:=tf", "tf:=/tf", "/diagnostics:=diagnostics"),
    ],
)
def test_what_fits_or_is_for_others_is_no_matter(node: Node, rule: str) -> None:
    assert told(node, rule) == ""


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        ("image:=/cam/image_raw", "did you mean ~/image:=/cam/image_raw?"),
        ("/image:=/cam/image_raw", "did you mean ~/image:=/cam/image_raw?"),
        ("/actseg/image:=/cam", "did you mean ~/image:=/cam?"),
        ("~/imag:=/cam", "did you mean ~/image:=/cam?"),
        ("/velodyne:=/cam", "which has ~/image, ~/image/compressed"),
    ],
)
def test_what_fits_nothing_is_told_with_what_was_meant(node: Node, rule: str, meant: str) -> None:
    text = told(node, "~/command:=/command", rule)
    assert text.startswith(f"{rule} fits no name of this node")
    assert meant in text


def test_only_what_stands_among_the_arguments_of_ros_counts(node: Node) -> None:
    assert unused_remaps(node, SEGMENTATION, ["x", "-r", "image:=/cam"]) == ""
    arguments = ["x", "--ros-args", "--remap", "a:=b", "--", "-r", "c:=d"]
    assert unused_remaps(node, SEGMENTATION, arguments).startswith("a:=b fits no name")
    assert "c:=d" not in unused_remaps(node, SEGMENTATION, arguments)
