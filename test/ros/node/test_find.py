"""The action `~/find` on the real node and a real action client, in one process."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from action_msgs.msg import GoalStatus
from actseg.action import Find
from actseg.srv import AddQuery, ListQueries
from builtin_interfaces.msg import Duration
from rclpy.action import ActionClient
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_msgs.msg import String

from actseg_core.live.states import State

Result = Find.Result
SUCCEEDED, ABORTED = GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_ABORTED


def seconds(value: float) -> Duration:
    return Duration(sec=int(value // 1), nanosec=round(value % 1 * 1e9))


class Sent:
    """One goal of a client."""

    def __init__(self, bench: Any, client: Any, goal: Find.Goal) -> None:
        self.bench = bench
        self.feedback: list[Find.Feedback] = []
        sending = client.send_goal_async(goal, lambda message: self.hear(message.feedback))
        bench.spin_until(sending.done)
        self.handle = sending.result()
        self.ended = self.handle.get_result_async() if self.handle.accepted else None

    def hear(self, feedback: Find.Feedback) -> None:
        self.feedback.append(feedback)

    def result(self, feed: bool = True) -> tuple[int, Find.Result]:
        self.bench.spin_until(self.ended.done, feed)
        told = self.ended.result()
        return told.status, told.result

    def cancel(self) -> None:
        asked = self.handle.cancel_goal_async()
        self.bench.spin_until(asked.done)
        assert len(asked.result().goals_canceling) == 1


@pytest.fixture
def send(make: Any) -> Callable[..., Sent]:
    """Sends goals to a node that has been started; `send.bench` is that node."""
    bench = make()
    bench.start()
    client = ActionClient(bench.client, Find, "/actseg/find")
    bench.spin_until(client.server_is_ready)

    def begin(sentence: str = "the dog", **values: Any) -> Sent:
        for name in ("timeout", "hold"):
            if name in values:
                values[name] = seconds(values[name])
        return Sent(bench, client, Find.Goal(sentence=sentence, **values))

    begin.bench = bench  # type: ignore[attr-defined]
    return begin


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets half an hour pass for the goals."""

    def jump() -> None:
        clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 1800.0)
        monkeypatch.setattr("actseg_ros.find.finder.time", clock)

    return jump


def active(bench: Any) -> list[str]:
    answer = bench.call(ListQueries, "list_queries", ListQueries.Request())
    return [query.sentence for query in answer.queries]


def test_an_actor_that_is_there_is_found_with_its_box_and_the_frames_stamp(send: Any) -> None:
    status, result = send(confidence=0.7, hold=0.1).result()
    assert (status, result.error_code, result.error_msg) == (SUCCEEDED, Result.NONE, "")
    assert result.confidence == 0.75
    region = result.region
    assert (region.x_offset, region.y_offset, region.width, region.height) == (3, 2, 6, 3)
    assert result.header.frame_id == "cam" and result.header.stamp.sec > 0
    assert not result.has_pose
    assert active(send.bench) == []


def test_feedback_says_state_confidence_and_how_long_it_has_been_seen(send: Any) -> None:
    sent = send(hold=30.0)
    bench = send.bench
    bench.spin_until(lambda: any(item.held.nanosec > 0 for item in sent.feedback))
    newest = sent.feedback[-1]
    assert (newest.state.value, newest.confidence) == (State.FOUND, 0.75)
    sent.cancel()
    assert sent.result()[0] == GoalStatus.STATUS_CANCELED


def test_a_search_whose_time_is_over_says_what_it_saw_last(send: Any, later: Any) -> None:
    sent = send("absent", timeout=600.5)
    send.bench.spin_until(lambda: sent.feedback and sent.feedback[-1].confidence == 0.25)
    later()
    status, result = sent.result()
    assert (status, result.error_code) == (ABORTED, Result.TIMED_OUT)
    assert "within 600.5 s; the newest: NOT_FOUND 0.25" in result.error_msg
    assert active(send.bench) == []


def test_an_answer_that_is_never_sure_enough_runs_into_the_timeout(send: Any, later: Any) -> None:
    sent = send(confidence=0.9, timeout=600.5)
    send.bench.spin_until(lambda: sent.feedback and sent.feedback[-1].confidence == 0.75)
    later()
    status, result = sent.result()
    assert (status, result.error_code) == (ABORTED, Result.TIMED_OUT)
    assert "no answer of 0.90 or more" in result.error_msg
    assert "FOUND 0.75" in result.error_msg and result.region.width == 0


def test_a_canceled_goal_takes_its_sentence_away(send: Any) -> None:
    sent = send("absent")
    assert active(send.bench) == ["absent"]
    sent.cancel()
    status, result = sent.result()
    assert (status, result.error_code) == (GoalStatus.STATUS_CANCELED, Result.CANCELED)
    assert active(send.bench) == []


def test_several_goals_run_beside_each_other_and_end_each_for_itself(send: Any) -> None:
    absent, dog, cat = send("absent"), send("the dog", hold=0.2), send("the cat")
    assert dog.result()[0] == cat.result()[0] == SUCCEEDED
    assert active(send.bench) == ["absent"]
    absent.cancel()
    assert absent.result()[0] == GoalStatus.STATUS_CANCELED


def test_goals_with_the_same_sentence_share_it_until_the_last_has_ended(send: Any) -> None:
    first, second = send("absent"), send("absent")
    assert active(send.bench) == ["absent"]
    first.cancel()
    first.result()
    assert active(send.bench) == ["absent"]
    second.cancel()
    second.result()
    assert active(send.bench) == []


