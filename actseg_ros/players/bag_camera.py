"""Plays a rosbag2 recording (sqlite3 or MCAP) as a camera, without a ROS installation."""

import threading
import time
from pathlib import Path
from typing import Any

from actseg.msg import SegmentationStatus
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.topic_endpoint_info import TopicEndpointInfo
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from actseg_core.errors import ConfigError
from actseg_core.live.frame_checks import NANOSECONDS
from actseg_core.live.states import State
from actseg_ros import qos
from actseg_ros.messages import time_message
from actseg_ros.players.bag import (
    CAMERA_INFO,
    COMPRESSED,
    IMAGE,
    Bag,
    BagError,
    Recorded,
    Timeline,
)
from actseg_ros.players.bag import restamp as restamped
from actseg_ros.players.side_node import WAIT_STEP_S, SideNode
from actseg_ros.process import run
from actseg_ros.settings import BagConfig

WARN_EVERY_S = 5.0
WARN_KIND_CHARS = 30
# Depth and image of one camera are never this far apart.
STRANGE_NS = 10 * NANOSECONDS
# So many equal stamps in a row, at the start, are those of a camera that does not stamp.
IMAGES_JUDGED = 3
CLOCK_STEP_S = 0.02
ROUND_PAUSE_S = 0.2
# An image may overtake /clock. A node refuses stamps that lie before its clock by more than
# future_tolerance_s (0.2 s); a lossless replay lets its clock follow before the stamp is that far.
CLOCK_TRUSTED_NS = 100_000_000
RELIABLE = qos.RELIABILITY["reliable"]
RESTING = (State.UNCONFIGURED, State.INACTIVE, State.SHUTDOWN)


