"""`~/find` between processes: the whole way of a goal, and what becomes of it with the node."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
from action_msgs.msg import GoalStatus
from actseg.action import Find
from builtin_interfaces.msg import Duration
from patience import PATIENCE_S, PATIENT_NODE
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor

ROOT = Path(__file__).resolve().parents[2]
Goal = Find.Goal


class Client:
    """A program with goals."""

    def __init__(self, domain: int) -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("asking", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.action = ActionClient(self.node, Find, "/actseg/find")
        self.feedback: list[Any] = []

    def until(self, condition: Callable[[], Any], what: str = "") -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end_s, what
            self.executor.spin_once(timeout_sec=0.02)

    def send(self, goal: Find.Goal) -> Any:
        self.until(self.action.server_is_ready, "no server")
        sending = self.action.send_goal_async(goal, self.feedback.append)
        self.until(sending.done, "no answer to the goal")
        assert sending.result().accepted
        return sending.result().get_result_async()

    def result(self, ended: Any) -> tuple[int, Find.Result]:
        self.until(ended.done, "no result")
        return ended.result().status, ended.result().result


@pytest.fixture
def client(domain: int) -> Iterator[Client]:
    made = Client(domain)
    yield made
    made.executor.shutdown()
    made.node.destroy_node()
    made.context.try_shutdown()


@pytest.fixture
def node(start: Callable[..., Any], checkpoint: Path, video: Path) -> Any:
    """The node with a camera; its small network marks every pixel for every sentence."""
    start(
        *("-m", "actseg_ros.players.video_camera", "--ros-args", "-p", f"source:={video}"),
        *("-p", "rate_hz:=10.0"),
    )
    return start(
        *(*PATIENT_NODE, "-p", f"checkpoint:={checkpoint}", "-r", "~/image:=/camera/image_raw"),
    )


@pytest.mark.slow
def test_a_goal_is_found_another_times_out_and_the_last_ends_with_the_node(
    client: Client, node: Any
) -> None:
    loading = client.send(Goal(sentence="the square"))
    status, result = client.result(loading)
    while result.error_code == Find.Result.NOT_ACTIVE:  # the model is still being loaded
        time.sleep(0.2)
        status, result = client.result(client.send(Goal(sentence="the square")))
    assert status == GoalStatus.STATUS_SUCCEEDED, result.error_msg
    assert (result.region.width, result.region.height) == (64, 48)
    never = Goal(sentence="the square", confidence=1.0, timeout=Duration(nanosec=500_000_000))
    status, result = client.result(client.send(never))
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Find.Result.TIMED_OUT)
    running = client.send(Goal(sentence="the square", hold=Duration(sec=1000)))
    client.until(lambda: client.feedback and client.feedback[-1].feedback.held.nanosec)
    node.popen.send_signal(signal.SIGTERM)
    status, result = client.result(running)
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Find.Result.NOT_ACTIVE)
    assert node.wait() == 0, node.text


@pytest.mark.slow
def test_the_example_drives_once_the_actor_is_found(
    start: Callable[..., Any], eventually: Callable[..., None], client: Client, node: Any
) -> None:
    example = start(
        *(str(ROOT / "docs" / "examples" / "follow_actor.py"), "--ros-args"),
        *("-r", "~/result:=/actseg/result", "-p", "find:=/actseg/find", "-p", "lost_s:=1.0"),
        *("-p", "sentence:=the square", "-p", "min_confidence:=0.0", "-p", "max_age_s:=10.0"),
    )
    eventually(lambda: "find: found" in example.text)
    eventually(lambda: "following" in example.text)
    found, following = (example.text.index(text) for text in ("find: found", "following"))
    assert found < following
    assert example.stop() == 0


def test_the_example_refuses_to_look_for_nobody(start: Callable[..., Any]) -> None:
    example = start(
        *(str(ROOT / "docs" / "examples" / "follow_actor.py"), "--ros-args"),
        *("-p", "find:=/actseg/find"),
    )
    assert example.wait(PATIENCE_S) == 2
    assert "find needs a sentence to look for" in example.text