def test_a_goal_with_preempt_ends_the_others(send: Any) -> None:
    old = [send("absent"), send("absent as well")]
    new = send("the dog", preempt=True)
    for sent in old:
        status, result = sent.result()
        assert (status, result.error_code) == (ABORTED, Result.PREEMPTED)
    assert new.result()[0] == SUCCEEDED


def test_a_goal_that_is_refused_preempts_nobody(send: Any) -> None:
    old = send("absent")
    for wrong in ({"sentence": "x" * 600}, {"sentence": "the dog", "confidence": 2.0}):
        status, result = send(**wrong, preempt=True).result()
        assert (status, result.error_code) == (ABORTED, Result.REFUSED)
    assert active(send.bench) == ["absent"]
    assert not old.ended.done()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"sentence": ""}, "the sentence is empty; say whom to look for"),
        ({"sentence": " ... "}, "the sentence is empty"),
        ({"sentence": "a" * 513}, "a sentence may have 512 characters, got 513"),
        ({"confidence": float("nan")}, "confidence must be in [0, 1]"),
        ({"confidence": -0.5}, "confidence must be in [0, 1], got -0.5"),
        ({"timeout": -1.0}, "timeout must not be negative"),
        ({"hold": 5.0, "timeout": 1.0}, "give more time or hold it for less"),
    ],
)
def test_a_goal_that_makes_no_sense_ends_at_once_and_says_why(
    send: Any, values: dict[str, Any], reason: str
) -> None:
    status, result = send(**values).result()
    assert (status, result.error_code) == (ABORTED, Result.REFUSED)
    assert reason in result.error_msg and result.query_id == ""
    assert active(send.bench) == []


def test_more_goals_than_sentences_allowed_are_refused_with_the_parameter(make: Any) -> None:
    bench = make(stream__max_queries=2)
    bench.start()
    client = ActionClient(bench.client, Find, "/actseg/find")
    bench.spin_until(client.server_is_ready)
    running = [Sent(bench, client, Find.Goal(sentence=f"absent {n}")) for n in range(2)]
    status, result = Sent(bench, client, Find.Goal(sentence="the dog")).result()
    assert (status, result.error_code) == (ABORTED, Result.REFUSED)
    assert "stream.max_queries" in result.error_msg
    assert not any(sent.ended.done() for sent in running)


def test_a_command_that_replaces_the_sentence_ends_the_goal(send: Any) -> None:
    sent = send("absent")
    send.bench.command.publish(String(data="the cat"))
    status, result = sent.result()
    assert (status, result.error_code) == (ABORTED, Result.SENTENCE_DROPPED)
    assert active(send.bench) == ["the cat"]


def test_a_sentence_that_somebody_else_wants_too_stays(send: Any) -> None:
    bench = send.bench
    bench.call(AddQuery, "add_query", AddQuery.Request(sentence="the dog"))
    assert send("the dog").result()[0] == SUCCEEDED
    assert active(bench) == ["the dog"]
    sent = send("the cat", hold=30.0)
    bench.call(AddQuery, "add_query", AddQuery.Request(sentence="the cat"))
    sent.cancel()
    sent.result()
    assert active(bench) == ["the dog", "the cat"]


def test_the_sentence_stays_after_success_where_that_is_wanted(send: Any) -> None:
    assert send("the dog", keep_active=True).result()[0] == SUCCEEDED
    assert active(send.bench) == ["the dog"]
    assert send("absent", keep_active=True, timeout=0.3).result()[0] == ABORTED
    assert active(send.bench) == ["the dog"]


def test_deactivation_ends_the_goals_and_new_ones_are_told(send: Any) -> None:
    sent, bench = send("absent"), send.bench
    assert bench.node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    status, result = sent.result(feed=False)
    assert (status, result.error_code) == (ABORTED, Result.NOT_ACTIVE)
    status, result = send("the dog").result(feed=False)
    assert (status, result.error_code) == (ABORTED, Result.NOT_ACTIVE)
    assert "activate it" in result.error_msg
    assert bench.node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    assert send("the dog").result()[0] == SUCCEEDED


def test_without_a_model_goals_are_told_what_to_do(send: Any) -> None:
    sent, bench = send("absent"), send.bench
    assert bench.node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert bench.node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
    for goal in (sent, send("the dog")):
        status, result = goal.result(feed=False)
        assert (status, result.error_code) == (ABORTED, Result.NOT_ACTIVE)


def test_a_camera_that_falls_silent_is_told_in_the_feedback(send: Any) -> None:
    sent, bench = send("the dog", hold=60.0), send.bench
    bench.spin_until(lambda: any(item.state.value == State.FOUND for item in sent.feedback))
    bench.node.set_parameters([Parameter("stream.stale_after_s", value=0.2)])
    bench.spin_until(
        lambda: sent.feedback[-1].state.value == State.STALE_INPUT and sent.feedback[-1].detail,
        feed=False,
    )
    assert sent.feedback[-1].held == Duration()


def test_a_flood_of_goals_is_bounded(send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actseg_ros.find.server.MOST_KEPT", 3)
    ends = [send("") for _ in range(3)]
    assert all(sent.handle.accepted for sent in ends)
    assert not send("the dog").handle.accepted


def test_the_nodes_end_ends_the_goals_and_they_are_told(send: Any) -> None:
    sent, bench = send("absent"), send.bench
    bench.spin_until(lambda: sent.feedback)
    bench.node.close()
    status, result = sent.result(feed=False)
    assert (status, result.error_code) == (ABORTED, Result.NOT_ACTIVE)
