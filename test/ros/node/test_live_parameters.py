"""Parameters while the node runs: taken over, or refused with what to do."""

from typing import Any

import pytest
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, SetParameters, SetParametersAtomically
from rclpy.clock_type import ClockType
from rclpy.parameter import Parameter
from rclpy.time import Time

from actseg_core.errors import ConfigError
from actseg_core.live.states import State
from actseg_ros.settings import LIVE, change_of


def setting(name: str, value: Any) -> ParameterMessage:
    return Parameter(name, value=value).to_parameter_msg()


def ask(bench: Any, *parameters: ParameterMessage) -> list[tuple[bool, str]]:
    """What a remote `ros2 param set` is told."""
    request = SetParameters.Request(parameters=list(parameters))
    results = bench.call(SetParameters, "set_parameters", request).results
    return [(result.successful, result.reason) for result in results]


def test_a_misspelt_parameter_is_refused_at_the_start(make: Any) -> None:
    with pytest.raises(ConfigError, match="there is no parameter presett; known: autostart"):
        make(presett="lite")


def test_live_ones_reach_the_worker_and_the_window_stays(make: Any, engine: Any) -> None:
    bench = make(sentence="the dog")
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    before = engine.last_reset
    changed = ask(
        bench,
        setting("stream.stride_frames", 3),
        setting("stream.mask_threshold", 0.25),
        setting("stream.queue_frames", 7),
        setting("stream.max_queries", 1),
        setting("overlay.opacity", 0.75),
    )
    assert changed == [(True, "")] * 5
    bench.spin_until(lambda: engine.config.mask_threshold == 0.25)
    assert (engine.config.stride_frames, engine.last_reset) == (3, before)
    assert bench.node.cameras[""].outputs.style.opacity == 0.75
    assert bench.node.cameras[""].task.frames._capacity == 7
    bench.spin_until(bench.is_in(State.FOUND))


def test_a_smaller_limit_of_sentences_keeps_those_that_are_active(make: Any) -> None:
    from actseg.srv import AddQuery

    bench = make()
    bench.start()
    for text in ("a dog", "a cat"):
        bench.call(AddQuery, "add_query", AddQuery.Request(sentence=text))
    assert ask(bench, setting("stream.max_queries", 1)) == [(True, "")]
    refused = bench.call(AddQuery, "add_query", AddQuery.Request(sentence="a cow"))
    assert "2 sentences are active, as many as" in refused.message
    bench.spin_until(lambda: bench.statuses and len(bench.statuses[-1].query_ids) == 2)


def test_max_age_changes_the_gate_too(make: Any) -> None:
    bench = make(sentence="the dog")
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    assert ask(bench, setting("stream.max_age_s", 0.000001)) == [(True, "")]
    bench.spin_until(lambda: bench.state in (State.BAD_TIME, State.OVERLOADED))
    assert ask(bench, setting("stream.max_age_s", 5.0)) == [(True, "")]
    bench.spin_until(bench.is_in(State.FOUND))


def test_a_larger_picture_is_taken_as_soon_as_it_is_allowed(make: Any) -> None:
    bench = make(stream__max_pixels=100)  # the pictures have 192
    bench.start()
    bench.spin_until(bench.is_in(State.BAD_INPUT))
    assert ask(bench, setting("stream.max_pixels", 192)) == [(True, "")]
    bench.spin_until(bench.is_in(State.IDLE))


