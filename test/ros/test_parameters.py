"""Parameters are the settings: same names, defaults, ranges and help; wrong ones are refused."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter

from actseg_core.config import StreamConfig
from actseg_core.errors import ConfigError
from actseg_ros.parameters import declare, refuse_changes, refuse_unknown
from actseg_ros.settings import CameraConfig, RecorderConfig, SegmentationConfig

MakeNode = Callable[..., Node]
ALL = [
    (SegmentationConfig, ""),
    (StreamConfig, "stream"),
    (CameraConfig, ""),
    (RecorderConfig, ""),
]


@pytest.fixture
def make_node(domain: int) -> Iterator[MakeNode]:
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    nodes: list[Node] = []

    def make(**values: Any) -> Node:
        overrides = [
            Parameter(name.replace("__", "."), value=value) for name, value in values.items()
        ]
        node = Node("bench", context=context, parameter_overrides=overrides)
        nodes.append(node)
        return node

    yield make
    for node in nodes:
        node.destroy_node()
    context.try_shutdown()


@pytest.mark.parametrize(("config", "prefix"), ALL)
def test_every_setting_is_a_described_read_only_parameter_with_its_default(
    make_node: MakeNode, config: Any, prefix: str
) -> None:
    node = make_node()
    values = declare(node, config, prefix)
    assert values == config()
    for field in config.model_fields:
        name = f"{prefix}.{field}" if prefix else field
        about = node.describe_parameter(name)
        assert about.read_only
        assert about.description, f"{name} has no help text"
        assert node.get_parameter(name).value == getattr(config(), field)


def test_ranges_and_choices_are_those_of_the_config(make_node: MakeNode) -> None:
    node = make_node()
    declare(node, SegmentationConfig)
    (integers,) = node.describe_parameter("image_depth").integer_range
    assert (integers.from_value, integers.to_value) == (1, 100)
    (floats,) = node.describe_parameter("hang_s").floating_point_range
    assert (floats.from_value, floats.to_value) == (1.0, 3600.0)
    choices = node.describe_parameter("image_reliability").additional_constraints
    assert choices == "one of: auto, best_effort, reliable. Can be set at the start only."


def test_given_values_are_taken(make_node: MakeNode) -> None:
    node = make_node(stream__queue_frames=9, stream__max_gap_s=2.5)
    assert declare(node, StreamConfig, "stream").queue_frames == 9
    assert node.get_parameter("stream.max_gap_s").value == 2.5


def test_a_whole_number_is_good_for_a_setting_in_fractions(make_node: MakeNode) -> None:
    node = make_node(stream__max_gap_s=2)
    assert declare(node, StreamConfig, "stream").max_gap_s == 2.0
    assert isinstance(node.get_parameter("stream.max_gap_s").value, float)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (
            {"stream__queue_frames": 0},
            r"stream.queue_frames: .* greater than or equal to 1, got 0",
        ),
        ({"stream__max_gap_s": float("nan")}, r"stream.max_gap_s: .* got nan"),
        ({"stream__queue_frames": "4"}, "must be of type int, got '4' of type str"),
        ({"stream__queue_frames": True}, "must be of type int, got True of type bool"),
        ({"stream__queue_frames": 4.0}, "must be of type int, got 4.0 of type float"),
    ],
)
def test_wrong_values_are_refused_in_one_line(
    make_node: MakeNode, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason) as error:
        declare(make_node(**values), StreamConfig, "stream")
    assert "\n" not in str(error.value)


def test_a_misspelt_parameter_is_refused(make_node: MakeNode) -> None:
    node = make_node(stream__max_gaps=1.0)
    declare(node, StreamConfig, "stream")
    with pytest.raises(ConfigError, match=r"no parameter stream.max_gaps; known: .*max_gap_s"):
        refuse_unknown(node)


def test_rclpys_own_parameters_are_no_misspellings(make_node: MakeNode) -> None:
    node = make_node(use_sim_time=False)
    refuse_unknown(node)


def test_the_clock_cannot_be_exchanged_from_outside(make_node: MakeNode) -> None:
    node = make_node()
    declare(node, StreamConfig, "stream")
    node.add_on_set_parameters_callback(refuse_changes)
    (result,) = node.set_parameters([Parameter("use_sim_time", value=True)])
    assert not result.successful
    assert "at start only" in result.reason


def test_a_running_nodes_settings_cannot_be_changed(make_node: MakeNode) -> None:
    node = make_node()
    declare(node, StreamConfig, "stream")
    (result,) = node.set_parameters([Parameter("stream.queue_frames", value=9)])
    assert not result.successful
    assert node.get_parameter("stream.queue_frames").value == 2
