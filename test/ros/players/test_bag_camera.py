"""A recording played as a camera: stamps, clock, pace and the end."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.parameter import Parameter
from recordings import CLIENT, FRAMES, S, camera, recording, stamps
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores, get_typestore

from actseg_core.errors import ActSegError
from actseg_ros.players.bag import CAMERA_INFO, IMAGE
from actseg_ros.players.bag_camera import ROUND_PAUSE_S, BagCamera

__all__ = ["recording"]  # a fixture of test/support
Start = Callable[..., Any]
Eventually = Callable[..., None]


def test_recorded_stamps_depth_and_camera_info_arrive_and_the_process_ends(
    start: Start, eventually: Eventually, recording: Path
) -> None:
    client = start(str(CLIENT))
    values = {"depth": "/camera/depth/image_raw", "camera_info": "/camera/camera_info"}
    player = start(
        *camera(recording, stamps="recorded", wait_for_subscribers=1, rate=2.0, **values)
    )
    assert player.wait() == 0
    wanted = [100 * S + number * S // 10 for number in range(FRAMES)]
    eventually(lambda: stamps(client, "image")[-1:] == wanted[-1:])
    assert stamps(client, "image") == wanted
    eventually(lambda: stamps(client, "depth") == wanted)
    # Of these only the newest is kept.
    eventually(lambda: stamps(client, "camera_info")[-1:] == wanted[-1:])
    assert set(stamps(client, "camera_info")) <= set(wanted)
    assert f"{FRAMES} of them images, 0 left out" in player.text


def test_stamps_of_now_keep_their_distances(
    start: Start, eventually: Eventually, recording: Path
) -> None:
    client = start(str(CLIENT))
    player = start(*camera(recording, wait_for_subscribers=1, rate=2.0, start_s=0.2))
    assert player.wait() == 0
    eventually(lambda: len(stamps(client, "image")) == FRAMES - 2)
    gaps = np.diff(stamps(client, "image"))
    assert stamps(client, "image")[0] > 10**18
    # A stall of the machine moves the stamps on; most gaps are 100 ms at twice the rate.
    assert np.median(gaps) == 50_000_000
    assert (gaps >= 50_000_000).all()


def write_rows(path: Path, rows: list[tuple[str, int, int]]) -> Path:
    """A recording of (topic, stamp, time of recording) [ns]; depth and camera_info by name."""
    store = get_typestore(Stores.ROS2_KILTED)
    types = store.types
    kinds = {"info": CAMERA_INFO}
    with Writer(path, version=9) as writer:
        places = {
            topic: writer.add_connection(f"/{topic}", kinds.get(topic, IMAGE), typestore=store)
            for topic in dict.fromkeys(topic for topic, _, _ in rows)
        }
        for topic, stamp_ns, record_ns in rows:
            time = types["builtin_interfaces/msg/Time"](stamp_ns // S, stamp_ns % S)
            header = types["std_msgs/msg/Header"](time, "cam")
            if topic == "info":
                roi = types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
                nine, twelve = np.zeros(9), np.zeros(12)
                message = types[CAMERA_INFO](
                    header, 8, 6, "plumb_bob", np.zeros(5), nine, nine, twelve, 0, 0, roi
                )
            else:
                pixels = np.zeros(8 * 6, np.uint8)
                message = types[IMAGE](header, 8, 6, "mono8", 0, 6, pixels)
            data = store.serialize_cdr(message, kinds.get(topic, IMAGE))
            writer.write(places[topic], record_ns, data)
    return path


WALL = 1_764_000_000 * S


@pytest.mark.parametrize(
    ("stamps_from", "records_from", "record_step"),
    [(12 * S, WALL, S // 10), (WALL, 12 * S, S // 10), (12 * S, WALL, S * 2 // 3)],
    ids=["simulated stamps", "simulated records", "slow simulation"],
)
def test_stamps_of_another_clock_than_that_of_recording_become_now_and_pairs_stay_pairs(
    start: Start,
    eventually: Eventually,
    tmp_path: Path,
    stamps_from: int,
    records_from: int,
    record_step: int,
) -> None:
    rows = [
        (topic, stamps_from + i * S // 10, records_from + i * record_step + place)
        for i in range(FRAMES)
        for place, topic in enumerate(("depth", "picture", "info"))
    ]
    path = write_rows(tmp_path / "bag", rows)
    client = start(str(CLIENT))
    more = {"depth": "/depth", "camera_info": "/info", "wait_for_subscribers": 1, "rate": 2.0}
    before_ns = time.time_ns()
    player = start(*camera(path, image="/picture", **more))
    assert player.wait() == 0, player.text
    eventually(lambda: len(stamps(client, "image")) == FRAMES)
    images = stamps(client, "image")
    assert before_ns < images[0] < time.time_ns()
    assert np.median(np.diff(images)) == S // 20
    for kind in ("depth", "camera_info"):
        eventually(lambda kind=kind: stamps(client, kind)[-1:] == images[-1:])
        assert set(stamps(client, kind)) <= set(images)
    assert "0 left out" in player.text


@pytest.mark.parametrize("kind", ["recorded", "now"])
def test_the_clock_is_that_of_the_stamps(
    start: Start, eventually: Eventually, tmp_path: Path, kind: str
) -> None:
    rows = [("picture", 12 * S + i * S // 10, WALL + i * S // 5) for i in range(FRAMES)]
    path = write_rows(tmp_path / "bag", rows)
    client = start(str(CLIENT))
    player = start(
        *camera(path, image="/picture", stamps=kind, clock="true", wait_for_subscribers=1)
    )
    assert player.wait() == 0, player.text
    eventually(lambda: len(stamps(client, "image")) == FRAMES and stamps(client, "clock"))
    images, clocks = stamps(client, "image"), stamps(client, "clock")
    assert (images[0] == 12 * S) == (kind == "recorded")
    assert clocks == sorted(clocks)
    assert images[0] - S <= clocks[0] and clocks[-1] <= images[-1] + S // 100


def test_a_simulation_that_was_started_again_plays_on(
    start: Start, eventually: Eventually, tmp_path: Path
) -> None:
    seconds = [20.0, 20.1, 20.2, 1.0, 1.1, 1.2]
    rows = [("picture", round(s * S), WALL + i * S // 10) for i, s in enumerate(seconds)]
    path = write_rows(tmp_path / "bag", rows)
    client = start(str(CLIENT))
    player = start(*camera(path, image="/picture", wait_for_subscribers=1))
    assert player.wait() == 0, player.text
    eventually(lambda: len(stamps(client, "image")) == len(rows))
    assert stamps(client, "image") == sorted(stamps(client, "image"))
    assert "the images' stamps run back by 19.2 s; the recording goes on" in player.text


@pytest.mark.parametrize(("stamp", "what"), [(0, "are missing"), (7 * S, "stand still")])
def test_images_without_stamps_get_those_of_the_moment_of_recording(
    start: Start, eventually: Eventually, tmp_path: Path, stamp: int, what: str
) -> None:
    rows = [
        (topic, stamp, 12 * S + i * S // 10) for i in range(6) for topic in ("picture", "depth")
    ]
    path = write_rows(tmp_path / "bag", rows)
    client = start(str(CLIENT))
    player = start(*camera(path, image="/picture", depth="/depth", wait_for_subscribers=1))
    assert player.wait() == 0, player.text
    eventually(lambda: len(stamps(client, "image")) == 6)
    assert np.median(np.diff(stamps(client, "image"))) == S // 10
    eventually(lambda: stamps(client, "depth") == stamps(client, "image"))
    assert f"the images' stamps {what}; the moment of recording" in player.text


def test_depth_of_another_clock_is_told_and_delays_nothing(
    start: Start, eventually: Eventually, tmp_path: Path
) -> None:
    rows = [
        (topic, first + i * S // 10, WALL + i * S // 10)
        for i in range(FRAMES)
        for topic, first in (("picture", 12 * S), ("depth", WALL))
    ]
    path = write_rows(tmp_path / "bag", rows)
    client = start(str(CLIENT))
    player = start(*camera(path, image="/picture", depth="/depth", wait_for_subscribers=1))
    assert player.wait() == 0, player.text
    eventually(lambda: len(stamps(client, "image")) == FRAMES)
    assert np.median(np.diff(stamps(client, "image"))) == S // 10
    assert "the stamps of /depth are 1763999988.0 s from those of /picture" in player.text


def test_a_camera_info_that_was_sent_once_reaches_whoever_comes_later(
    start: Start, eventually: Eventually, tmp_path: Path
) -> None:
    rows = [("info", 0, WALL)]
    rows += [("picture", 12 * S + i * S // 10, WALL + S + i * S // 10) for i in range(FRAMES)]
    path = write_rows(tmp_path / "bag", rows)
    player = start(
        *camera(path, image="/picture", camera_info="/info", start_s=1.2, wait_for_subscribers=1)
    )
    eventually(lambda: "waiting for subscriber 1 of 1 to /bag_camera/image_raw" in player.text)
    client = start(str(CLIENT))
    assert player.wait() == 0, player.text
    eventually(lambda: stamps(client, "latched_info"))


def test_it_loops_until_it_is_stopped(
    start: Start, eventually: Eventually, recording: Path
) -> None:
    client = start(str(CLIENT))
    player = start(*camera(recording, loop="true", rate=20.0, clock="true", stamps="recorded"))
    eventually(lambda: len(stamps(client, "image")) > 3 * FRAMES)
    # Of /clock only the newest is kept: this client may miss one round's, and sees another's.
    eventually(lambda: min(np.diff(stamps(client, "clock")), default=0) < 0)
    clocks = stamps(client, "clock")
    assert min(clocks) >= 100 * S and max(clocks) <= 102 * S
    assert player.stop() == 0


class Clockwork(threading.Event):
    """Time that passes only while the player waits, until enough images were sent."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1000.0
        self.sent: list[tuple[float, str, int]] = []

    def monotonic(self) -> float:
        return self.now_s

    def time_ns(self) -> int:
        return round(self.now_s * S)

    def wait(self, timeout: float | None = None) -> bool:
        self.now_s += timeout or 0.0
        return self.is_set()


