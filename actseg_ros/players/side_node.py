"""What the nodes beside the segmentation node share: read-only parameters and one thread."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher

from actseg_core.config import Config
from actseg_core.errors import ActSegError
from actseg_ros.parameters import declare, refuse_changes, refuse_unknown
from actseg_ros.remaps import unused_remaps
from actseg_ros.settings import without_effect

C = TypeVar("C", bound=Config)
WAIT_STEP_S = 0.02
WAIT_TOLD_AFTER_S = 1.0
WAIT_TOLD_EVERY_S = 10.0
LAST_MESSAGES_S = 10.0  # nobody waits for the end of what has been played to its end
LAST_MESSAGES_STOPPED_S = 1.0


class SideNode(Node, Generic[C]):
    """A node whose work is done by one thread, so that ROS callbacks stay free.

    It is what actseg_ros.process runs: when `work` returns the process ends with code 0, when it
    raises with code 2.

    Args:
        name: Of the node.
        config: Its settings, which become read-only parameters.
        options: Passed to rclpy's Node.

    Attributes:
        topics: Its topics as they can be remapped.

    Raises:
        ConfigError: If a parameter is unknown or its value is wrong.
    """

    hang_s = float("inf")
    stop_timeout_s = 5.0
    topics: ClassVar[Sequence[str]] = ()

    def __init__(self, name: str, config: type[C], **options: Any) -> None:
        super().__init__(name, **options)
        self.settings: C = declare(self, config)
        refuse_unknown(self)
        for text in (*without_effect({"": self.settings}), unused_remaps(self, self.topics)):
            if text:
                self.get_logger().warning(text)
        self.add_on_set_parameters_callback(refuse_changes)
        self.finished = False
        self.failed = ""
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def work(self) -> None:
        """Do the node's work until it is done or `stopping` is set.

        Raises:
            ActSegError: If it cannot be done.
        """
        raise NotImplementedError

    def start(self) -> str:
        """Begin; nothing is left that could be refused."""
        self._thread.start()
        return ""

    def stuck_s(self) -> float:
        """A camera or a disk may block for long; that is no reason to end."""
        return 0.0

    def close(self) -> None:
        """Let the thread end."""
        self.stopping.set()
        if self._thread.is_alive():
            self._thread.join(self.stop_timeout_s)

    def close_after(self, publishers: "Iterable[Publisher[Any]]") -> None:
        """Let the thread end, and what was sent reliably arrive.

        Subscribers that are held up are waited for; not for long where somebody stops the node.
        """
        timeout_s = LAST_MESSAGES_S if self.finished else LAST_MESSAGES_STOPPED_S
        SideNode.close(self)
        end_s = time.monotonic() + timeout_s
        for publisher in publishers:
            left_s = max(0.0, end_s - time.monotonic())
            publisher.wait_for_all_acked(Duration(nanoseconds=round(left_s * 1e9)))

    def wait_for_subscribers(self, publisher: "Publisher[Any]", wanted: int) -> None:
        """Wait until so many subscribe, or until the node is stopped; say so meanwhile."""

        def missing() -> str:
            count = publisher.get_subscription_count()
            return "" if count >= wanted else f"subscriber {count + 1} of {wanted} to {topic}"

        topic = publisher.topic_name
        self._wait_while(missing)

    def wait_for_clock(self) -> None:
        """With use_sim_time: wait until there is a time, or until the node is stopped."""

        def missing() -> str:
            is_there = self.get_clock().now().nanoseconds > 0
            return "" if is_there else "/clock, because use_sim_time is set"

        self._wait_while(missing)

    def _wait_while(self, missing: Callable[[], str]) -> None:
        told_s = time.monotonic() - WAIT_TOLD_EVERY_S + WAIT_TOLD_AFTER_S
        while text := missing():
            if time.monotonic() - told_s >= WAIT_TOLD_EVERY_S:
                told_s = time.monotonic()
                self.get_logger().info(f"waiting for {text}")
            if self.stopping.wait(WAIT_STEP_S):
                return

    def _run(self) -> None:
        try:
            self.work()
        except ActSegError as error:
            self.failed = str(error)
        except Exception as error:
            self.failed = f"{type(error).__name__}: {error}"
        if self.failed:
            self.get_logger().error(self.failed)
        self.finished = True
