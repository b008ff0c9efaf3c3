"""The node on the real rclpy with a small model: topics, QoS, services, lifecycle, refusals."""

import time
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from actseg.msg import ActorMaskArray, SegmentationStatus
from actseg.srv import AddQuery, ListQueries, RemoveQuery
from builtin_interfaces.msg import Duration
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State as LifecycleState
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import (
    DurabilityPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String
from std_srvs.srv import Trigger

from actseg_core.errors import CheckpointError, ConfigError
from actseg_ros.convert import decode, encode
from actseg_ros.reports import LoadedModel
from actseg_ros.segmentation_node import SegmentationNode
from actseg_ros.states import State

OK = TransitionCallbackReturn.SUCCESS
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
PICTURE = np.zeros((12, 16, 3), np.uint8)


class Bench:
    """The node and a client on one executor in one domain."""

    def __init__(self, context: Context, engine: Any, read: Any, **values: Any) -> None:
        overrides = [
            Parameter(name.replace("__", "."), value=value) for name, value in values.items()
        ]
        self.load_error: Exception | None = None
        self.model = LoadedModel(engine, read, "small")
        self.node = SegmentationNode(self.load, context=context, parameter_overrides=overrides)
        self.client = Node("client", context=context)
        self.executor = SingleThreadedExecutor(context=context)
        for node in (self.node, self.client):
            self.executor.add_node(node)
        self.results: list[ActorMaskArray] = []
        self.statuses: list[SegmentationStatus] = []
        self.diagnostics: list[DiagnosticArray] = []
        many = QoSProfile(depth=100)
        for kind, topic, kept in (
            (ActorMaskArray, "/actseg/result", self.results),
            (SegmentationStatus, "/actseg/status", self.statuses),
            (DiagnosticArray, "/diagnostics", self.diagnostics),
        ):
            self.client.create_subscription(kind, topic, kept.append, many)
        self.camera = self.client.create_publisher(Image, "/actseg/image", qos_profile_sensor_data)
        self.command = self.client.create_publisher(String, "/actseg/command", 10)

    def load(self, _settings: Any, _stream: Any) -> LoadedModel:
        if self.load_error:
            raise self.load_error
        return self.model

    def spin_until(self, condition: Callable[[], Any], feed: bool = True, what: str = "") -> None:
        end_s, due_s = time.monotonic() + 20.0, 0.0
        while not condition():
            now_s = time.monotonic()
            assert now_s < end_s, f"{what or 'condition'} not within 20 s; state {self.state}"
            if feed and now_s >= due_s:
                due_s = now_s + 0.02
                self.camera.publish(self.picture())
            self.executor.spin_once(timeout_sec=0.01)

    def picture(self) -> Image:
        message = encode(PICTURE, Image().header)
        message.header.stamp = self.client.get_clock().now().to_msg()
        message.header.frame_id = "cam"
        return message

    def start(self) -> None:
        assert self.node.start() == ""
        self.spin_until(lambda: self.camera.get_subscription_count() == 1, feed=False)
        self.spin_until(lambda: self.command.get_subscription_count() >= 1, feed=False)

    def call(self, kind: Any, name: str, request: Any) -> Any:
        client = self.client.create_client(kind, f"/actseg/{name}")
        self.spin_until(client.service_is_ready)
        future = client.call_async(request)
        self.spin_until(future.done)
        return future.result()

    @property
    def state(self) -> State | None:
        return State(self.statuses[-1].state.value) if self.statuses else None

    def has_answered(self) -> bool:
        """Whether the newest result bears masks; status and result may overtake each other."""
        return bool(self.results and self.results[-1].header.stamp.sec)

    def is_in(self, state: State) -> Callable[[], bool]:
        return lambda: self.state is state


@pytest.fixture
def make(domain: int, engine: Any, read: Any) -> Iterator[Callable[..., Bench]]:
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    benches: list[Bench] = []

    def build(**values: Any) -> Bench:
        benches.append(Bench(context, engine, read, **values))
        return benches[-1]

    yield build
    for bench in benches:
        bench.node.close()
        bench.executor.shutdown()
        bench.node.destroy_node()
        bench.client.destroy_node()
    context.try_shutdown()


def test_topics_services_and_types_are_the_documented_ones(make: Any) -> None:
    bench = make()
    bench.start()
    publishers = dict(bench.node.get_publisher_names_and_types_by_node("actseg", "/"))
    for topic, kind in {
        "/actseg/result": "actseg/msg/ActorMaskArray",
        "/actseg/mask": "sensor_msgs/msg/Image",
        "/actseg/overlay": "sensor_msgs/msg/Image",
        "/actseg/status": "actseg/msg/SegmentationStatus",
        "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
    }.items():
        assert publishers[topic] == [kind]
    subscriptions = dict(bench.node.get_subscriber_names_and_types_by_node("actseg", "/"))
    assert subscriptions["/actseg/image"] == ["sensor_msgs/msg/Image"]
    assert subscriptions["/actseg/command"] == ["std_msgs/msg/String"]
    services = dict(bench.node.get_service_names_and_types_by_node("actseg", "/"))
    assert services["/actseg/add_query"] == ["actseg/srv/AddQuery"]
    assert services["/actseg/remove_query"] == ["actseg/srv/RemoveQuery"]
    assert services["/actseg/list_queries"] == ["actseg/srv/ListQueries"]
    assert services["/actseg/clear"] == ["std_srvs/srv/Trigger"]


def test_the_qos_offered_is_what_planners_are_promised(make: Any) -> None:
    bench = make()
    bench.start()
    for topic in ("result", "mask", "overlay", "status"):
        (info,) = bench.client.get_publishers_info_by_topic(f"/actseg/{topic}")
        assert info.qos_profile.reliability == ReliabilityPolicy.RELIABLE
        assert info.qos_profile.durability == DurabilityPolicy.VOLATILE
    assert info.qos_profile.deadline.nanoseconds == 300_000_000
    assert info.qos_profile.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC
    assert info.qos_profile.liveliness_lease_duration.nanoseconds == 1_000_000_000
    (camera,) = bench.client.get_subscriptions_info_by_topic("/actseg/image")
    assert camera.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT


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
    bench.spin_until(lambda: bench.statuses[-1].query_revision >= 10)
    bench.spin_until(bench.is_in(State.FOUND))
    assert bench.statuses[-1].query_revision == 10
    bench.spin_until(bench.has_answered)
    assert bench.results[-1].masks[0].sentence == "a cat"


def test_a_latched_sample_that_comes_late_does_not_undo_a_newer_command(make: Any) -> None:
    bench = make()
    bench.start()
    for text, source_ns in (("a dog", 1), ("a cat", 2), ("a dog", 1), ("a cat", 2)):
        info = {"source_timestamp": source_ns, "publisher_gid": {"data": [7] * 16}}
        bench.node._commands._on_command(String(data=text), info)
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
    bench = make()
    bench.start()
    request = AddQuery.Request(sentence="the dog", lifetime=Duration(nanosec=300_000_000))
    assert bench.call(AddQuery, "add_query", request).accepted
    bench.spin_until(bench.is_in(State.FOUND))
    bench.spin_until(bench.is_in(State.IDLE))


def test_mask_and_overlay_come_with_the_frames_stamp(make: Any) -> None:
    bench = make(sentence="the dog")
    pictures: dict[str, list[Image]] = {"mask": [], "overlay": []}
    for topic, kept in pictures.items():
        bench.client.create_subscription(Image, f"/actseg/{topic}", kept.append, 10)
    bench.start()
    bench.spin_until(lambda: pictures["mask"] and len(pictures["overlay"]) > 3)
    mask, overlay = pictures["mask"][-1], pictures["overlay"][-1]
    assert (mask.encoding, sum(mask.data)) == ("mono8", 18 * 255)
    assert (overlay.encoding, overlay.width, overlay.height) == ("bgr8", 16, 12)
    assert decode(overlay, 1000).any()
    stamps = [(item.header.stamp.sec, item.header.stamp.nanosec) for item in bench.results]
    assert (mask.header.stamp.sec, mask.header.stamp.nanosec) in stamps


def test_compressed_images_are_understood(make: Any) -> None:
    import cv2

    bench = make(sentence="the dog", compressed=True)
    camera = bench.client.create_publisher(
        CompressedImage, "/actseg/image/compressed", qos_profile_sensor_data
    )
    assert bench.node.start() == ""
    content = cv2.imencode(".jpg", PICTURE)[1].tobytes()

    def send() -> bool:
        message = CompressedImage(format="jpeg", data=array("B", content))
        message.header.stamp = bench.client.get_clock().now().to_msg()
        camera.publish(message)
        return bench.state is State.FOUND

    bench.spin_until(send, feed=False)
    bench.spin_until(bench.has_answered)
    assert bench.results[-1].masks[0].mask.width == 16


def test_a_bad_image_is_skipped_and_the_next_good_one_answered(make: Any) -> None:
    bench = make(sentence="the dog")
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    wrong = bench.picture()
    wrong.data = wrong.data[:-1]

    def send() -> bool:
        wrong.header.stamp = bench.client.get_clock().now().to_msg()
        bench.camera.publish(wrong)
        return bench.state is State.BAD_INPUT

    bench.spin_until(send, feed=False)
    assert "data holds 575 bytes, but 12 rows of 48 bytes are 576" in bench.statuses[-1].detail
    bench.spin_until(bench.is_in(State.FOUND))
    assert bench.statuses[-1].frames_rejected >= 1


def test_deactivation_is_told_and_sentences_survive_it(make: Any) -> None:
    bench = make(sentence="the dog")
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    assert bench.node.trigger_deactivate() == OK
    bench.spin_until(bench.is_in(State.INACTIVE))
    count = len([result for result in bench.results if result.masks])
    bench.spin_until(lambda: len(bench.statuses) > 20 and bench.state is State.INACTIVE)
    assert len([result for result in bench.results if result.masks]) == count
    assert bench.node.trigger_activate() == OK
    bench.spin_until(bench.is_in(State.FOUND))


def test_many_lifecycle_rounds_leave_no_thread_behind(make: Any) -> None:
    import threading

    bench = make(sentence="the dog", autostart=False)
    before = threading.active_count()
    for _ in range(20):
        assert bench.node.trigger_configure() == OK
        assert bench.node.trigger_activate() == OK
        assert bench.node.trigger_deactivate() == OK
        assert bench.node.trigger_cleanup() == OK
    assert threading.active_count() == before
    bench.spin_until(bench.is_in(State.UNCONFIGURED), feed=False)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CheckpointError("there is no preset 'nope'; give one of lite"), "there is no preset"),
        (RuntimeError("something else"), "RuntimeError: something else"),
    ],
)
def test_a_model_that_does_not_load_leaves_a_living_node_with_the_reason(
    make: Any, error: Exception, reason: str
) -> None:
    bench = make(autostart=False)
    bench.load_error = error
    assert bench.node.trigger_configure() != OK
    bench.spin_until(lambda: bench.statuses and reason in bench.statuses[-1].detail, feed=False)
    assert bench.state is State.UNCONFIGURED
    assert bench.node._state_machine.current_state[0] == LifecycleState.PRIMARY_STATE_UNCONFIGURED
    bench.spin_until(lambda: bench.diagnostics, feed=False)
    bench.spin_until(lambda: reason in bench.diagnostics[-1].status[0].message, feed=False)
    bench.load_error = None
    assert bench.node.trigger_configure() == OK