class Sent:
    """A publisher that keeps when it was used."""

    topic_name = "/somewhere"

    def __init__(self, kind: str, clockwork: Clockwork) -> None:
        self.kind, self.clockwork = kind, clockwork

    def publish(self, message: Any) -> None:
        clock_ns = message.clock.sec * S + message.clock.nanosec if self.kind == "clock" else 0
        sent = self.clockwork.sent
        sent.append((self.clockwork.now_s, self.kind, clock_ns))
        if sum(kind == "image" for _, kind, _ in sent) > 2 * FRAMES:
            self.clockwork.set()

    def get_subscription_count(self) -> int:
        return 0

    def wait_for_all_acked(self, _timeout: Any) -> bool:
        return True


def test_between_two_rounds_images_and_the_clock_do_not_meet(
    domain: int, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"path": str(recording), "image": "/camera/image_raw", "loop": True, "clock": True}
    given |= {"stamps": "recorded", "rate": 20.0}
    overrides = [Parameter(name, value=value) for name, value in given.items()]
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    player = BagCamera(context=context, parameter_overrides=overrides)
    clockwork = Clockwork()
    monkeypatch.setattr("actseg_ros.players.bag_camera.time", clockwork)
    player.stopping = clockwork
    player._outputs = {"/camera/image_raw": Sent("image", clockwork)}
    player._clock_output = Sent("clock", clockwork)
    try:
        player.work()
    finally:
        player.close()
        player.destroy_node()
        context.try_shutdown()
    sent = clockwork.sent
    back = next(
        index
        for index in range(1, len(sent))
        if sent[index][1] == "clock"
        and sent[index][2] < max(clock_ns for _, _, clock_ns in sent[:index])
    )
    before = max(at for at, kind, _ in sent[:back] if kind == "image")
    after = min(at for at, kind, _ in sent[back:] if kind == "image")
    assert sent[back][0] - before == pytest.approx(ROUND_PAUSE_S)
    assert after - sent[back][0] == pytest.approx(ROUND_PAUSE_S)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"path": ""}, "parameter path is empty"),
        ({"path": "/nowhere"}, "cannot read the recording /nowhere"),
        ({"image": "/other"}, "image topic /other of .* is not in it.*/camera/camera_info"),
        ({"image": ""}, "holds several topics of sensor_msgs/msg/Image"),
        ({"image": ""}, r"the parameter image \(bag_image:= of the launch file\)"),
        ({"depth": "/camera/camera_info"}, "is sensor_msgs/msg/CameraInfo, wanted is sensor_msgs"),
        ({"lossless": True, "reliability": "best_effort"}, "lossless needs reliability: reliable"),
        ({"rate": 0.0}, "rate: .*greater than or equal to 0.01"),
        ({"speed": 1.0}, "no parameter speed"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_line(
    domain: int, recording: Path, values: dict[str, Any], reason: str
) -> None:
    given = {"path": str(recording), "image": "/camera/image_raw", **values}
    overrides = [Parameter(name, value=value) for name, value in given.items()]
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    try:
        with pytest.raises(ActSegError, match=reason):
            BagCamera(context=context, parameter_overrides=overrides)
    finally:
        context.try_shutdown()


def test_the_other_image_topic_is_the_picture_where_one_is_named_as_depth(
    domain: int, recording: Path
) -> None:
    given = {"path": str(recording), "depth": "/camera/depth/image_raw"}
    overrides = [Parameter(name, value=value) for name, value in given.items()]
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    node = BagCamera(context=context, parameter_overrides=overrides)
    try:
        assert node.image_topic == "/camera/image_raw"
    finally:
        node.close()
        node.destroy_node()
        context.try_shutdown()


def test_a_part_without_images_ends_the_process_with_its_reason(
    start: Start, recording: Path
) -> None:
    player = start(*camera(recording, start_s=500.0))
    assert player.wait() == 2
    assert "no usable message of /camera/image_raw from start_s 500 on" in player.text
    assert "Traceback" not in player.text
