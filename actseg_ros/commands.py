"""Sentences from outside: the command topic and the services, onto the QuerySet."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from actseg.srv import AddQuery, ListQueries, RemoveQuery
from rclpy.qos import DurabilityPolicy
from rclpy.subscription import Subscription
from std_msgs.msg import String
from std_srvs.srv import Trigger

from actseg_core.live.frame_checks import NANOSECONDS
from actseg_core.live.queries import Query, QueryRefused, QuerySet
from actseg_core.live.states import State
from actseg_ros import qos
from actseg_ros.camera_node import CameraNode
from actseg_ros.messages import query_message
from actseg_ros.qos import QosWatch

WRITERS_REMEMBERED = 256
SAMPLES_REMEMBERED = 64  # of a writer; one subscription lags behind the other by its depth at most
LINES_AT_ONCE = 20
LINES_PER_S = 5.0


@dataclass
class _Writer:
    """What was heard of one publisher, by when it published [ns].

    Attributes:
        taken: Its newest commands, in the order in which they were taken.
        past_ns: The newest sample of the subscription that begins with the past.
    """

    taken: deque[int] = field(default_factory=lambda: deque(maxlen=SAMPLES_REMEMBERED))
    past_ns: int = -1


class Duplicates:
    """Tells a sample that came over both command subscriptions from a new one.

    Each subscription brings a writer's samples in the order in which they were published, so that
    times are compared for equality only: the writer's clock may be set back. The subscription for
    latched commands begins with the past; until it comes to the newest sample taken, all that it
    brings is older.
    """

    def __init__(self) -> None:
        self._writers: dict[bytes, _Writer] = {}

    def is_new(self, writer: bytes, source_ns: int, from_the_past: bool) -> bool:
        """Whether a sample has not been taken, and is newer than those that were.

        Args:
            writer: Identity of the publisher.
            source_ns: When it published, by its own clock [ns].
            from_the_past: Whether the subscription begins with the writer's past.
        """
        heard = self._writers.setdefault(writer, _Writer())
        is_past = from_the_past and heard.taken and heard.past_ns != heard.taken[-1]
        if from_the_past:
            heard.past_ns = source_ns
        if is_past or source_ns in heard.taken:
            return False
        heard.taken.append(source_ns)
        while len(self._writers) > WRITERS_REMEMBERED:
            self._writers.pop(next(iter(self._writers)))
        return True


class LineBudget:
    """Keeps a flood of commands from becoming a flood of log lines."""

    def __init__(self) -> None:
        self._left, self._at_s, self._held_back = float(LINES_AT_ONCE), 0.0, 0

    def line(self, text: str, now_s: float) -> str:
        """The line to log now, with how many were left out before it; empty: none.

        Args:
            text: What there is to say.
            now_s: Steady clock [s].
        """
        earned = (now_s - self._at_s) * LINES_PER_S
        self._left, self._at_s = min(self._left + earned, float(LINES_AT_ONCE)), now_s
        if self._left < 1.0:
            self._held_back += 1
            return ""
        self._left -= 1.0
        before, self._held_back = self._held_back, 0
        return f"{text} ({before} changes before it were not logged)" if before else text


class CommandInterface:
    """`command`, `add_query`, `remove_query`, `list_queries` and `clear` of one node.

    A latched command needs a transient-local subscription, which a volatile publisher does not
    match and warns about; so a second subscription is made when a latched publisher appears, and
    what comes over both is taken once.

    Args:
        node: Owns the subscriptions and services.
        queries: The set that they change.
        changed: Called after each change.
        refused: Called with the reason when a command is refused or not read to its end, with
            nothing when all of it is taken.
        state: What an unanswered sentence is waiting for.
        watch: Is told of publishers whose QoS does not fit.
    """

    def __init__(
        self,
        node: CameraNode,
        queries: QuerySet,
        changed: Callable[[], None],
        refused: Callable[[str], None],
        state: Callable[[], State],
        watch: QosWatch,
    ) -> None:
        self._node, self._queries, self._watch = node, queries, watch
        self._changed, self._refused, self._state = changed, refused, state
        self._duplicates, self._lines = Duplicates(), LineBudget()
        self._subscriptions = [self._subscribe(DurabilityPolicy.VOLATILE)]
        self._services = [
            node.create_service(AddQuery, "~/add_query", self._on_add),
            node.create_service(RemoveQuery, "~/remove_query", self._on_remove),
            node.create_service(ListQueries, "~/list_queries", self._on_list),
            node.create_service(Trigger, "~/clear", self._on_clear),
        ]

    def look_for_latched(self) -> None:
        """Subscribe to the past of a latched command publisher, once one is there."""
        if len(self._subscriptions) > 1:
            return
        topic = self._subscriptions[0].topic_name
        for publisher in self._node.get_publishers_info_by_topic(topic):
            if publisher.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL:
                self._subscriptions.append(self._subscribe(DurabilityPolicy.TRANSIENT_LOCAL))
                return

    def destroy(self) -> None:
        """Take the subscriptions and services away."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        for service in self._services:
            self._node.destroy_service(service)

    def command(self, text: str) -> None:
        """Obey a command, or log why not and keep the old sentences."""
        before, _ = self._queries.snapshot()
        try:
            query = self._queries.command(text, self._now_ns())
        except QueryRefused as error:
            self._refused(str(error))
            return
        self._refused(query.sentence.shortened if query else "")
        self._changed()
        if self._queries.snapshot()[0] != before:  # else it is the sentence that is active already
            self._log(f"command: {about(query)}" if query else "command: no sentence any more")

    def _subscribe(self, durability: DurabilityPolicy) -> "Subscription[Any]":
        latched = durability == DurabilityPolicy.TRANSIENT_LOCAL

        def hear(message: String, info: Any) -> None:
            self._on_command(message, info, latched)

        return self._node.create_subscription(
            String,
            "~/command",
            hear,
            qos.command(durability),
            event_callbacks=self._watch.subscription("~/command"),
        )

    def _on_command(self, message: String, info: Any, from_the_past: bool) -> None:
        identity = info.get("publisher_gid") or {}  # not every distribution tells it
        writer = bytes(bytearray(identity.get("data", b"")))
        if self._duplicates.is_new(writer, int(info["source_timestamp"]), from_the_past):
            self.command(message.data)

    def _on_add(self, request: AddQuery.Request, response: AddQuery.Response) -> AddQuery.Response:
        lifetime_ns = request.lifetime.sec * NANOSECONDS + request.lifetime.nanosec
        try:
            query = self._queries.add(request.sentence, lifetime_ns, self._now_ns())
        except QueryRefused as error:
            response.message = str(error)
            return response
        self._changed()
        response.accepted = True
        response.id = query.id
        response.unknown_words = list(query.sentence.unknown)
        response.message = about(query)
        self._log(f"add_query: {response.message}")
        return response

    def _on_remove(
        self, request: RemoveQuery.Request, response: RemoveQuery.Response
    ) -> RemoveQuery.Response:
        try:
            query = self._queries.remove(request.id)
        except QueryRefused as error:
            response.message = str(error)
            return response
        self._changed()
        response.removed = True
        response.message = f"{query.id} is not active any more"
        self._log(f"remove_query: {response.message}")
        return response

    def _on_list(
        self, _request: ListQueries.Request, response: ListQueries.Response
    ) -> ListQueries.Response:
        revision, queries = self._queries.snapshot()
        otherwise = self._state()
        response.query_revision = revision
        response.queries = [
            query_message(query, self._queries.state_of(query.id, otherwise)) for query in queries
        ]
        return response

    def _on_clear(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        count = self._queries.clear()
        self._changed()
        response.success = True
        response.message = f"{count} sentences dropped"
        self._log(f"clear: {response.message}")
        return response

    def _log(self, text: str) -> None:
        line = self._lines.line(text, time.monotonic())
        if line:
            self._node.get_logger().info(line)

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)


def about(query: Query) -> str:
    """A sentence that was accepted, in one line: its id, its text, what of it is not read."""
    line = f"{query.id} is active: {query.sentence.text!r}"
    if not query.sentence.is_known:
        return f"{line}, but no word of it is known: the answer will be NOT_FOUND"
    if query.sentence.unknown:
        line += f", not known: {', '.join(query.sentence.unknown)}"
    if query.sentence.shortened:
        line += f", but {query.sentence.shortened}"
    return line
