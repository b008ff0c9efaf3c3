"""Commands and services: obeyed once, in order, acknowledged; refused ones change nothing."""

from typing import Any

import pytest
from actseg.srv import AddQuery, ListQueries, RemoveQuery
from builtin_interfaces.msg import Duration
from rclpy.clock_type import ClockType
from rclpy.qos import (
    DurabilityPolicy,
    QoSProfile,
)
from rclpy.time import Time
from std_msgs.msg import String
from std_srvs.srv import Trigger

from actseg_core.live.states import State

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def test_a_command_is_answered_and_an_empty_one_ends_it(make: Any) -> None:
    bench = make()
    bench.start()
    bench.spin_until(bench.is_in(State.IDLE))
    bench.command.publish(String(data="the dog"))
    bench.spin_until(bench.is_in(State.FOUND))
    bench.spin_until(bench.has_answered)
    mask = bench.results[-1].masks[0]
    assert (mask.sentence, mask.header.frame_id, mask.mask.width) == ("the dog", "cam", 16)
    bench.command.publish(String(data=""))
    bench.spin_until(bench.is_in(State.IDLE))
    bench.spin_until(lambda: bench.results[-1].query_revision == 2)
    assert not bench.results[-1].masks


def test_a_latched_command_from_before_the_start_is_obeyed(make: Any) -> None:
    bench = make()
    latched = bench.client.create_publisher(String, "/actseg/command", LATCHED)
    latched.publish(String(data="the dog"))
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    assert bench.statuses[-1].query_revision == 1


def test_a_latched_command_is_taken_once(make: Any) -> None:
    bench = make()
    latched = bench.client.create_publisher(String, "/actseg/command", LATCHED)
    bench.start()
    bench.spin_until(lambda: latched.get_subscription_count() == 2)
    for text in ("a dog", "a cat") * 5:
        latched.publish(String(data=text))
    bench.spin_until(lambda: bench.statuses and bench.statuses[-1].query_revision >= 10)
    bench.spin_until(bench.is_in(State.FOUND))
    assert bench.statuses[-1].query_revision == 10
    bench.spin_until(bench.has_answered)
    assert bench.results[-1].masks[0].sentence == "a cat"


def hear(bench: Any, text: str, source_ns: int, from_the_past: bool = False) -> None:
    """As from a publisher with this clock [ns], which no test may set for real."""
    info = {"source_timestamp": source_ns, "publisher_gid": {"data": [7] * 16}}
    bench.node.cameras[""].commands._on_command(String(data=text), info, from_the_past)


def test_a_publisher_whose_clock_was_set_back_is_obeyed_its_clear_too(make: Any) -> None:
    bench = make()
    bench.start()
    hear(bench, "the dog", 2_000_000_000)
    bench.spin_until(bench.is_in(State.FOUND))
    hear(bench, "", 1_000_000_000)
    bench.spin_until(bench.is_in(State.IDLE))
    assert bench.statuses[-1].query_revision == 2


def test_a_latched_sample_that_comes_late_does_not_undo_a_newer_command(make: Any) -> None:
    bench = make()
    bench.start()
    for text, source_ns, late in (
        *(("a dog", 1, False), ("a cat", 2, False)),
        *(("a dog", 1, True), ("a cat", 2, True)),
    ):
        hear(bench, text, source_ns, late)
    bench.spin_until(bench.is_in(State.FOUND))
    assert bench.statuses[-1].query_revision == 2
    bench.spin_until(bench.has_answered)
    assert bench.results[-1].masks[0].sentence == "a cat"


def test_a_refused_command_keeps_the_old_sentence_and_is_told(make: Any) -> None:
    bench = make()
    bench.start()
    bench.command.publish(String(data="the dog"))
    bench.spin_until(bench.is_in(State.FOUND))
    bench.command.publish(String(data="d" * 100_000))
    bench.spin_until(
        lambda: any(
            "100000; shorten it" in item.value
            for array_ in bench.diagnostics
            for status in array_.status
            for item in status.values
        )
    )
    assert bench.state is State.FOUND
    assert bench.statuses[-1].query_revision == 1


def test_words_behind_the_end_of_what_is_read_are_told(make: Any) -> None:
    bench = make()
    bench.start()
    long = "the dog " * 10 + "on the left"
    bench.command.publish(String(data=long))
    told = "only the first 20 words are read, not 'on the left'; say it in fewer words"
    bench.spin_until(lambda: bench.statuses and bench.statuses[-1].refused_command == told)
    bench.spin_until(bench.is_in(State.FOUND))
    reply = bench.call(AddQuery, "add_query", AddQuery.Request(sentence=f"{long} side"))
    assert reply.accepted
    assert "only the first 20 words are read, not 'on the left side'" in reply.message
    bench.command.publish(String(data="the dog"))
    bench.spin_until(lambda: bench.statuses[-1].refused_command == "")