class Progress:
    """Counts, from its status, what the segmentation node has taken in; for two threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._done: int | None = None
        self._clock_ns = 0

    def on_status(self, message: SegmentationStatus) -> None:
        """Note the counters of a node that is active."""
        if State(message.state.value) in RESTING:
            return
        with self._changed:
            self._done = (
                message.frames_processed + message.frames_dropped + message.frames_rejected
            )
            stamp = message.header.stamp
            self._clock_ns = stamp.sec * NANOSECONDS + stamp.nanosec
            self._changed.notify_all()

    def is_at(self, clock_ns: int, timeout_s: float) -> bool:
        """Whether the node's clock is set to about this [ns], within `timeout_s` [s]."""
        with self._changed:
            return self._changed.wait_for(
                lambda: abs(self._clock_ns - clock_ns) <= CLOCK_TRUSTED_NS, timeout_s
            )

    def reached(self, wanted: int, timeout_s: float) -> bool:
        """Whether so many frames are done with, within `timeout_s` [s]."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._done is not None and self._done >= wanted, timeout_s
            )

    @property
    def done(self) -> int:
        """Frames done with so far, 0 before the first status."""
        return self._done or 0


class BagCamera(SideNode[BagConfig]):
    """Publishes `~/image_raw` or `~/image_raw/compressed`, `~/depth`, `~/camera_info`, `/clock`.

    Args:
        options: Passed to rclpy's Node.

    Attributes:
        image_topic: The recording's topic that is played as the camera.
        sent: Messages published so far.

    Raises:
        ConfigError: If a parameter is wrong or no recording is given.
        BagError: If the recording cannot be read or lacks a topic.
    """

    topics = (
        *("~/image_raw", "~/image_raw/compressed", "~/depth", "~/camera_info", "~/status"),
        "/clock",
    )

    def __init__(self, **options: Any) -> None:
        super().__init__("bag_camera", BagConfig, **options)
        settings = self.settings
        if settings.lossless and settings.reliability != "reliable":
            raise ConfigError("parameter lossless needs reliability: reliable; set it, too")
        if not settings.path:
            raise ConfigError(
                "parameter path is empty; give a rosbag2 folder, a .mcap or a .db3 file"
            )
        self._bag = Bag(Path(settings.path).expanduser())
        profile = qos.images(settings.reliability, settings.depth_qos)
        self.image_topic = self._find_image()
        self._outputs = {self.image_topic: self._image_publisher(profile)}
        if settings.depth:
            topic = self._bag.find(settings.depth, (IMAGE,), "depth")
            self._outputs[topic] = self.create_publisher(Image, "~/depth", profile)
        self._info_topic = ""
        if settings.camera_info:
            self._info_topic = self._bag.find(settings.camera_info, (CAMERA_INFO,), "camera_info")
            self._outputs[self._info_topic] = self.create_publisher(
                CameraInfo, "~/camera_info", qos.latched()
            )
        self._clock_output = (
            self.create_publisher(Clock, "/clock", qos.clock()) if settings.clock else None
        )
        self._progress = Progress()
        self._status_topic = ""
        if settings.lossless:
            self._status_topic = self.create_subscription(
                SegmentationStatus, "~/status", self._progress.on_status, qos.answers()
            ).topic_name
        self._timeline = Timeline(settings.rate)
        self._unstamped: tuple[str, ...] = ()
        self._told_ns = -1
        self._warned_s: dict[str, float] = {}
        self._images_before = self._images_sent = 0
        self.sent = 0

    def work(self) -> None:
        """Play the recording, over and over with `loop`.

        Raises:
            BagError: If it cannot be read on, holds nothing, or a lossless replay gets no answer.
        """
        settings = self.settings
        self.wait_for_subscribers(self._outputs[self.image_topic], settings.wait_for_subscribers)
        if settings.lossless:
            self._wait_for_node()
        self._images_before = self._progress.done
        if settings.stamps == "now" and not settings.clock:
            self.wait_for_clock()
        while not self.stopping.is_set():
            before = self.sent
            self._play_once()
            if self.sent == before and not self.stopping.is_set():
                raise BagError(
                    f"{settings.path} holds no usable message of {', '.join(self._outputs)} "
                    f"from start_s {settings.start_s:g} on. {self._bag.problem}"
                )
            if not settings.loop:
                return

    def close(self) -> None:
        """Stop playing; what was sent reliably gets a moment to arrive."""
        clock = () if self._clock_output is None else (self._clock_output,)
        self.close_after((*self._outputs.values(), *clock))
        self._bag.close()
        self.get_logger().info(
            f"{self.sent} messages sent, {self._images_sent} of them images, "
            f"{self._bag.skipped} left out"
        )

    def _find_image(self) -> str:
        """The image topic; with one named as depth, the other one."""
        settings = self.settings
        if not settings.image and settings.depth:
            others = [
                name
                for name, kind in self._bag.topics.items()
                if kind in (IMAGE, COMPRESSED) and name != settings.depth
            ]
            if len(others) == 1:
                return others[0]
        return self._bag.find(settings.image, (IMAGE, COMPRESSED), "image")

    def _image_publisher(self, profile: QoSProfile) -> "Publisher[Any]":
        if self._bag.topics[self.image_topic] == COMPRESSED:
            return self.create_publisher(CompressedImage, "~/image_raw/compressed", profile)
        return self.create_publisher(Image, "~/image_raw", profile)

    def _play_once(self) -> None:
        settings = self.settings
        part = settings.start_s, settings.duration_s
        first = self._bag.first(self.image_topic, IMAGES_JUDGED, *part)
        if not first:
            return
        self.get_logger().info(
            f"{settings.path} on {self._outputs[self.image_topic].topic_name}, "
            f"{self._bag.duration_ns / 1e9:.1f} s"
        )
        self._begin_round(first)
        skipped = self._bag.skipped
        for message in self._bag.messages(tuple(self._outputs), *part, self._unstamped):
            if not self._wait_until_due(message):
                return
            self._send(message)
            if self._bag.skipped > skipped:
                skipped = self._bag.skipped
                self._warn(self._bag.problem)

    def _begin_round(self, first: list[Recorded]) -> None:
        """Let the first image be due now, an image's interval after the round before."""
        self._unstamped = (self._info_topic,)
        stamps = {message.stamp_ns for message in first}
        stand_still = len(stamps) == 1 and len(first) == IMAGES_JUDGED
        if (first[0].stamp_ns == 0 or stand_still) and self.settings.stamps == "now":
            self._unstamped = tuple(self._outputs)
            what = "stand still" if first[0].stamp_ns else "are missing"
            self._warn(f"the images' stamps {what}; the moment of recording takes their place")
        pause_ns = round(self._timeline.interval_ns / self.settings.rate)
        if self._clock_output is not None and self.sent:
            # Images and /clock overtake each other: those of the round before come before the
            # clock is set back, and it is before the first one of this round comes.
            self.stopping.wait(ROUND_PAUSE_S)
            pause_ns = max(pause_ns, round(ROUND_PAUSE_S * NANOSECONDS))
        self._timeline.begin(
            first[0].time_ns,
            time.monotonic() + pause_ns / NANOSECONDS,
            self._now_ns() + pause_ns,
            self._moment(first[0]),
        )
        self._told_ns = -1
        if self.settings.start_s and self._info_topic:
            # Often sent once, at the start of the recording.
            for info in self._bag.first(self._info_topic, 1):
                self._publish(info)

    def _moment(self, message: Recorded) -> int:
        """Where a message lies on the time line [ns]."""
        return message.stamp_ns if self.image_topic not in self._unstamped else message.time_ns

    def _wait_until_due(self, message: Recorded) -> bool:
        """False if the node was stopped meanwhile."""
        line, moment = self._timeline, self._moment(message)
        is_image = message.topic == self.image_topic
        if is_image:
            broke = line.follow(moment, message.time_ns, time.monotonic(), self._now_ns())
            if broke:
                self._told_ns = -1
                self._warn(f"{broke}; the recording goes on from there")
        while not self.stopping.is_set():
            now_s = time.monotonic()
            if is_image:
                wait_s = line.wait_s(moment, now_s, self._now_ns())
            else:
                wait_s = line.wait_beside_s(moment, now_s)
            if wait_s <= 0:
                if not is_image:
                    return True
                self._tell_clock(moment)
                follows = self.settings.lossless and self._clock_output is not None
                return self._clock_came() if follows else True
            self._tell_clock(min(moment, line.bag_now_ns(now_s)))
            self.stopping.wait(min(wait_s, CLOCK_STEP_S) if self._clock_output else wait_s)
        return False

    def _send(self, message: Recorded) -> None:
        self._publish(message)
        if message.topic == self.image_topic:
            self._images_sent += 1
            if self.settings.lossless:
                self._wait_for_answer()

    def _publish(self, message: Recorded) -> None:
        data = message.data
        lead_ns = abs(self._timeline.lead_ns(self._moment(message)))
        is_strange = lead_ns > max(STRANGE_NS, 2 * self._timeline.interval_ns)
        if is_strange and message.topic != self._info_topic:
            is_moved = self.settings.stamps == "now"
            self._warn(
                f"the stamps of {message.topic} are {lead_ns / NANOSECONDS:.1f} s from those of "
                f"{self.image_topic}: they are of another clock, "
                + ("the moment of sending takes their place" if is_moved else "and fit no image")
            )
        if self.settings.stamps == "now":
            now_ns = self._timeline.stamp_ns(self._timeline.bag_now_ns(time.monotonic()))
            moved_ns = self._timeline.stamp_ns(self._moment(message))
            data = restamped(data, now_ns if is_strange else moved_ns)
        self._outputs[message.topic].publish(data)
        self.sent += 1

    def _warn(self, text: str) -> None:
        """Each kind of warning, known by how it begins, every few seconds at most."""
        now_s, kind = time.monotonic(), text[:WARN_KIND_CHARS]
        if now_s - self._warned_s.get(kind, -WARN_EVERY_S) >= WARN_EVERY_S:
            self._warned_s[kind] = now_s
            self.get_logger().warning(text)

    def _wait_for_node(self) -> None:
        """Until the segmentation node is active, and no image to it can get lost any more.

        Other subscribers say nothing about it. And it begins with a best-effort subscription,
        which it exchanges for a reliable one when it sees that this publisher is reliable: an
        image sent before that may reach neither.
        """
        end_s = time.monotonic() + self.settings.answer_timeout_s
        while not (self._progress.reached(0, WAIT_STEP_S) and self._is_matched()):
            if self.stopping.is_set():
                return
            if time.monotonic() > end_s:
                active = self._progress.reached(0, 0.0)
                raise BagError(self._not_reliable() if active else self._no_answer())

    def _is_matched(self) -> bool:
        publisher = self._outputs[self.image_topic]
        readers = self.get_subscriptions_info_by_topic(publisher.topic_name)
        safe = {_owner(item) for item in readers if item.qos_profile.reliability == RELIABLE}
        nodes = {_owner(item) for item in self.get_publishers_info_by_topic(self._status_topic)}
        is_matched: bool = publisher.get_subscription_count() >= len(readers)
        return is_matched and bool(nodes) and nodes <= safe

    def _wait_for_answer(self) -> None:
        wanted = self._images_before + self._images_sent
        end_s = time.monotonic() + self.settings.answer_timeout_s
        while not self._progress.reached(wanted, WAIT_STEP_S):
            if self.stopping.is_set():
                return
            if time.monotonic() > end_s:
                raise BagError(self._no_answer())

    def _clock_came(self) -> bool:
        """Whether the segmentation node follows /clock; False if this node was stopped."""
        end_s = time.monotonic() + self.settings.answer_timeout_s
        while not self._progress.is_at(self._told_ns, WAIT_STEP_S):
            if self.stopping.is_set():
                return False
            if time.monotonic() > end_s:
                raise BagError(
                    "the segmentation node does not follow /clock; start it with "
                    "use_sim_time:=true, or this node with clock:=false"
                )
        return True

    def _no_answer(self) -> str:
        return (
            f"no word about image {self._images_sent} within {self.settings.answer_timeout_s:g} "
            "s; is the segmentation node active, and are its image and this node's ~/status "
            "remapped?"
        )

    def _not_reliable(self) -> str:
        topic = self._outputs[self.image_topic].topic_name
        return (
            f"the segmentation node does not subscribe reliably to {topic}, as a lossless replay "
            "needs; remap its image there and set its image_reliability to auto or reliable"
        )

    def _tell_clock(self, bag_ns: int) -> None:
        """The time of the stamps that are sent; it runs back only where the recording does."""
        if self._clock_output is not None:
            is_moved = self.settings.stamps == "now"
            clock_ns = self._timeline.stamp_ns(bag_ns) if is_moved else bag_ns
            self._told_ns = max(self._told_ns, clock_ns)
            self._clock_output.publish(Clock(clock=time_message(self._told_ns)))

    def _now_ns(self) -> int:
        """Of the computer where the node's own clock would be the /clock that is sent here."""
        if self._clock_output is not None:
            return time.time_ns()
        return int(self.get_clock().now().nanoseconds)


def _owner(endpoint: TopicEndpointInfo) -> tuple[str, str]:
    return endpoint.node_namespace, endpoint.node_name


def main(args: list[str] | None = None) -> int:
    """Entry point of `bag_camera`; 0 at the end of the recording, 2 if it cannot be read."""
    return run(BagCamera, args)


if __name__ == "__main__":
    raise SystemExit(main())
