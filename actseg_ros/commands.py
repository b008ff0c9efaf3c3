"""Sentences from outside: the command topic and the services, onto the QuerySet."""

from collections.abc import Callable
from typing import Any

from actseg.srv import AddQuery, ListQueries, RemoveQuery
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy
from rclpy.subscription import Subscription
from std_msgs.msg import String
from std_srvs.srv import Trigger

from actseg_core.live.frame_checks import NANOSECONDS
from actseg_core.live.queries import QueryRefused, QuerySet
from actseg_core.live.states import State
from actseg_ros import qos
from actseg_ros.messages import query_message
from actseg_ros.qos import QosWatch

WRITERS_REMEMBERED = 256


class Duplicates:
    """Tells a sample that came over both command subscriptions from a new one."""

    def __init__(self) -> None:
        self._newest: dict[bytes, int] = {}

    def is_new(self, writer: bytes, source_ns: int) -> bool:
        """Whether this is the newest sample of its writer.

        Args:
            writer: Identity of the publisher.
            source_ns: When it published [ns], rising for each writer.
        """
        if source_ns <= self._newest.get(writer, -1):
            return False
        self._newest[writer] = source_ns
        while len(self._newest) > WRITERS_REMEMBERED:
            self._newest.pop(next(iter(self._newest)))
        return True


class CommandInterface:
    """`command`, `add_query`, `remove_query`, `list_queries` and `clear` of one node.

    A latched command needs a transient-local subscription, which a volatile publisher does not
    match and warns about; so a second subscription is made when a latched publisher appears, and
    what comes over both is taken once.

    Args:
        node: Owns the subscriptions and services.
        queries: The set that they change.
        changed: Called after each change.
        refused: Called with the reason when a command is refused, with nothing when one is not.
        state: What an unanswered sentence is waiting for.
        watch: Is told of publishers whose QoS does not fit.
    """

    def __init__(
        self,
        node: LifecycleNode,
        queries: QuerySet,
        changed: Callable[[], None],
        refused: Callable[[str], None],
        state: Callable[[], State],
        watch: QosWatch,
    ) -> None:
        self._node, self._queries, self._watch = node, queries, watch
        self._changed, self._refused, self._state = changed, refused, state
        self._duplicates = Duplicates()
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
        try:
            self._queries.command(text, self._now_ns())
        except QueryRefused as error:
            self._refused(str(error))
            return
        self._refused("")
        self._changed()

    def _subscribe(self, durability: DurabilityPolicy) -> "Subscription[Any]":
        return self._node.create_subscription(
            String,
            "~/command",
            self._on_command,
            qos.command(durability),
            event_callbacks=self._watch.subscription("~/command"),
        )

    def _on_command(self, message: String, info: Any) -> None:
        identity = info.get("publisher_gid") or {}  # not every distribution tells it
        writer = bytes(bytearray(identity.get("data", b"")))
        if self._duplicates.is_new(writer, int(info["source_timestamp"])):
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
        response.message = f"{query.id} is active"
        if not query.sentence.is_known:
            response.message += ", but no word of it is known: the answer will be NOT_FOUND"
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
        return response

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)