def test_each_change_is_one_line_of_the_log(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    bench = make(sentence="the dog")
    monkeypatch.setattr(bench.node.get_logger(), "info", lambda text: lines.append(text))
    bench.start()
    commands = bench.node.cameras[""].commands
    for text in ("the xolo runs", "the xolo runs", ""):
        commands.command(text)
    bench.call(AddQuery, "add_query", AddQuery.Request(sentence="xolo"))
    bench.call(RemoveQuery, "remove_query", RemoveQuery.Request(id="q3"))
    bench.call(Trigger, "clear", Trigger.Request())
    changes = [line for line in lines if line.startswith(("command", "add", "remove", "clear"))]
    assert changes == [
        "command: q1 is active: 'the dog'",
        "command: q2 is active: 'the xolo runs', not known: xolo",
        "command: no sentence any more",
        "add_query: q3 is active: 'xolo', but no word of it is known: the answer will be "
        "NOT_FOUND",
        "remove_query: q3 is not active any more",
        "clear: 0 sentences dropped",
    ]


def test_services_add_list_remove_and_clear(make: Any) -> None:
    bench = make()
    bench.start()
    added = bench.call(AddQuery, "add_query", AddQuery.Request(sentence="the xylophonist"))
    assert (added.accepted, added.id, list(added.unknown_words)) == (True, "q1", ["xylophonist"])
    bench.call(AddQuery, "add_query", AddQuery.Request(sentence="the absent cat"))
    bench.spin_until(
        lambda: (
            bench.results
            and [mask.state.value for mask in bench.results[-1].masks]
            == [State.FOUND, State.NOT_FOUND]
        )
    )
    listed = bench.call(ListQueries, "list_queries", ListQueries.Request())
    assert [query.id for query in listed.queries] == ["q1", "q2"]
    assert [query.confidence for query in listed.queries] == [0.75, 0.25]
    assert listed.query_revision == 2
    removed = bench.call(RemoveQuery, "remove_query", RemoveQuery.Request(id="q1"))
    assert removed.removed
    again = bench.call(RemoveQuery, "remove_query", RemoveQuery.Request(id="q1"))
    assert (again.removed, again.message) == (False, "no sentence has the id 'q1'; active ids: q2")
    assert bench.call(Trigger, "clear", Trigger.Request()).message == "1 sentences dropped"
    bench.spin_until(bench.is_in(State.IDLE))


def test_a_refused_add_says_why(make: Any) -> None:
    bench = make()
    bench.start()
    reply = bench.call(AddQuery, "add_query", AddQuery.Request(sentence="d" * 600))
    assert (reply.accepted, reply.id) == (False, "")
    assert "may have 512 characters, got 600" in reply.message


def test_a_sentence_with_a_lifetime_ends_by_itself(make: Any) -> None:
    bench = make(check_clock=False)
    set_clock(bench, 100)
    bench.start()
    request = AddQuery.Request(sentence="the dog", lifetime=Duration(sec=30))
    assert bench.call(AddQuery, "add_query", request).accepted
    bench.spin_until(bench.is_in(State.FOUND))
    set_clock(bench, 131)
    bench.spin_until(bench.is_in(State.IDLE))


@pytest.mark.parametrize("before", [1000, 0])
def test_a_lifetime_goes_on_where_a_recording_starts_over_or_begins(
    make: Any, before: int
) -> None:
    bench = make(check_clock=False)
    set_clock(bench, before)
    bench.start()
    request = AddQuery.Request(sentence="the dog", lifetime=Duration(sec=30))
    assert bench.call(AddQuery, "add_query", request).accepted
    set_clock(bench, 100)
    bench.spin_until(bench.is_in(State.FOUND))
    set_clock(bench, 131)
    bench.spin_until(bench.is_in(State.IDLE))


def set_clock(bench: Any, second: int) -> None:
    """As /clock does."""
    clock = bench.node.get_clock()
    clock.set_ros_time_override(Time(seconds=second, clock_type=ClockType.ROS_TIME))
    clock._set_ros_time_is_active(True)


def test_the_256th_sentence_is_refused_by_the_service_and_255_stay(make: Any) -> None:
    bench = make(stream__max_queries=256)
    bench.start()
    client = bench.client.create_client(AddQuery, "/actseg/add_query")
    bench.spin_until(client.service_is_ready)

    def add(number: int) -> AddQuery.Response:
        future = client.call_async(AddQuery.Request(sentence=f"absent dog {number}"))
        bench.spin_until(future.done, feed=False)
        return future.result()

    assert all(add(number).accepted for number in range(255))
    answer = add(255)
    assert not answer.accepted
    assert "255 sentences are active" in answer.message
    bench.spin_until(lambda: bench.statuses and len(bench.statuses[-1].query_ids) == 255)
