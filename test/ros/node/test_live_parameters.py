"""Parameters while the node runs: taken over, or refused with what to do."""

from typing import Any

import pytest
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, SetParameters, SetParametersAtomically
from rclpy.parameter import Parameter

from actseg_core.errors import ConfigError
from actseg_ros.settings import LIVE, change_of
from actseg_ros.states import State


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
    assert bench.node._sink.style.opacity == 0.75
    assert bench.node._worker.frames._capacity == 7
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


def test_those_of_the_model_wait_for_cleanup_and_configure(make: Any) -> None:
    bench = make(autostart=False)
    assert ask(bench, setting("preset", "paper")) == [(True, "")]
    assert bench.node.settings.preset == "paper"
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
    assert bench.node.get_parameter("stream.max_age_s").value == 1.0


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
    assert bench.node.stream.stride_frames == 1


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