def test_with_autostart_the_reason_is_handed_to_the_process(make: Any) -> None:
    bench = make()
    bench.load_error = CheckpointError("the checkpoint x does not exist")
    assert bench.node.start() == "the checkpoint x does not exist"


def test_shutdown_is_the_last_word(make: Any) -> None:
    bench = make(sentence="the dog")
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    assert bench.node.trigger_shutdown() == OK
    assert bench.node.finished
    bench.spin_until(bench.is_in(State.SHUTDOWN))


def test_a_camera_with_another_qos_is_named_in_the_diagnostics(make: Any) -> None:
    bench = make(image_reliability="reliable")
    assert bench.node.start() == ""
    bench.spin_until(
        lambda: (
            bench.diagnostics
            and "set image_reliability: auto" in bench.diagnostics[-1].status[0].message
        )
    )


@pytest.mark.parametrize("first", [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT])
def test_the_subscription_is_as_reliable_as_all_its_cameras(make: Any, first: Any) -> None:
    bench = make()
    bench.client.destroy_publisher(bench.camera)
    other = {ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT} - {first}

    def subscribed() -> Any:
        infos = bench.client.get_subscriptions_info_by_topic("/actseg/image")
        return [info.qos_profile.reliability for info in infos]

    bench.camera = bench.client.create_publisher(
        Image, "/actseg/image", QoSProfile(depth=1, reliability=first)
    )
    assert bench.node.start() == ""
    bench.spin_until(bench.is_in(State.IDLE))
    bench.spin_until(lambda: subscribed() == [first])
    bench.client.create_publisher(
        Image, "/actseg/image", QoSProfile(depth=1, reliability=other.pop())
    )
    bench.spin_until(lambda: subscribed() == [ReliabilityPolicy.BEST_EFFORT])
    bench.spin_until(bench.is_in(State.IDLE))


def test_a_matched_camera_without_images_points_at_the_transport(make: Any) -> None:
    bench = make()
    assert bench.node.start() == ""
    bench.spin_until(
        lambda: (
            bench.diagnostics
            and "FASTDDS_BUILTIN_TRANSPORTS=LARGE_DATA" in bench.diagnostics[-1].status[0].message
        ),
        feed=False,
    )


def test_a_misspelt_parameter_is_refused_at_the_start(make: Any) -> None:
    with pytest.raises(ConfigError, match="there is no parameter presett; known: autostart"):
        make(presett="lite")