def test_how_far_the_clock_may_jump_is_as_max_gap_says_now(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make(check_clock=False, stream__max_gap_s=0.5)
    bench.start()
    jumps: list[int] = []
    monkeypatch.setattr(bench.node.cameras[""].task, "clock_jumped", lambda: jumps.append(1))
    clock = bench.node.get_clock()
    clock.set_ros_time_override(Time(seconds=100, clock_type=ClockType.ROS_TIME))
    clock._set_ros_time_is_active(True)

    def jumps_at(second: int) -> int:
        before = len(jumps)
        clock.set_ros_time_override(Time(seconds=second, clock_type=ClockType.ROS_TIME))
        return len(jumps) - before

    assert jumps_at(105) == 1  # half a second is allowed
    assert ask(bench, setting("stream.max_gap_s", 10.0)) == [(True, "")]
    assert [jumps_at(110), jumps_at(125), jumps_at(124)] == [0, 1, 1]
    assert ask(bench, setting("stream.max_gap_s", 2.0)) == [(True, "")]
    assert [jumps_at(125), jumps_at(130)] == [0, 1]


def test_those_of_the_model_wait_for_cleanup_and_configure(make: Any) -> None:
    bench = make(autostart=False)
    assert ask(bench, setting("preset", "paper")) == [(True, "")]
    assert bench.node.settings.node.preset == "paper"
    bench.node.trigger_configure()
    ((done, reason),) = ask(bench, setting("preset", "lite"))
    assert not done
    assert "preset cannot change while a model is loaded: clean the node up" in reason
    assert bench.node.get_parameter("preset").value == "paper"
    bench.node.trigger_cleanup()
    assert ask(bench, setting("preset", "lite")) == [(True, "")]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("autostart", False, "read-only"),
        ("status_deadline_s", 1.0, "read-only"),
        ("spatial.enabled", True, "read-only"),
        ("use_sim_time", True, "at start only"),
        ("stream.max_age_s", float("nan"), "nan"),
        ("stream.max_age_s", float("inf"), ""),
        ("stream.max_age_s", 0.0, "greater than 0"),
        ("stream.max_age_s", "long", ""),
        ("stream.queue_frames", 0, ""),
        ("stream.queue_frames", 1000, ""),
        ("overlay.opacity", 1.5, ""),
        ("device", "cuda", "cannot change while a model is loaded"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_changes(
    make: Any, name: str, value: Any, reason: str
) -> None:
    bench = make()
    bench.start()
    before = bench.node.get_parameter(name).value
    ((done, told),) = ask(bench, setting(name, value))
    assert not done
    assert told and reason in told
    assert bench.node.get_parameter(name).value == before


def test_a_parameter_cannot_be_taken_away(make: Any) -> None:
    bench = make()
    bench.start()
    nothing = ParameterMessage(
        name="stream.max_age_s", value=ParameterValue(type=ParameterType.PARAMETER_NOT_SET)
    )
    ((done, reason),) = ask(bench, nothing)
    assert not done and reason
    assert bench.node.get_parameter("stream.max_age_s").value == 60.0


def test_of_a_batch_with_one_wrong_value_nothing_is_taken(make: Any, engine: Any) -> None:
    bench = make()
    bench.start()
    request = SetParametersAtomically.Request(
        parameters=[setting("stream.stride_frames", 5), setting("stream.max_gap_s", -1.0)]
    )
    reply = bench.call(SetParametersAtomically, "set_parameters_atomically", request)
    assert not reply.result.successful
    bench.spin_until(bench.is_in(State.IDLE))
    assert engine.config.stride_frames == 1
    assert bench.node.settings.stream.stride_frames == 1


def test_each_parameter_says_when_it_can_change(make: Any) -> None:
    bench = make()
    names = ["stream.stride_frames", "preset", "autostart"]
    request = DescribeParameters.Request(names=names)
    about = bench.call(DescribeParameters, "describe_parameters", request).descriptors
    assert [item.additional_constraints for item in about] == [
        "Can be changed at any time.",
        "Can be changed while no model is loaded; takes effect at configure.",
        "Can be set at the start only.",
    ]
    assert [item.read_only for item in about] == [False, False, True]


def test_every_live_name_is_a_parameter(make: Any) -> None:
    bench = make()
    assert [name for name in sorted(LIVE) if not bench.node.has_parameter(name)] == []
    assert change_of("stream.mask_frame") == "unconfigured"
